//! Which heights of a block store are not what the chain signed, and which keys cannot be read.

use std::collections::BTreeMap;

use ledger_formats::comet::StoredBlock;
use ledger_formats::comet::key::BlockKey;
use ledger_formats::patched::LostRange;
use ledger_formats::store::{KeyRange, ReadStore, StoreError};
use rayon::prelude::*;

use super::MendError;
use crate::blocks::{Chain, Unproven};
use crate::context::Context;

/// What is wrong with a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Heights whose rows are missing, changed or not signed, with what is wrong.
    pub heights: BTreeMap<u64, String>,
    /// Ranges of keys that cannot be read.
    pub lost: Vec<LostRange>,
}

/// Looks at every height, and reads every row once.
pub(super) fn find(chain: &Chain<'_>, blocks: &dyn ReadStore, context: &Context<'_>) -> Result<Damage, MendError> {
    context.listener.begin("repair: looking for damage", blocks.stats().disk_bytes);
    let lost = lost_ranges(blocks, context)?;
    let found: Result<Vec<Option<(u64, String)>>, MendError> = (chain.base()..chain.tip().saturating_add(1))
        .into_par_iter()
        .map(|height| {
            context.go_on()?;
            look(chain, height, &lost)
        })
        .collect();
    context.listener.end();
    Ok(Damage { heights: found?.into_iter().flatten().collect(), lost })
}

/// Reads the store from front to back and notes where that is not possible.
fn lost_ranges(blocks: &dyn ReadStore, context: &Context<'_>) -> Result<Vec<LostRange>, MendError> {
    const ROWS_BETWEEN_REPORTS: u64 = 4096;
    let mut lost = Vec::new();
    let mut cursor = blocks.scan(&KeyRange::all())?;
    let (mut rows, mut bytes) = (0, 0);
    loop {
        match cursor.next() {
            Ok(Some((key, value))) => {
                rows += 1;
                bytes += (key.len() + value.len()) as u64;
            }
            Ok(None) => break,
            Err(StoreError::Corrupt(damage)) => match damage.range.clone() {
                Some(range) => lost.push(range),
                None => return Err(StoreError::Corrupt(damage).into()),
            },
            Err(error) => return Err(error.into()),
        }
        if rows == ROWS_BETWEEN_REPORTS {
            context.listener.advance(bytes, rows);
            (rows, bytes) = (0, 0);
            context.go_on()?;
        }
    }
    context.listener.advance(bytes, rows);
    Ok(lost)
}

/// What is wrong with the rows of a height, if anything, and which height it hurts: the commit in a block is a row of
/// the height below.
pub(super) fn look(chain: &Chain<'_>, height: u64, lost: &[LostRange]) -> Result<Option<(u64, String)>, MendError> {
    let proven = match chain.block(height) {
        Ok(proven) => proven,
        // Not a fault of this height: without validators nothing can be proven, whoever brings it.
        Err(error @ (Unproven::Validators { .. } | Unproven::NoValidators { .. })) => return Err(error.into()),
        Err(Unproven::Store { source, .. }) if !matches!(source, StoreError::Corrupt(_)) => return Err(source.into()),
        Err(error) => return Ok(Some((height, error.to_string()))),
    };
    let stored = StoredBlock::new(&proven.bytes).expect("a proven block is a block");
    for (key, expected) in stored.rows() {
        // What the block says of the height below the lowest one need not be kept.
        let of = key.height().unwrap_or(height);
        let is_kept = of >= chain.base();
        match chain.row(&key) {
            Ok(Some(value)) if value == expected => {}
            Ok(_) if !is_kept => {}
            Ok(None) => return Ok(Some((of, format!("height {of} has no {}", name(&key))))),
            Ok(Some(_)) => return Ok(Some((of, format!("{} of height {of} is not the block's", name(&key))))),
            Err(StoreError::Corrupt(_)) if !is_kept => {}
            Err(StoreError::Corrupt(damage)) => return Ok(Some((of, damage.to_string()))),
            Err(error) => return Err(error.into()),
        }
    }
    let key = BlockKey::SeenCommit { height };
    match chain.row(&key) {
        Ok(Some(_)) if chain.seen_commit(height, &proven.id).is_none() => {
            Ok(Some((height, "the seen commit does not prove the block".to_owned())))
        }
        Ok(None) if chain.is_within(&key, lost) => Ok(Some((height, "the seen commit cannot be read".to_owned()))),
        Ok(_) => Ok(None),
        Err(StoreError::Corrupt(damage)) => Ok(Some((height, damage.to_string()))),
        Err(error) => Err(error.into()),
    }
}

/// A row that follows from its block, in words.
const fn name(key: &BlockKey) -> &'static str {
    match key {
        BlockKey::Meta { .. } => "block meta",
        BlockKey::Part { .. } => "block part",
        BlockKey::Commit { .. } => "commit",
        _ => "entry of the block hash",
    }
}
