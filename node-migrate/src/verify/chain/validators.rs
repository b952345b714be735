//! The validators of every height, found through the sparse records of the state store.
//!
//! A set is stored in full where it changed and at every 100,000th height; the other records only say where. Each full
//! set is hashed once a walk, however many heights it serves.

use std::rc::Rc;

use ledger_formats::comet::key::StateKey;
use ledger_formats::comet::{
    CHECKPOINT_INTERVAL, Decode, DecodeError, ValidatorSet, ValidatorSetError, ValidatorsInfo,
};
use proofs::merkle::Hash;

use super::rows::{Rows, Spelled, in_hex};
use crate::verify::what::What;

/// Sets kept by one walk: heights ascend, so that only the last one is used, and the one before at a change.
const KEPT: usize = 2;

/// A validator set that was stored in full.
pub(super) struct Stored {
    /// Height of its record.
    pub height: u64,
    /// Its hash.
    pub hash: Hash,
    /// Its keys and powers, or why its signatures cannot be checked.
    pub signers: Result<proofs::commit::ValidatorSet, ValidatorSetError>,
    value: Vec<u8>,
}

impl Stored {
    /// The set as stored.
    pub(super) fn decode(&self) -> Result<ValidatorSet<'_>, DecodeError> {
        Ok(ValidatorsInfo::decode(&self.value)?.validator_set.unwrap_or_default())
    }
}

/// The sets that a walk used last.
#[derive(Default)]
pub(super) struct Sets {
    kept: Vec<Rc<Stored>>,
    /// Height of a record that cannot serve, so that it is reported once and not at each height that needs it.
    unusable: Option<u64>,
}

impl Sets {
    /// The validators of a height; what is wrong is reported. With `required` a height without a record is wrong.
    pub(super) fn at(&mut self, rows: &Rows<'_>, height: u64, required: bool) -> Option<Rc<Stored>> {
        let key = StateKey::Validators { height };
        let value = if required { rows.require(&key)? } else { rows.fetch(&key).row()? };
        let info: ValidatorsInfo<'_> = rows.decode(&key, &value)?;
        if info.last_height_changed > height {
            let expected = format!("validators that last changed at {height} or before");
            rows.report(&key, What::Height, &expected, &format!("at {}", info.last_height_changed));
            return None;
        }
        let stored_at = info.stored_at(height);
        if let Some(kept) = self.kept.iter().find(|kept| kept.height == stored_at) {
            return Some(Rc::clone(kept));
        }
        if self.unusable == Some(stored_at) {
            return None;
        }
        self.unusable = Some(stored_at);
        let value = if stored_at == height {
            value
        } else {
            let key = StateKey::Validators { height: stored_at };
            if required { rows.require(&key)? } else { rows.fetch(&key).row()? }
        };
        let stored = self.keep(rows, stored_at, value)?;
        self.unusable = None;
        Some(stored)
    }

    fn keep(&mut self, rows: &Rows<'_>, height: u64, value: Vec<u8>) -> Option<Rc<Stored>> {
        let key = StateKey::Validators { height };
        let info: ValidatorsInfo<'_> = rows.decode(&key, &value)?;
        let Some(set) = info.validator_set else {
            let actual = format!("a record that points to height {}", info.last_height_changed);
            rows.report(&key, What::Missing, &"the full validator set, which later records refer to", &actual);
            return None;
        };
        check_members(rows, &key, &set);
        // At other heights than checkpoints a set is stored in full because it changed there.
        if info.last_height_changed != height && !height.is_multiple_of(CHECKPOINT_INTERVAL) {
            let actual = format!("at {}", info.last_height_changed);
            rows.doubt(&key, Some(height), What::Height, &format!("validators that last changed at {height}"), &actual);
        }
        let (hash, signers) = (set.hash(), set.to_proof());
        let stored = Rc::new(Stored { height, hash, signers, value });
        if self.kept.len() == KEPT {
            self.kept.remove(0);
        }
        self.kept.push(Rc::clone(&stored));
        Some(stored)
    }
}

/// What is stored beside keys and powers, and covered by no hash: addresses, and a copy of the proposer.
pub(super) fn check_members(rows: &Rows<'_>, key: &StateKey, set: &ValidatorSet<'_>) {
    for validator in set.validators.iter().chain(&set.proposer) {
        if let Ok(public) = validator.pub_key.to_proof() {
            rows.equal(key, What::ValidatorAddress, &public.address(), validator.address);
        }
    }
    if let Some(proposer) = &set.proposer
        && !set.validators.contains(proposer)
    {
        let actual =
            format!("{} of {} at {}", in_hex(proposer.address), proposer.voting_power, proposer.proposer_priority);
        rows.doubt(key, key.of_height(), What::ProposerPriority, &"a proposer that is one of the validators", &actual);
    }
}
