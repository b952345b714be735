//! What binds the last leaf of a tree.
//!
//! A header's hash does not cover the parts of its own block: these are named by the header above, and at the tip of a
//! store by the commit that the node saw. A tree is signed only if one of them names its last block as its meta does;
//! otherwise damage in that meta would be signed, and no honest tree could follow.

use ledger_formats::comet::key::BlockKey;
use ledger_formats::comet::{BlockMeta, Commit, Decode};
use proofs::checkpoint::Leaf;
use proofs::commit::BlockId;

use super::blocks::Blocks;
use super::error::ChainError;
use super::tree::ChainTree;

impl ChainTree<'_> {
    /// Checks that the last of the first `size` leaves is what the height above, or the commit seen, names.
    ///
    /// # Errors
    /// [`ChainError::Unbound`], [`ChainError::NoCommit`], or when the store cannot be read.
    pub fn expect_bound(&self, size: u64) -> Result<(), ChainError> {
        let Some(index) = size.checked_sub(1) else { return Ok(()) };
        self.leaves(index, size)?.try_for_each(|bytes| self.blocks.expect_bound(&Leaf::from_bytes(&bytes?)?))
    }
}

impl Blocks<'_> {
    fn expect_bound(&self, leaf: &Leaf) -> Result<(), ChainError> {
        let Leaf { height, block } = *leaf;
        let (above, named) = if height < self.tip() {
            (BlockKey::Meta { height: height + 1 }, self.last_block(height + 1)?)
        } else {
            (BlockKey::SeenCommit { height }, self.seen_block(height)?)
        };
        if named == Some(block) { Ok(()) } else { Err(ChainError::Unbound { height, above }) }
    }

    /// The block that the header of `height` names as the one below.
    fn last_block(&self, height: u64) -> Result<Option<BlockId>, ChainError> {
        let value = self.get(&BlockKey::Meta { height })?.ok_or_else(|| self.missing(height))?;
        let meta = BlockMeta::decode(&value).map_err(|source| ChainError::Meta { height, source })?;
        Ok(meta.header.last_block_id.to_proof())
    }

    /// The block that the commit seen for `height` is for.
    fn seen_block(&self, height: u64) -> Result<Option<BlockId>, ChainError> {
        let value = self.get(&BlockKey::SeenCommit { height })?.ok_or(ChainError::NoCommit { height })?;
        let commit = Commit::decode(&value).map_err(|source| ChainError::Commit { height, source })?;
        Ok(commit.block_id.to_proof().filter(|_| commit.height == height))
    }
}
