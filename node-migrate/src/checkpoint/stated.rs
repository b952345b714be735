//! What a receipt says of the last checkpoint signed: that the migrated store has it, or why nobody can say so.

use ledger_formats::store::ReadStore;
use proofs::checkpoint::{Checkpoint, LedgerOrigin};

use super::blocks::Blocks;
use super::error::ChainError;
use super::tree::ChainTree;
use crate::context::{Context, Interrupted};

/// A checkpoint held against a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stated {
    /// The store's heights give it.
    Head(Checkpoint),
    /// They give another root, or cannot be read: the text says which.
    Exception(String),
    /// The store lacks heights of it, as after pruning.
    NotChecked(String),
}

/// Holds `checkpoint` against the heights of the block store `store`, hashing all of them.
///
/// # Errors
/// [`Interrupted`].
pub fn stated(checkpoint: &Checkpoint, store: &dyn ReadStore, context: &Context<'_>) -> Result<Stated, Interrupted> {
    let text = |error: &ChainError| format!("checkpoint {} of {}: {error}", checkpoint.size(), checkpoint.origin());
    match head(checkpoint, store, context) {
        Ok(()) => Ok(Stated::Head(checkpoint.clone())),
        Err(ChainError::Interrupted(interrupted)) => Err(interrupted),
        Err(error @ (ChainError::Pruned { .. } | ChainError::Outside { .. })) => Ok(Stated::NotChecked(text(&error))),
        Err(error) => Ok(Stated::Exception(text(&error))),
    }
}

fn head(checkpoint: &Checkpoint, store: &dyn ReadStore, context: &Context<'_>) -> Result<(), ChainError> {
    let origin = LedgerOrigin::parse(checkpoint.origin())?;
    ChainTree::build(Blocks::open(store)?, origin.first_height(), context)?.expect_head(checkpoint)
}
