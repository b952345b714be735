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
