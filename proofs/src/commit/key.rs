//! Public keys of validators, and the addresses they stand for.
//!
//! | key type | bytes | address |
//! |---|---|---|
//! | ed25519 | 32, RFC 8032 point, not necessarily canonical | SHA-256(key), first 20 |
//! | secp256k1 | 33, SEC 1 compressed point | RIPEMD-160(SHA-256(key)) |
//!
//! Source: CometBFT `crypto/ed25519/ed25519.go`, `crypto/secp256k1/secp256k1.go`. Key types that cannot be
//! checked here are named, so that a caller can say what was not checked.

use ripemd::Ripemd160;
use sha2::{Digest, Sha256};

/// The address of a validator.
pub type Address = [u8; 20];

/// Key types that CometBFT releases write into validator sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// Ed25519, the default.
    Ed25519,
    /// ECDSA over secp256k1.
    Secp256k1,
    /// BLS12-381, from CometBFT 1.0; not checked here.
    Bls12381,
    /// ML-DSA-65, from CometBFT 0.40; not checked here.
    MlDsa65,
    /// secp256k1 with Ethereum addresses; not checked here.
    Secp256k1Eth,
}

impl std::fmt::Display for KeyType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Ed25519 => "ed25519",
            Self::Secp256k1 => "secp256k1",
            Self::Bls12381 => "bls12_381",
            Self::MlDsa65 => "ml_dsa_65",
            Self::Secp256k1Eth => "secp256k1eth",
        })
    }
}

/// A public key whose signatures can be checked here. Whether it is a point shows when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PublicKey {
    /// An Ed25519 key.
    Ed25519([u8; 32]),
    /// A compressed secp256k1 key.
    Secp256k1([u8; 33]),
}

/// Why bytes are not a usable public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Signatures of this type cannot be checked here.
    #[error("signatures of {key_type} keys cannot be checked")]
    Unsupported {
        /// The type of the key.
        key_type: KeyType,
    },
    /// The key has the wrong length for its type.
    #[error("a key of type {key_type} has {expected} bytes, not {actual}")]
    Length {
        /// The type of the key.
        key_type: KeyType,
        /// Bytes of a key of that type.
        expected: usize,
        /// Bytes given.
        actual: usize,
    },
}

impl PublicKey {
    /// Takes up the bytes of a key, as a validator set holds them.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] or [`KeyError::Length`].
    pub fn new(key_type: KeyType, bytes: &[u8]) -> Result<Self, KeyError> {
        let length = |expected| KeyError::Length { key_type, expected, actual: bytes.len() };
        match key_type {
            KeyType::Ed25519 => Ok(Self::Ed25519(bytes.try_into().map_err(|_| length(32))?)),
            KeyType::Secp256k1 => Ok(Self::Secp256k1(bytes.try_into().map_err(|_| length(33))?)),
            KeyType::Bls12381 | KeyType::MlDsa65 | KeyType::Secp256k1Eth => Err(KeyError::Unsupported { key_type }),
        }
    }

    /// The type of the key.
    #[must_use]
    pub const fn key_type(&self) -> KeyType {
        match self {
            Self::Ed25519(_) => KeyType::Ed25519,
            Self::Secp256k1(_) => KeyType::Secp256k1,
        }
    }

    /// The address that the key stands for.
    #[must_use]
    pub fn address(&self) -> Address {
        match self {
            Self::Ed25519(key) => {
                let mut address = [0; 20];
                address.copy_from_slice(&Sha256::digest(key)[..20]);
                address
            }
            Self::Secp256k1(key) => Ripemd160::digest(Sha256::digest(key)).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secp256k1_address_equals_the_vector_of_cometbft() {
        // crypto/secp256k1/secp256k1_test.go: the key of its first secpDataTable entry, whose address is
        // written there in Base58Check as 1CKZ9Nx4zgds8tU7nJHotKSDr4a9bYJCa3.
        let key = hex::decode("02950e1cdfcb133d6024109fd489f734eeb4502418e538c28481f22bce276f248c").expect("hex");
        let key = PublicKey::new(KeyType::Secp256k1, &key).expect("33 bytes");
        assert_eq!(hex::encode(key.address()), "7c2bb42a8be69791ec763e51f5a49bcd41e82237");
    }

    #[test]
    fn keys_that_cannot_be_used_are_named() {
        let length = KeyError::Length { key_type: KeyType::Ed25519, expected: 32, actual: 33 };
        assert_eq!(PublicKey::new(KeyType::Ed25519, &[0; 33]), Err(length));
        let unsupported = KeyError::Unsupported { key_type: KeyType::Bls12381 };
        assert_eq!(PublicKey::new(KeyType::Bls12381, &[0; 48]), Err(unsupported));
        assert_eq!(unsupported.to_string(), "signatures of bls12_381 keys cannot be checked");
    }
}
