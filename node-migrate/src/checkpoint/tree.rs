//! The tree over the heights of a store: 32 bytes for each 2^16 heights in memory.
//!
//! The roots of whole segments are made once, on all threads of the caller's pool. What lies inside a
//! segment is read again when a proof needs it: an inclusion proof reads one segment and the last one.

use std::cell::RefCell;
use std::sync::Arc;

use proofs::checkpoint::{Checkpoint, LedgerOrigin};
use proofs::merkle::{
    Frontier, Hash, MemoryTree, Nodes, SEGMENT_LEAVES, consistency_path, inclusion_path, leaf_hash, root_of_hashes,
    subtree_root,
};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::blocks::Blocks;
use super::error::ChainError;
use super::leaves::Leaves;
use crate::context::Context;

const SEGMENT_LEVEL: u32 = SEGMENT_LEAVES.trailing_zeros();

/// Segments kept whole, 4 MiB each: that of the leaf, and the last one.
const KEPT_SEGMENTS: usize = 2;

/// Leaves between two looks at the wish to stop.
const LEAVES_BETWEEN_LOOKS: u64 = 8_192;

/// The tree of the heights from a first one to the tip of a store.
pub struct ChainTree<'a> {
    pub(super) blocks: Blocks<'a>,
    context: &'a Context<'a>,
    first: u64,
    size: u64,
    /// Roots of the whole segments.
    segments: Vec<Hash>,
    kept: RefCell<Vec<(u64, Arc<MemoryTree>)>>,
}

impl<'a> ChainTree<'a> {
    /// Makes the tree that begins at height `first`, with the threads of the rayon pool that the caller is in.
    ///
    /// # Errors
    /// [`ChainError`]: the first of the lowest segment that has one.
    pub fn build(blocks: Blocks<'a>, first: u64, context: &'a Context<'a>) -> Result<Self, ChainError> {
        let size = blocks.leaves_from(first)?;
        let mut tree = Self { blocks, context, first, size, segments: Vec::new(), kept: RefCell::default() };
        let whole = 0..size / SEGMENT_LEAVES;
        context.listener.begin("hashing heights", 0);
        let roots: Vec<Result<Hash, ChainError>> =
            whole.into_par_iter().map(|segment| segment_root(blocks, first, segment, context)).collect();
        tree.segments = roots.into_iter().collect::<Result<_, _>>()?;
        context.listener.end();
        Ok(tree)
    }

    /// Height of the first leaf.
    #[must_use]
    pub const fn first_height(&self) -> u64 {
        self.first
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over the first `size` leaves.
    ///
    /// # Errors
    /// [`ChainError::Outside`] if the tree has fewer, or when the store cannot be read.
    pub fn root(&self, size: u64) -> Result<Hash, ChainError> {
        if size > self.size {
            return Err(self.blocks.outside(format!("a tree of {size} heights from {} is asked for", self.first)));
        }
        subtree_root(0, size, self)
    }

    /// Checks that `checkpoint` is a head of this tree.
    ///
    /// # Errors
    /// [`ChainError::Origin`], [`ChainError::Outside`] or [`ChainError::OtherRoot`].
    pub fn expect_head(&self, checkpoint: &Checkpoint) -> Result<(), ChainError> {
        let origin = LedgerOrigin::parse(checkpoint.origin())?;
        if origin.first_height() != self.first {
            return Err(self
                .blocks
                .outside(format!("the checkpoint's tree begins at height {}", origin.first_height())));
        }
        let actual = self.root(checkpoint.size())?;
        if actual == *checkpoint.root() {
            return Ok(());
        }
        Err(ChainError::OtherRoot { checkpoint: Box::new(checkpoint.clone()), actual })
    }

    /// The audit path of the leaf at `index` in the tree of the first `size` leaves.
    ///
    /// # Errors
    /// [`ChainError::Outside`], or when the store cannot be read.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, ChainError> {
        if index >= size || size > self.size {
            return Err(self.blocks.outside(format!("leaf {index} of {size} from height {} is asked for", self.first)));
        }
        inclusion_path(index, size, self)
    }

    /// The proof that the first `old` leaves grew into the first `new`.
    ///
    /// # Errors
    /// [`ChainError::Outside`], or when the store cannot be read.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, ChainError> {
        if new > self.size {
            return Err(self.blocks.outside(format!("a tree of {new} heights from {} is asked for", self.first)));
        }
        consistency_path(old, new, self)
    }

    /// The leaves from `index` to before `end`.
    ///
    /// # Errors
    /// As [`Blocks::leaves`].
    pub fn leaves(&self, index: u64, end: u64) -> Result<Leaves<'a>, ChainError> {
        self.blocks.leaves(self.first.saturating_add(index), end.saturating_sub(index))
    }

    fn segment(&self, segment: u64) -> Result<Arc<MemoryTree>, ChainError> {
        if let Some((_, tree)) = self.kept.borrow().iter().find(|(kept, _)| *kept == segment) {
            return Ok(Arc::clone(tree));
        }
        let start = segment * SEGMENT_LEAVES;
        let leaves = self.leaves(start, self.size.min(start + SEGMENT_LEAVES))?;
        let tree: MemoryTree =
            leaves.map(|leaf| leaf.map(|leaf| leaf_hash(&leaf))).collect::<Result<_, ChainError>>()?;
        let (tree, mut kept) = (Arc::new(tree), self.kept.borrow_mut());
        self.context.go_on()?;
        if kept.len() == KEPT_SEGMENTS {
            kept.remove(0);
        }
        kept.push((segment, Arc::clone(&tree)));
        Ok(tree)
    }
}

/// The root of a whole segment.
fn segment_root(blocks: Blocks<'_>, first: u64, segment: u64, context: &Context<'_>) -> Result<Hash, ChainError> {
    let mut frontier = Frontier::new();
    for leaf in blocks.leaves(first.saturating_add(segment * SEGMENT_LEAVES), SEGMENT_LEAVES)? {
        let leaf = leaf?;
        frontier.push(leaf_hash(&leaf));
        if frontier.size().is_multiple_of(LEAVES_BETWEEN_LOOKS) {
            context.go_on()?;
            context.listener.advance(LEAVES_BETWEEN_LOOKS * leaf.len() as u64, LEAVES_BETWEEN_LOOKS);
        }
    }
    Ok(frontier.root())
}

impl Nodes for ChainTree<'_> {
    type Error = ChainError;

    fn node(&self, level: u32, place: u64) -> Result<Hash, ChainError> {
        let Some(above) = level.checked_sub(SEGMENT_LEVEL) else {
            let inner = SEGMENT_LEVEL - level;
            let Ok(hash) = self.segment(place >> inner)?.node(level, place & ((1 << inner) - 1));
            return Ok(hash);
        };
        let roots =
            usize::try_from(place << above).ok().and_then(|start| self.segments.get(start..start + (1 << above)));
        let roots = roots.ok_or_else(|| self.blocks.outside(format!("node {place} of level {level} is asked for")))?;
        Ok(root_of_hashes(&mut roots.to_vec()))
    }
}
