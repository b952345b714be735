//! Checking that a tree only grew: consistency proofs (RFC 6962, section 2.1.2).

use super::inclusion::{Climb, path_length};
use super::{EMPTY_ROOT, Hash};

/// An unchecked claim that the first `old_size` leaves of a larger tree are those of an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consistency<'a> {
    /// Leaves of the older tree.
    pub old_size: u64,
    /// Leaves of the newer tree.
    pub new_size: u64,
    /// The proof, as RFC 6962 orders it.
    pub path: &'a [Hash],
}

/// Why a tree is not shown to have only grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsistencyError {
    /// The newer tree is smaller.
    #[error("the tree shrank from {old_size} leaves to {new_size}")]
    Shrinks {
        /// Leaves of the older tree.
        old_size: u64,
        /// Leaves of the newer tree.
        new_size: u64,
    },
    /// Hashes are missing or surplus.
    #[error("the proof from {old_size} to {new_size} leaves has {actual} hashes instead of {expected}")]
    PathLength {
        /// Leaves of the older tree.
        old_size: u64,
        /// Leaves of the newer tree.
        new_size: u64,
        /// Hashes of a proof between these sizes.
        expected: u32,
        /// Hashes given.
        actual: usize,
    },
    /// The proof does not lead to the older root: history was changed, or the proof is of other trees.
    #[error("the proof leads to the old root {actual}, expected {expected}",
        actual = hex::encode(.actual), expected = hex::encode(.expected))]
    OldRoot {
        /// The older root.
        expected: Hash,
        /// The root that was reached.
        actual: Hash,
    },
    /// The proof does not lead to the newer root.
    #[error("the proof leads to the new root {actual}, expected {expected}",
        actual = hex::encode(.actual), expected = hex::encode(.expected))]
    NewRoot {
        /// The newer root.
        expected: Hash,
        /// The root that was reached.
        actual: Hash,
    },
}

impl Consistency<'_> {
    /// Checks the claim against both roots. Trees of one size are consistent only if they are the same; the empty
    /// tree is consistent with every tree.
    ///
    /// # Errors
    /// [`ConsistencyError`].
    pub fn verify(&self, old_root: &Hash, new_root: &Hash) -> Result<(), ConsistencyError> {
        let Self { old_size, new_size, path } = *self;
        if old_size > new_size {
            return Err(ConsistencyError::Shrinks { old_size, new_size });
        }
        let expected = proof_length(old_size, new_size);
        if path.len() != expected as usize {
            return Err(ConsistencyError::PathLength { old_size, new_size, expected, actual: path.len() });
        }
        let (old, new) = if old_size == 0 {
            (EMPTY_ROOT, *new_root)
        } else if old_size == new_size {
            (*new_root, *new_root)
        } else {
            self.reached_roots(old_root)
        };
        if old != *old_root {
            return Err(ConsistencyError::OldRoot { expected: *old_root, actual: old });
        }
        if new != *new_root {
            return Err(ConsistencyError::NewRoot { expected: *new_root, actual: new });
        }
        Ok(())
    }

    /// The roots that the path leads to (RFC 9162, section 2.1.4.2); its length is right, `0 < old < new`.
    fn reached_roots(&self, old_root: &Hash) -> (Hash, Hash) {
        // The last perfect subtree of the older tree begins both climbs. Where it is the whole tree, the verifier
        // has its hash already.
        let (first, path) = match self.path.split_first() {
            Some((first, rest)) if !self.old_size.is_power_of_two() => (*first, rest),
            _ => (*old_root, self.path),
        };
        let (mut old, mut new) = (first, first);
        let height = self.old_size.trailing_zeros();
        let mut climb = Climb::new((self.old_size - 1) >> height, (self.new_size - 1) >> height);
        for sibling in path {
            let is_left = climb.sibling_is_left();
            if is_left {
                old = super::node_hash(sibling, &old);
                new = super::node_hash(sibling, &new);
            } else {
                // What stands to the right was not in the older tree.
                new = super::node_hash(&new, sibling);
            }
        }
        (old, new)
    }
}

/// Hashes of a proof from `old_size` to `new_size` leaves, where `old_size <= new_size`.
const fn proof_length(old_size: u64, new_size: u64) -> u32 {
    if old_size == 0 || old_size == new_size {
        return 0;
    }
    let height = old_size.trailing_zeros();
    let seed = if old_size.is_power_of_two() { 0 } else { 1 };
    seed + path_length(((new_size - 1) >> height) + 1, (old_size - 1) >> height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{MemoryTree, consistency_path, leaf_hash};

    fn tree(size: u64) -> MemoryTree {
        (0..size).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect()
    }

    fn path(old_size: u64, tree: &MemoryTree) -> Vec<Hash> {
        let Ok(path) = consistency_path(old_size, tree.size(), tree);
        path
    }

    #[test]
    fn every_small_tree_is_consistent_with_every_larger_one() {
        let trees: Vec<_> = (0..=70).map(tree).collect();
        for new in &trees {
            for old in &trees[..=usize::try_from(new.size()).expect("small")] {
                let path = path(old.size(), new);
                let claim = Consistency { old_size: old.size(), new_size: new.size(), path: &path };
                assert_eq!(claim.verify(&old.root(), &new.root()), Ok(()), "{} to {}", old.size(), new.size());
            }
        }
    }

    #[test]
    fn each_wrong_claim_has_its_reason() {
        let (old, new) = (tree(6), tree(11));
        let path = path(6, &new);
        let honest = Consistency { old_size: 6, new_size: 11, path: &path };
        let check = |claim: Consistency<'_>| claim.verify(&old.root(), &new.root()).expect_err("a wrong claim");

        let shrinks = Consistency { old_size: 11, new_size: 6, ..honest };
        assert_eq!(check(shrinks), ConsistencyError::Shrinks { old_size: 11, new_size: 6 });
        let expected = u32::try_from(path.len()).expect("short");
        let length = |actual| ConsistencyError::PathLength { old_size: 6, new_size: 11, expected, actual };
        assert_eq!(check(Consistency { path: &path[1..], ..honest }), length(path.len() - 1));
        let surplus = [&path[..], &path[..1]].concat();
        assert_eq!(check(Consistency { path: &surplus, ..honest }), length(path.len() + 1));
        for (first, second) in [(0, 1), (1, 2), (2, 3)] {
            let mut swapped = path.clone();
            swapped.swap(first, second);
            check(Consistency { path: &swapped, ..honest });
        }
        let other = [3; 32];
        let old_root = honest.verify(&other, &new.root());
        assert_eq!(old_root, Err(ConsistencyError::OldRoot { expected: other, actual: old.root() }));
        let new_root = honest.verify(&old.root(), &other);
        assert_eq!(new_root, Err(ConsistencyError::NewRoot { expected: other, actual: new.root() }));
    }

    #[test]
    fn trees_of_one_size_and_empty_trees_are_compared_by_root() {
        let same = Consistency { old_size: 5, new_size: 5, path: &[] };
        assert_eq!(same.verify(&tree(5).root(), &tree(5).root()), Ok(()));
        assert!(matches!(same.verify(&[1; 32], &tree(5).root()), Err(ConsistencyError::OldRoot { .. })));
        let grown = Consistency { old_size: 0, new_size: 5, path: &[] };
        assert_eq!(grown.verify(&EMPTY_ROOT, &tree(5).root()), Ok(()));
        assert!(matches!(grown.verify(&[1; 32], &tree(5).root()), Err(ConsistencyError::OldRoot { .. })));
    }

    #[test]
    fn a_power_of_two_is_held_to_the_root_that_is_known() {
        // Its proof has no seed, so the climb begins at the old root given; another one leads elsewhere.
        let (old, new) = (tree(8), tree(11));
        let path = path(8, &new);
        let claim = Consistency { old_size: 8, new_size: 11, path: &path };
        assert_eq!(claim.verify(&old.root(), &new.root()), Ok(()));
        assert!(matches!(claim.verify(&[1; 32], &new.root()), Err(ConsistencyError::NewRoot { .. })));
    }
}
