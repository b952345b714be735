//! A block in parts of 64 KiB, each with the proof that it is one (CometBFT, types/part_set.go): a function of the
//! block's bytes alone.

use bytes::Bytes;
use proofs::merkle::{Hash, MemoryTree, inclusion_path, leaf_hash};

use crate::own::limits::{DELIVERY_BYTES_MAX, PART_BYTES};
use crate::source::OfferedBlock;

use super::BlockHead;

/// The parts of a block.
#[derive(Clone, Debug)]
pub struct PartSet {
    block: Bytes,
    tree: MemoryTree,
    root: Hash,
}

impl PartSet {
    /// Cuts a block and hashes its parts.
    #[must_use]
    pub fn new(block: Bytes) -> Self {
        let tree: MemoryTree = block.chunks(PART_BYTES).map(leaf_hash).collect();
        let root = tree.root();
        Self { block, tree, root }
    }

    /// What a sender says of the block; `None` when it is empty or too large to be sent.
    #[must_use]
    pub fn head(&self, block: &OfferedBlock) -> Option<BlockHead> {
        let extended_commit_bytes = block.extended_commit.as_ref().map(Bytes::len);
        let delivery = self.block.len().checked_add(extended_commit_bytes.unwrap_or(0))?;
        let head = BlockHead {
            height: block.height,
            hash: block.hash,
            part_count: u32::try_from(self.tree.size()).ok()?,
            part_set_hash: self.root,
            block_bytes: self.block.len(),
            extended_commit_bytes,
        };
        (!self.block.is_empty() && delivery <= DELIVERY_BYTES_MAX).then_some(head)
    }

    /// A part and the hashes of its siblings up to the root; `None` beyond the last.
    #[must_use]
    pub fn part(&self, index: u32) -> Option<(Bytes, Vec<Hash>)> {
        let start = PART_BYTES.checked_mul(index as usize).filter(|start| *start < self.block.len())?;
        let end = self.block.len().min(start + PART_BYTES);
        let Ok(aunts) = inclusion_path(index.into(), self.tree.size(), &self.tree);
        Some((self.block.slice(start..end), aunts))
    }
}

#[cfg(test)]
mod tests {
    use proofs::merkle::Inclusion;

    use super::*;

    #[test]
    fn every_part_is_proven_against_the_root() {
        for length in [1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 5 * PART_BYTES + 7] {
            let block: Bytes = (0..length).map(|place| (place ^ (place >> 16)).to_le_bytes()[0]).collect();
            let set = PartSet::new(block.clone());
            let total = length.div_ceil(PART_BYTES) as u64;
            let mut joined = Vec::new();
            for index in 0..u32::try_from(total).expect("few") {
                let (bytes, aunts) = set.part(index).expect("a part");
                let claim = Inclusion { total, index: index.into(), leaf_hash: leaf_hash(&bytes), aunts: &aunts };
                claim.verify(&set.root).expect("proven");
                joined.extend_from_slice(&bytes);
            }
            assert_eq!(joined, block);
            assert!(set.part(u32::try_from(total).expect("few")).is_none());
            assert!(set.part(u32::MAX).is_none());
        }
    }
}
