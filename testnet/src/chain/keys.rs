//! Keys, addresses and signatures of validators.
//!
//! A signature carries the time that was signed with it: CometBFT's votes have one each, and the engine, which rebuilds
//! votes from certificates, keeps signatures but not times.

use ed25519_zebra::{SigningKey, VerificationKey};
use sha2::{Digest, Sha256};

use super::time::Time;

/// Address of a validator: the first 20 bytes of SHA-256 of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(
    /// The bytes.
    pub [u8; 20],
);

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

/// An Ed25519 key, or 32 bytes that stand for one where signatures are not real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(
    /// The bytes.
    pub [u8; 32],
);

impl PublicKey {
    /// Its address.
    #[must_use]
    pub fn address(&self) -> Address {
        let mut address = [0; 20];
        address.copy_from_slice(&Sha256::digest(self.0)[..20]);
        Address(address)
    }
}

/// What a validator put under a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature {
    /// The time within the signed message.
    pub time: Time,
    /// The signature.
    pub bytes: [u8; 64],
}

/// What signatures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crypto {
    /// Ed25519, checked by the rules of ZIP-215 as CometBFT does.
    Ed25519,
    /// SHA-256 over key and message, which anybody can make: for the search through schedules, where nobody forges.
    Checksum,
}

/// A validator's secret.
#[derive(Clone)]
pub struct PrivateKey {
    seed: [u8; 32],
    public: PublicKey,
    crypto: Crypto,
}

impl PrivateKey {
    /// The key made from `seed`.
    #[must_use]
    pub fn from_seed(seed: [u8; 32], crypto: Crypto) -> Self {
        let public = match crypto {
            Crypto::Ed25519 => PublicKey(VerificationKey::from(&SigningKey::from(seed)).into()),
            Crypto::Checksum => PublicKey(Sha256::digest(seed).into()),
        };
        Self { seed, public, crypto }
    }

    /// The key that checks its signatures.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs `message`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        match self.crypto {
            Crypto::Ed25519 => SigningKey::from(self.seed).sign(message).into(),
            Crypto::Checksum => checksum(&self.public, message),
        }
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey of {}", self.public.address())
    }
}

impl Crypto {
    /// Whether `signature` is one of `key` under `message`.
    #[must_use]
    pub fn holds(self, key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
        match self {
            Self::Ed25519 => {
                VerificationKey::try_from(key.0).and_then(|key| key.verify(&(*signature).into(), message)).is_ok()
            }
            Self::Checksum => *signature == checksum(key, message),
        }
    }
}

/// The signature of [`Crypto::Checksum`]: the checksum twice, to fill 64 bytes.
fn checksum(key: &PublicKey, message: &[u8]) -> [u8; 64] {
    let digest = Sha256::new().chain_update(key.0).chain_update(message).finalize();
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&digest);
    bytes[32..].copy_from_slice(&digest);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_and_message_only() {
        for crypto in [Crypto::Ed25519, Crypto::Checksum] {
            let (one, other) = (PrivateKey::from_seed([1; 32], crypto), PrivateKey::from_seed([2; 32], crypto));
            let mut signature = one.sign(b"message");
            assert!(crypto.holds(&one.public(), b"message", &signature));
            assert!(!crypto.holds(&one.public(), b"massage", &signature));
            assert!(!crypto.holds(&other.public(), b"message", &signature));
            signature[63] ^= 1;
            assert!(!crypto.holds(&one.public(), b"message", &signature));
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let key = PrivateKey::from_seed([0xab; 32], Crypto::Ed25519);
        assert!(!format!("{key:?}").contains("171"), "{key:?}");
    }
}
