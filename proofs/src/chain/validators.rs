//! The hash of a validator set, which headers name.
//!
//! The root over one leaf a validator, in the order of the set: `SimpleValidator { 1: public key, 2: power }`,
//! the key as `PublicKey { 1: ed25519 | 2: secp256k1 }`. Source: CometBFT `types/validator_set.go`
//! (`ValidatorSet.Hash`), `types/validator.go` (`Validator.Bytes`).

use crate::commit::{PublicKey, ValidatorSet};
use crate::encoding::proto::{put_bytes, put_key_and_length, put_varint_field};
use crate::merkle::{Hash, root};

impl ValidatorSet {
    /// The hash that headers of its heights name.
    #[must_use]
    pub fn hash(&self) -> Hash {
        root(self.validators().iter().map(|validator| {
            let mut leaf = Vec::with_capacity(48);
            match validator.key() {
                PublicKey::Ed25519(key) => put_key(&mut leaf, 0x0a, &key),
                PublicKey::Secp256k1(key) => put_key(&mut leaf, 0x12, &key),
            }
            put_varint_field(&mut leaf, 0x10, validator.power());
            leaf
        }))
    }
}

fn put_key(leaf: &mut Vec<u8>, kind: u8, key: &[u8]) {
    put_key_and_length(leaf, 0x0a, 2 + key.len());
    put_bytes(leaf, kind, key);
}
