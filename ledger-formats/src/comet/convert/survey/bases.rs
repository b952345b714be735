//! Sparse records and the full ones that they stand on: those whose base is missing are named, and stay as they are.
//!
//! A record of validators or parameters that did not change holds only the height of the record that does. Nodes have removed such
//! records while pruning (v0.38 keeps the checkpoint below the present height, not the one below old evidence), so it is no reason to
//! refuse a home; but nobody can tell the validators of these heights any more.

use std::collections::BTreeMap;

use crate::comet::class::Kind;
use crate::comet::key::{Layout, StateKey};
use crate::comet::wire::Decode;
use crate::comet::{ConsensusParamsInfo, ValidatorsInfo};
use crate::store::{ReadStore, StoreError};

/// Missing bases that are named; the rest is counted.
const NAMED_MAX: usize = 20;

/// What sparse records were seen to stand on.
#[derive(Default)]
pub(super) struct Bases {
    /// The base looked up last, and whether it is there: neighbours have the same one.
    last: Option<(Kind, u64, bool)>,
    /// By kind and missing base: the first and last height that stand on it, and how many do.
    missing: BTreeMap<(Kind, u64), (u64, u64, u64)>,
    /// Records whose missing base is not named.
    unnamed: u64,
}

impl Bases {
    /// Looks at a record; one of another kind, that is full, or that does not decode, is passed by.
    pub(super) fn look(
        &mut self,
        source: &dyn ReadStore,
        layout: Layout,
        kind: Kind,
        height: u64,
        value: &[u8],
    ) -> Result<(), StoreError> {
        let Some(base) = base_of(kind, height, value) else { return Ok(()) };
        let is_there = match self.last {
            Some((last_kind, last_base, is_there)) if (last_kind, last_base) == (kind, base) => is_there,
            _ => is_full(source, layout, kind, base)?,
        };
        self.last = Some((kind, base, is_there));
        if !is_there {
            self.note(kind, base, (height, height, 1));
        }
        Ok(())
    }

    /// Takes over what was seen in the stretch behind.
    pub(super) fn append(&mut self, next: Self) {
        self.unnamed += next.unnamed;
        next.missing.into_iter().for_each(|((kind, base), heights)| self.note(kind, base, heights));
    }

    fn note(&mut self, kind: Kind, base: u64, (first, last, count): (u64, u64, u64)) {
        if self.missing.len() >= NAMED_MAX && !self.missing.contains_key(&(kind, base)) {
            self.unnamed += count;
            return;
        }
        let own = self.missing.entry((kind, base)).or_insert((first, last, 0));
        *own = (own.0.min(first), own.1.max(last), own.2 + count);
    }

    /// A line for each missing base.
    pub(super) fn remarks(&self) -> Vec<String> {
        let line = |((kind, base), (first, last, count)): (&(Kind, u64), &(u64, u64, u64))| {
            let what = if *kind == Kind::Validators { "validators" } else { "parameters" };
            format!(
                "{count} records of {what}, heights {first} to {last}, stand on that of height {base}, which is not there: \
                 they stay as they are, and no node can tell the {what} of these heights"
            )
        };
        let mut lines: Vec<String> = self.missing.iter().map(line).collect();
        if self.unnamed > 0 {
            lines.push(format!("{} more records stand on records that are not there", self.unnamed));
        }
        lines
    }
}

/// The height whose record a sparse one stands on.
fn base_of(kind: Kind, height: u64, value: &[u8]) -> Option<u64> {
    match kind {
        Kind::Validators => {
            let info = ValidatorsInfo::decode(value).ok()?;
            info.validator_set.is_none().then(|| info.stored_at(height))
        }
        Kind::ConsensusParams => {
            let info = ConsensusParamsInfo::decode(value).ok()?;
            info.consensus_params.is_empty().then_some(info.last_height_changed)
        }
        _ => None,
    }
}

/// Whether the record of a height is there and full.
fn is_full(source: &dyn ReadStore, layout: Layout, kind: Kind, height: u64) -> Result<bool, StoreError> {
    let mut key = Vec::with_capacity(32);
    let record = match kind {
        Kind::Validators => StateKey::Validators { height },
        _ => StateKey::ConsensusParams { height },
    };
    record.encode(layout, &mut key);
    let Some(value) = source.get(&key)? else { return Ok(false) };
    // A base stands on itself: it is full exactly when it is not sparse.
    Ok(base_of(kind, height, &value).is_none())
}
