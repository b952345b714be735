//! The validators of a height, through the sparse records of the state store.

use std::sync::{Arc, Mutex, PoisonError};

use ledger_formats::comet::{Decode, ValidatorsInfo};
use proofs::commit::ValidatorSet;
use proofs::merkle::Hash;

use super::rows::Rows;
use super::unproven::Unproven;

/// A set and the hash by which a header names it.
pub(super) struct Signers {
    pub(super) hash: Hash,
    pub(super) keys: ValidatorSet,
}

/// Finds sets, and keeps the last one: neighbouring heights mostly share it.
#[derive(Default)]
pub(super) struct Validators {
    last: Mutex<Option<(u64, Arc<Signers>)>>,
}

impl Validators {
    /// The validators whose votes decide a height.
    pub(super) fn at(&self, rows: &Rows<'_>, height: u64) -> Result<Arc<Signers>, Unproven> {
        let value = rows.validators(height, height)?;
        let failed = Unproven::decode(height, "record of its validators");
        let info = ValidatorsInfo::decode(&value).map_err(&failed)?;
        let stored_at = info.stored_at(height);
        if let Some((at, signers)) = &*self.last.lock().unwrap_or_else(PoisonError::into_inner)
            && *at == stored_at
        {
            return Ok(Arc::clone(signers));
        }
        let full = if stored_at == height { value } else { rows.validators(stored_at, height)? };
        let set = ValidatorsInfo::decode(&full).map_err(&failed)?.validator_set;
        let set = set.ok_or(Unproven::NoValidators { height })?;
        let keys = set.to_proof().map_err(|source| Unproven::Validators { height, source })?;
        let signers = Arc::new(Signers { hash: set.hash(), keys });
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((stored_at, Arc::clone(&signers)));
        Ok(signers)
    }
}
