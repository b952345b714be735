//! Checking that a leaf is in a tree: audit paths (RFC 6962, section 2.1.1), which are CometBFT's `Proof`
//! (`crypto/merkle/proof.go`: total, index, leaf hash, aunts from the leaf to the root).

use super::{Hash, leaf_hash, node_hash};

/// An unchecked claim that a leaf stands at `index` among `total` leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion<'a> {
    /// Leaves in the tree.
    pub total: u64,
    /// Place of the leaf, from 0.
    pub index: u64,
    /// Hash of the leaf, as [`leaf_hash`] makes it.
    pub leaf_hash: Hash,
    /// Hashes of the siblings, from the leaf to the root.
    pub aunts: &'a [Hash],
}

/// Why a leaf is not shown to be in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InclusionError {
    /// The index is not below the total; with total 0, no index is.
    #[error("index {index} is outside a tree of {total} leaves")]
    OutOfRange {
        /// The index claimed.
        index: u64,
        /// The leaves claimed.
        total: u64,
    },
    /// Hashes are missing or surplus.
    #[error("the path from leaf {index} of {total} has {actual} hashes instead of {expected}")]
    PathLength {
        /// The index claimed.
        index: u64,
        /// The leaves claimed.
        total: u64,
        /// Hashes on the path from that place.
        expected: u32,
        /// Hashes given.
        actual: usize,
    },
    /// The data is not what the proof is about.
    #[error("leaf hash is {actual}, expected {expected}", actual = hex::encode(.actual), expected = hex::encode(.expected))]
    Leaf {
        /// The hash in the proof.
        expected: Hash,
        /// The hash of the data.
        actual: Hash,
    },
    /// The path leads to another root: another tree, place or leaf.
    #[error("the path leads to root {actual}, expected {expected}", actual = hex::encode(.actual), expected = hex::encode(.expected))]
    Root {
        /// The root that should have been reached.
        expected: Hash,
        /// The root that was reached.
        actual: Hash,
    },
}

impl Inclusion<'_> {
    /// Checks the claim against the root of the tree.
    ///
    /// # Errors
    /// [`InclusionError::OutOfRange`], [`InclusionError::PathLength`] or [`InclusionError::Root`].
    pub fn verify(&self, root: &Hash) -> Result<(), InclusionError> {
        let actual = root_from_path(self.total, self.index, self.leaf_hash, self.aunts)?;
        if actual == *root { Ok(()) } else { Err(InclusionError::Root { expected: *root, actual }) }
    }

    /// Checks that `leaf` is the data the claim is about, then the claim.
    ///
    /// # Errors
    /// [`InclusionError::Leaf`], or as [`Inclusion::verify`].
    pub fn verify_leaf(&self, root: &Hash, leaf: &[u8]) -> Result<(), InclusionError> {
        let actual = leaf_hash(leaf);
        if actual != self.leaf_hash {
            return Err(InclusionError::Leaf { expected: self.leaf_hash, actual });
        }
        self.verify(root)
    }
}

/// The root that `aunts` lead to from the leaf at `index` of `total` (RFC 9162, section 2.1.3.2).
///
/// # Errors
/// [`InclusionError::OutOfRange`] or [`InclusionError::PathLength`], before anything is hashed.
pub fn root_from_path(total: u64, index: u64, leaf: Hash, aunts: &[Hash]) -> Result<Hash, InclusionError> {
    if index >= total {
        return Err(InclusionError::OutOfRange { index, total });
    }
    let expected = path_length(total, index);
    if aunts.len() != expected as usize {
        return Err(InclusionError::PathLength { index, total, expected, actual: aunts.len() });
    }
    let mut climb = Climb::new(index, total - 1);
    let up = |hash, aunt| if climb.sibling_is_left() { node_hash(aunt, &hash) } else { node_hash(&hash, aunt) };
    Ok(aunts.iter().fold(leaf, up))
}

/// The way from a node to the root, sibling by sibling.
pub(super) struct Climb {
    place: u64,
    last: u64,
}

impl Climb {
    /// From the node at `place` of a level whose last node is at `last`; `place <= last`.
    pub(super) const fn new(place: u64, last: u64) -> Self {
        Self { place, last }
    }

    /// Goes one sibling up, and says whether that stands to the left.
    pub(super) const fn sibling_is_left(&mut self) -> bool {
        // The last node of a level, where it is a left one, has no sibling: it moves up until it has.
        while self.place == self.last && self.place.is_multiple_of(2) && self.place > 0 {
            self.up();
        }
        let is_left = !self.place.is_multiple_of(2);
        self.up();
        is_left
    }

    const fn up(&mut self) {
        self.place /= 2;
        self.last /= 2;
    }
}

/// Hashes on the path from the leaf at `index` to the root of `total` leaves; `index < total`.
pub(super) const fn path_length(total: u64, index: u64) -> u32 {
    // Up to where the paths of this leaf and of the last one meet, every level has a sibling; above that the
    // leaf's subtree is the last of its level, with a (left) sibling only where its number is odd.
    let meeting = u64::BITS - (index ^ (total - 1)).leading_zeros();
    let above = match index.checked_shr(meeting) {
        Some(place) => place.count_ones(),
        None => 0,
    };
    meeting + above
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::root_of_hashes;

    fn leaves(total: u64) -> Vec<Hash> {
        (0..total).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect()
    }

    /// The audit path as RFC 6962, section 2.1.1, defines it, by recursion.
    fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let split = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(split);
        let (mut path, sibling) =
            if index < split { (path(index, left), right) } else { (path(index - split, right), left) };
        path.push(root_of_hashes(&mut sibling.to_vec()));
        path
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proven_by_its_path() {
        for total in 1..130_u64 {
            let leaves = leaves(total);
            let root = root_of_hashes(&mut leaves.clone());
            for (index, leaf_hash) in (0_u64..).zip(&leaves) {
                let aunts = path(usize::try_from(index).expect("small"), &leaves);
                let claim = Inclusion { total, index, leaf_hash: *leaf_hash, aunts: &aunts };
                assert_eq!(claim.verify(&root), Ok(()), "{index} of {total}");
                assert_eq!(claim.verify_leaf(&root, &index.to_be_bytes()), Ok(()));
            }
        }
    }

    #[test]
    fn each_wrong_claim_has_its_reason() {
        let leaves = leaves(7);
        let root = root_of_hashes(&mut leaves.clone());
        let aunts = path(5, &leaves);
        let honest = Inclusion { total: 7, index: 5, leaf_hash: leaves[5], aunts: &aunts };
        let check = |claim: Inclusion<'_>| claim.verify(&root).expect_err("a wrong claim");

        assert_eq!(check(Inclusion { index: 7, ..honest }), InclusionError::OutOfRange { index: 7, total: 7 });
        assert_eq!(check(Inclusion { total: 0, ..honest }), InclusionError::OutOfRange { index: 5, total: 0 });
        let length = |actual| InclusionError::PathLength { index: 5, total: 7, expected: 3, actual };
        assert_eq!(check(Inclusion { aunts: &aunts[..2], ..honest }), length(2));
        assert_eq!(check(Inclusion { aunts: &[&aunts[..], &aunts[..1]].concat(), ..honest }), length(4));
        for claim in [
            Inclusion { index: 4, ..honest },
            Inclusion { leaf_hash: leaves[4], ..honest },
            Inclusion { aunts: &[aunts[1], aunts[0], aunts[2]], ..honest },
            Inclusion { aunts: &[aunts[0], aunts[0], aunts[2]], ..honest },
        ] {
            assert!(matches!(check(claim), InclusionError::Root { expected, .. } if expected == root));
        }
        assert!(matches!(honest.verify_leaf(&root, b"other"), Err(InclusionError::Leaf { .. })));
    }

    #[test]
    fn the_largest_tree_does_not_overflow() {
        assert_eq!(path_length(u64::MAX, 0), 64);
        assert_eq!(path_length(1, 0), 0);
        let aunts = [[0; 32]; 64];
        assert!(root_from_path(u64::MAX, 0, [0; 32], &aunts).is_ok());
        assert!(root_from_path(u64::MAX, u64::MAX - 1, [0; 32], &aunts[..63]).is_ok());
    }
}
