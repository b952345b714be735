//! The right edge of a growing tree: all that is needed to append, in O(log n) memory.
//!
//! One hash for each bit set in the size: the roots of the perfect subtrees that the leaves fill, largest
//! (leftmost) first. It is the compact range of transparency logs that begins at leaf 0.

use super::{EMPTY_ROOT, Hash, node_hash};

/// The roots of the perfect subtrees under the leaves appended so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    nodes: Vec<Hash>,
}

/// Why a frontier cannot be taken up or extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrontierError {
    /// A stored frontier has another number of hashes than its size has bits set.
    #[error("a frontier of {size} leaves has {expected} hashes, not {actual}")]
    Nodes {
        /// Leaves claimed.
        size: u64,
        /// Bits set in the size.
        expected: u32,
        /// Hashes given.
        actual: usize,
    },
    /// A subtree can be appended only where a subtree of its height begins.
    #[error("a subtree of 2^{level} leaves cannot begin at leaf {size}")]
    Misaligned {
        /// Leaves so far.
        size: u64,
        /// Height of the subtree.
        level: u32,
    },
    /// The tree would pass 2^64 - 1 leaves.
    #[error("a tree of {size} leaves cannot take 2^{level} more")]
    TooLarge {
        /// Leaves so far.
        size: u64,
        /// Height of the subtree.
        level: u32,
    },
}

impl Frontier {
    /// The frontier of the empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, nodes: Vec::new() }
    }

    /// Takes up a stored frontier: `nodes` as [`Frontier::nodes`] gave them.
    ///
    /// # Errors
    /// [`FrontierError::Nodes`] if their number does not fit `size`.
    pub fn from_parts(size: u64, nodes: Vec<Hash>) -> Result<Self, FrontierError> {
        let expected = size.count_ones();
        if nodes.len() != expected as usize {
            return Err(FrontierError::Nodes { size, expected, actual: nodes.len() });
        }
        Ok(Self { size, nodes })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The subtree roots, leftmost and largest first.
    #[must_use]
    pub fn nodes(&self) -> &[Hash] {
        &self.nodes
    }

    /// Appends a leaf, given by its leaf hash.
    ///
    /// # Panics
    /// After 2^64 - 1 leaves, which nobody can append one by one.
    pub fn push(&mut self, leaf: Hash) {
        self.push_subtree(0, leaf).expect("a leaf is aligned anywhere, and 2^64 leaves do not come one by one");
    }

    /// Appends a perfect subtree of `2^level` leaves, given by its root.
    ///
    /// # Errors
    /// [`FrontierError::Misaligned`] unless the size is a multiple of `2^level`, [`FrontierError::TooLarge`]
    /// when the size would not fit 64 bits. The frontier is then as before.
    pub fn push_subtree(&mut self, level: u32, root: Hash) -> Result<(), FrontierError> {
        let too_large = FrontierError::TooLarge { size: self.size, level };
        let leaves = 1_u64.checked_shl(level).ok_or(too_large)?;
        if !self.size.is_multiple_of(leaves) {
            return Err(FrontierError::Misaligned { size: self.size, level });
        }
        let size = self.size.checked_add(leaves).ok_or(too_large)?;
        let mut node = root;
        // Adding to the size carries through its lowest set bits; each carry joins two equal subtrees.
        for _ in 0..(self.size >> level).trailing_ones() {
            let left = self.nodes.pop().expect("one node for each bit set in the size");
            node = node_hash(&left, &node);
        }
        self.nodes.push(node);
        self.size = size;
        Ok(())
    }

    /// Appends the leaves of another tree.
    ///
    /// # Errors
    /// [`FrontierError::Misaligned`] unless the size is a multiple of the other tree's largest perfect subtree,
    /// [`FrontierError::TooLarge`] when the sum would not fit 64 bits. The frontier is then as before.
    pub fn append(&mut self, other: &Self) -> Result<(), FrontierError> {
        let Some(level) = other.size.checked_ilog2() else { return Ok(()) };
        if !self.size.is_multiple_of(1 << level) {
            return Err(FrontierError::Misaligned { size: self.size, level });
        }
        if self.size.checked_add(other.size).is_none() {
            return Err(FrontierError::TooLarge { size: self.size, level });
        }
        let mut rest = other.size;
        for node in &other.nodes {
            let level = rest.ilog2();
            rest &= !(1 << level);
            self.push_subtree(level, *node)?;
        }
        Ok(())
    }

    /// The root of all leaves so far; [`EMPTY_ROOT`] without any.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut nodes = self.nodes.iter().rev();
        let Some(last) = nodes.next() else {
            return EMPTY_ROOT;
        };
        nodes.fold(*last, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::leaf_hash;

    fn grown(size: u64) -> Frontier {
        let mut frontier = Frontier::new();
        (0..size).for_each(|leaf| frontier.push(leaf_hash(&leaf.to_be_bytes())));
        frontier
    }

    #[test]
    fn subtrees_give_the_root_of_their_leaves() {
        let mut by_subtrees = Frontier::new();
        for start in [0_u64, 16] {
            let mut segment = Frontier::new();
            (start..start + 16).for_each(|leaf| segment.push(leaf_hash(&leaf.to_be_bytes())));
            by_subtrees.push_subtree(4, segment.root()).expect("aligned");
        }
        (32..37_u64).for_each(|leaf| by_subtrees.push(leaf_hash(&leaf.to_be_bytes())));
        assert_eq!(by_subtrees, grown(37));
    }

    #[test]
    fn appended_trees_give_the_root_of_all_leaves() {
        let mut whole = grown(32);
        let mut other = Frontier::new();
        (32..55_u64).for_each(|leaf| other.push(leaf_hash(&leaf.to_be_bytes())));
        whole.append(&other).expect("16 leaves fit at 32");
        assert_eq!(whole, grown(55));
        whole.append(&Frontier::new()).expect("nothing fits anywhere");
        assert_eq!(whole, grown(55));
        assert_eq!(whole.append(&grown(2)), Err(FrontierError::Misaligned { size: 55, level: 1 }));
        assert_eq!(whole, grown(55));
    }

    #[test]
    fn a_misaligned_subtree_is_refused_and_changes_nothing() {
        let mut frontier = grown(3);
        assert_eq!(frontier.push_subtree(1, [0; 32]), Err(FrontierError::Misaligned { size: 3, level: 1 }));
        assert_eq!(frontier, grown(3));
    }

    #[test]
    fn sizes_past_64_bits_are_refused() {
        let mut full = Frontier::from_parts(u64::MAX, vec![[0; 32]; 64]).expect("64 bits set");
        assert_eq!(full.push_subtree(0, [0; 32]), Err(FrontierError::TooLarge { size: u64::MAX, level: 0 }));
        assert_eq!(Frontier::new().push_subtree(64, [0; 32]), Err(FrontierError::TooLarge { size: 0, level: 64 }));
    }

    #[test]
    fn a_stored_frontier_goes_on_where_it_was() {
        let stored = grown(13);
        let mut resumed = Frontier::from_parts(stored.size(), stored.nodes().to_vec()).expect("as stored");
        (13..20_u64).for_each(|leaf| resumed.push(leaf_hash(&leaf.to_be_bytes())));
        assert_eq!(resumed.root(), grown(20).root());
        assert_eq!(
            Frontier::from_parts(13, vec![[0; 32]; 4]),
            Err(FrontierError::Nodes { size: 13, expected: 3, actual: 4 })
        );
    }
}
