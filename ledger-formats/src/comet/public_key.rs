//! Public keys of validators: the kinds, and their numbers and names in the dialects.

use proofs::commit::{KeyError, KeyType};

use super::error::DecodeError;
use super::wire::{Decode, Field, Reader, put_varint};

/// How a kind of key is written.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyKind {
    /// The kind.
    pub key_type: KeyType,
    /// Field number in the `PublicKey` message of v0.34 to v0.40, which is also that of the validators hash.
    pub number: u32,
    /// Name in v1.0 and in consensus parameters.
    pub name: &'static str,
    /// Bytes of a key, for the kinds of which that is known for certain.
    pub bytes: Option<usize>,
}

/// The kinds of v0.34 to v0.40 and v1.0. The last two exist in v0.40 (the fourth in v0.38.26 too), not in
/// v1.0; v2 gives their numbers to other kinds.
pub static KEY_KINDS: [KeyKind; 5] = [
    KeyKind { key_type: KeyType::Ed25519, number: 1, name: "ed25519", bytes: Some(32) },
    KeyKind { key_type: KeyType::Secp256k1, number: 2, name: "secp256k1", bytes: Some(33) },
    KeyKind { key_type: KeyType::Bls12381, number: 3, name: "bls12_381", bytes: Some(96) },
    KeyKind { key_type: KeyType::MlDsa65, number: 4, name: "ml_dsa_65", bytes: None },
    KeyKind { key_type: KeyType::Secp256k1Eth, number: 5, name: "secp256k1eth", bytes: None },
];

/// A public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey<'a> {
    /// Its kind.
    pub kind: &'static KeyKind,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl<'a> PublicKey<'a> {
    /// The same key for the checking of signatures.
    ///
    /// # Errors
    /// When signatures of its kind cannot be checked.
    pub fn to_proof(&self) -> Result<proofs::commit::PublicKey, KeyError> {
        proofs::commit::PublicKey::new(self.kind.key_type, self.bytes)
    }

    /// Appends the field of the `PublicKey` message, written even when empty, as it is one of several.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, u64::from(self.kind.number) << 3 | 2);
        put_varint(out, self.bytes.len() as u64);
        out.extend_from_slice(self.bytes);
    }

    /// A key as v1.0 stores it: the name of its kind, and its bytes. `field` is where the name stands.
    pub(super) fn from_type(name: &[u8], bytes: &'a [u8], field: &Field<'_>) -> Result<Self, DecodeError> {
        let Some(kind) = KEY_KINDS.iter().find(|kind| kind.name.as_bytes() == name) else {
            let actual = name.escape_ascii().take(40).map(char::from).collect();
            return Err(DecodeError::KeyType { place: field.place("pub_key_type"), actual });
        };
        Self { kind, bytes }.of_right_length(field, "pub_key_bytes")
    }

    fn of_right_length(self, field: &Field<'_>, name: &str) -> Result<Self, DecodeError> {
        match self.kind.bytes {
            Some(expected) if expected != self.bytes.len() => {
                Err(DecodeError::Length { place: field.place(name), expected, actual: self.bytes.len() })
            }
            _ => Ok(self),
        }
    }
}

impl<'a> Decode<'a> for PublicKey<'a> {
    const NAME: &'static str = "PublicKey";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut key = None;
        while let Some(field) = reader.next()? {
            let Some(kind) = KEY_KINDS.iter().find(|kind| kind.number == field.number) else {
                let actual = format!("field {}", field.number);
                return Err(DecodeError::KeyType { place: field.place("sum"), actual });
            };
            if key.is_some() {
                return Err(DecodeError::Repeated { place: field.place(kind.name) });
            }
            let bytes = field.bytes(kind.name)?;
            key = Some(Self { kind, bytes }.of_right_length(&field, kind.name)?);
        }
        key.ok_or_else(|| DecodeError::Missing { place: reader.place("sum") })
    }
}
