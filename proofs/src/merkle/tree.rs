//! A tree with all its nodes in memory: 64 bytes a leaf, proofs in about a microsecond.

use std::convert::Infallible;

use super::{Hash, Nodes, node_hash, subtree_root};

/// All perfect subtrees of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryTree {
    /// By height; the first has the leaves.
    levels: Vec<Vec<Hash>>,
}

impl MemoryTree {
    /// Appends a leaf, given by its leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(node);
            let [.., left, right] = nodes.as_slice() else { return };
            if nodes.len() % 2 == 1 {
                return;
            }
            node = node_hash(left, right);
        }
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Root over all leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        let Ok(root) = subtree_root(0, self.size(), self);
        root
    }
}

impl FromIterator<Hash> for MemoryTree {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut tree = Self::default();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}

impl Nodes for MemoryTree {
    type Error = Infallible;

    /// # Panics
    /// For a subtree that is not within the tree, which [`Nodes`] rules out.
    fn node(&self, level: u32, place: u64) -> Result<Hash, Infallible> {
        let place = usize::try_from(place).expect("a tree in memory has fewer nodes than addresses");
        Ok(self.levels[level as usize][place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{Inclusion, inclusion_path, leaf_hash, root_of_hashes};

    #[test]
    fn roots_and_paths_hold_at_every_size() {
        let mut tree = MemoryTree::default();
        let mut leaves = Vec::new();
        for total in 1..=130_u64 {
            leaves.push(leaf_hash(&total.to_be_bytes()));
            tree.push(leaf_hash(&total.to_be_bytes()));
            let root = root_of_hashes(&mut leaves.clone());
            assert_eq!((tree.size(), tree.root()), (total, root));
            for (index, leaf_hash) in (0..).zip(&leaves) {
                let Ok(aunts) = inclusion_path(index, total, &tree);
                let claim = Inclusion { total, index, leaf_hash: *leaf_hash, aunts: &aunts };
                assert_eq!(claim.verify(&root), Ok(()), "{index} of {total}");
            }
        }
    }

    #[test]
    fn proofs_for_smaller_sizes_come_from_the_larger_tree() {
        let leaves: Vec<Hash> = (0..100_u64).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
        let whole: MemoryTree = leaves.iter().copied().collect();
        for size in 1..=100_u64 {
            let part: MemoryTree = leaves[..usize::try_from(size).expect("small")].iter().copied().collect();
            for index in 0..size {
                assert_eq!(inclusion_path(index, size, &whole), inclusion_path(index, size, &part));
            }
        }
    }

    #[test]
    fn places_outside_the_tree_have_no_path() {
        let tree: MemoryTree = [leaf_hash(b"a")].into_iter().collect();
        assert_eq!(inclusion_path(1, 1, &tree), Ok(Vec::new()));
        assert_eq!(MemoryTree::default().root(), crate::merkle::EMPTY_ROOT);
    }
}
