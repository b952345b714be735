//! Validator sets in every dialect, and the hash over them.
//!
//! The validators hash is the root over `SimpleValidator {pub_key = 1, voting_power = 2}`, one leaf a
//! validator in the order of the set; it is the same in all dialects.

use proofs::commit::KeyError;
use proofs::merkle::{Hash, leaf_hash, root_of_hashes};

use super::error::DecodeError;
use super::public_key::PublicKey;
use super::wire::{Decode, Reader, put_int, put_message};

/// A validator of a set.
///
/// ```text
/// v0.34 to v0.40: address 1, pub_key 2, voting_power 3, proposer_priority 4
/// v1.0:           address 1, voting_power 3, proposer_priority 4, pub_key_bytes 5, pub_key_type 6
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validator<'a> {
    /// Address as stored, 20 bytes.
    pub address: &'a [u8],
    /// The key with which it signs.
    pub pub_key: PublicKey<'a>,
    /// Its share of the votes.
    pub voting_power: u64,
    /// When it is its turn to propose; not covered by the hash.
    pub proposer_priority: i64,
}

/// Validators in the order of the set: by power descending, then by address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidatorSet<'a> {
    /// The validators.
    pub validators: Vec<Validator<'a>>,
    /// Whose turn it was when the set was stored.
    pub proposer: Option<Validator<'a>>,
    /// As stored: 0 in every release, which compute it anew.
    pub total_voting_power: u64,
}

/// `validatorsKey:<h>`: the validators of height h, or only since when they are what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidatorsInfo<'a> {
    /// The set; `None` in a sparse record.
    pub validator_set: Option<ValidatorSet<'a>>,
    /// Height from which on the set is valid: a sparse record's set is at that height, or at the last multiple of
    /// [`CHECKPOINT_INTERVAL`] if that is later.
    pub last_height_changed: u64,
}

/// Why signatures of a set cannot be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidatorSetError {
    /// A validator's key is of a kind whose signatures cannot be checked.
    #[error("validator {index}: {source}")]
    Key {
        /// Place in the set, from 0.
        index: usize,
        /// What is wrong with the key.
        source: KeyError,
    },
    /// The powers are impossible.
    #[error(transparent)]
    Power(#[from] proofs::commit::ValidatorSetError),
}

/// Heights at which a full set is stored in any case.
pub const CHECKPOINT_INTERVAL: u64 = 100_000;

impl ValidatorsInfo<'_> {
    /// Height of the record that holds the full set for `height`, whose record this is.
    #[must_use]
    pub fn stored_at(&self, height: u64) -> u64 {
        if self.validator_set.is_some() {
            return height;
        }
        self.last_height_changed.max(height - height % CHECKPOINT_INTERVAL)
    }
}

impl ValidatorSet<'_> {
    /// The validators hash.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut leaf = Vec::with_capacity(64);
        let mut leaves: Vec<Hash> = Vec::with_capacity(self.validators.len());
        for validator in &self.validators {
            leaf.clear();
            put_message(&mut leaf, 1, |out| validator.pub_key.put(out));
            put_int(&mut leaf, 2, validator.voting_power.cast_signed());
            leaves.push(leaf_hash(&leaf));
        }
        root_of_hashes(&mut leaves)
    }

    /// The same set for the checking of signatures.
    ///
    /// # Errors
    /// The first validator, counted from 0, whose signatures cannot be checked; or powers whose sum does not fit.
    pub fn to_proof(&self) -> Result<proofs::commit::ValidatorSet, ValidatorSetError> {
        let mut keys = Vec::with_capacity(self.validators.len());
        for (index, validator) in self.validators.iter().enumerate() {
            let key = validator.pub_key.to_proof().map_err(|source| ValidatorSetError::Key { index, source })?;
            keys.push((key, validator.voting_power.cast_signed()));
        }
        Ok(proofs::commit::ValidatorSet::new(keys)?)
    }

    /// Sum of the powers; `None` if it does not fit.
    #[must_use]
    pub fn total_power(&self) -> Option<u64> {
        self.validators.iter().try_fold(0_u64, |total, validator| total.checked_add(validator.voting_power))
    }
}

impl<'a> Decode<'a> for Validator<'a> {
    const NAME: &'static str = "Validator";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let (mut address, mut voting_power, mut proposer_priority) = (&[][..], 0, 0);
        let (mut pub_key, mut key_bytes, mut key_type) = (None, &[][..], None);
        while let Some(field) = reader.next()? {
            match field.number {
                1 => address = field.bytes("address")?,
                2 => pub_key = Some(field.message("pub_key")?),
                3 => voting_power = field.natural("voting_power")?,
                4 => proposer_priority = field.i64("proposer_priority")?,
                5 => key_bytes = field.bytes("pub_key_bytes")?,
                6 => key_type = Some((field, field.bytes("pub_key_type")?)),
                _ => {}
            }
        }
        let pub_key = match (key_type, pub_key) {
            (Some((field, name)), _) => PublicKey::from_type(name, key_bytes, &field)?,
            (None, Some(pub_key)) => pub_key,
            (None, None) => return Err(DecodeError::Missing { place: reader.place("pub_key") }),
        };
        Ok(Self { address, pub_key, voting_power, proposer_priority })
    }
}

impl<'a> Decode<'a> for ValidatorSet<'a> {
    const NAME: &'static str = "ValidatorSet";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut set = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => set.validators.push(field.each_message("validators")?),
                2 => set.proposer = Some(field.message("proposer")?),
                3 => set.total_voting_power = field.natural("total_voting_power")?,
                _ => {}
            }
        }
        Ok(set)
    }
}

impl<'a> Decode<'a> for ValidatorsInfo<'a> {
    const NAME: &'static str = "ValidatorsInfo";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut info = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => info.validator_set = Some(field.message("validator_set")?),
                2 => info.last_height_changed = field.natural("last_height_changed")?,
                _ => {}
            }
        }
        Ok(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: [&str; 2] = [
        "0a14bca0d9f7fce0bc53a8798bf423f5b8a833739a61180d20dfffffffffffffffff01\
         2a20949abf7cc91d0ff3de389a1c2daf828442b7ea83fd01ca12e2cb15cac1fb996c320765643235353139",
        "0a14bca0d9f7fce0bc53a8798bf423f5b8a833739a6112220a20949abf7cc91d0ff3de389a1c2daf828442b7ea83fd01ca12e2cb15cac1fb996c\
         180d20dfffffffffffffffff01",
    ];
    /// The key is the generator of the curve, whose address is known everywhere.
    const SECP256K1: [&str; 2] = [
        "0a14751e76e8199196d454941c45d1b3a323f1433bd618052001\
         2a210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f817983209736563703235366b31",
        "0a14751e76e8199196d454941c45d1b3a323f1433bd61223\
         12210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179818052001",
    ];

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        hex::decode(hexadecimal).expect("hex")
    }

    #[test]
    fn a_validator_is_the_same_in_both_dialects() {
        for [v1_0, v0_38] in [ED25519, SECP256K1].map(|forms| forms.map(bytes)) {
            let validator = Validator::decode(&v1_0).expect("decodes");
            assert_eq!(Validator::decode(&v0_38).expect("decodes"), validator);
            let key = validator.pub_key.to_proof().expect("a key that can be checked");
            assert_eq!(validator.address, key.address());
        }
        let priority = Validator::decode(&bytes(ED25519[0])).expect("decodes").proposer_priority;
        assert_eq!(priority, -33);
    }

    #[test]
    fn keys_of_unknown_kind_or_wrong_length_are_refused_by_name() {
        let unknown = Validator::decode(&bytes("2a0101320173")).expect_err("no such kind");
        let expected = "Validator.pub_key_type at byte 3: a known public key type expected, s found";
        assert_eq!(unknown.to_string(), expected);
        let short = Validator::decode(&bytes("12030a0101")).expect_err("a byte is no key");
        assert_eq!(short.to_string(), "Validator.pub_key.ed25519 at byte 2: 32 bytes expected, 1 found");
        let field = Validator::decode(&bytes("12033a0101")).expect_err("no such field");
        assert_eq!(
            field.to_string(),
            "Validator.pub_key.sum at byte 2: a known public key type expected, field 7 found"
        );
        let none = Validator::decode(&[]).expect_err("no key");
        assert_eq!(none.to_string(), "Validator.pub_key at byte 0: expected, but absent");
    }

    #[test]
    fn sparse_records_name_the_height_of_the_full_one() {
        let sparse = ValidatorsInfo::decode(&[0x10, 0x18]).expect("decodes");
        assert_eq!(sparse, ValidatorsInfo { validator_set: None, last_height_changed: 24 });
        assert_eq!(sparse.stored_at(99_999), 24);
        assert_eq!(sparse.stored_at(100_000), 100_000);
        assert_eq!(sparse.stored_at(250_000), 200_000);
        let full = ValidatorsInfo { validator_set: Some(ValidatorSet::default()), last_height_changed: 24 };
        assert_eq!(full.stored_at(30), 30);
    }

    #[test]
    fn the_hash_covers_keys_and_powers_only() {
        let set = |hexadecimal| ValidatorSet {
            validators: vec![Validator::decode(hexadecimal).expect("decodes")],
            ..ValidatorSet::default()
        };
        let (v1_0, v0_38) = (bytes(ED25519[0]), bytes(ED25519[1]));
        let simple = bytes("0a220a20949abf7cc91d0ff3de389a1c2daf828442b7ea83fd01ca12e2cb15cac1fb996c100d");
        assert_eq!(set(&v1_0).hash(), leaf_hash(&simple));
        assert_eq!(set(&v0_38).hash(), leaf_hash(&simple));
    }
}
