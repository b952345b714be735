//! Whether two sides name the same set of (block hash, height) pairs, without reading one side in the order of the other.
//!
//! Each side adds up, modulo 2^256, the SHA-256 of `hash ‖ height u64be` of each pair; order does not matter. It finds
//! damage, and stands in for one random read a block; a side that was forged on purpose is found by the commitments.

use proofs::merkle::Hash;
use sha2::{Digest, Sha256};

/// A sum over pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::verify) struct IndexSum {
    /// Number of pairs.
    pub pairs: u64,
    limbs: [u64; 4],
}

impl IndexSum {
    /// Adds a pair.
    pub(in crate::verify) fn add(&mut self, hash: &Hash, height: u64) {
        let mut pair = [0; 40];
        pair[..32].copy_from_slice(hash);
        pair[32..].copy_from_slice(&height.to_be_bytes());
        let digest: Hash = Sha256::digest(pair).into();
        let (limbs, _) = digest.as_chunks::<8>();
        let mut other = Self { pairs: 1, limbs: [0; 4] };
        other.limbs.iter_mut().zip(limbs).for_each(|(limb, bytes)| *limb = u64::from_le_bytes(*bytes));
        self.merge(&other);
    }

    /// Adds the pairs of another sum.
    pub(in crate::verify) fn merge(&mut self, other: &Self) {
        self.pairs += other.pairs;
        let mut carry = false;
        for (limb, more) in self.limbs.iter_mut().zip(other.limbs) {
            let (sum, over) = limb.overflowing_add(more);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, over || over_again);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_grouping_do_not_matter_and_every_pair_does() {
        let pairs: Vec<(Hash, u64)> =
            (0..50).map(|height| ([u8::try_from(height).expect("small"); 32], height)).collect();
        let sum = |pairs: &mut dyn Iterator<Item = &(Hash, u64)>| {
            let mut sum = IndexSum::default();
            pairs.for_each(|(hash, height)| sum.add(hash, *height));
            sum
        };
        let all = sum(&mut pairs.iter());
        assert_eq!(all, sum(&mut pairs.iter().rev()));
        let mut halves = sum(&mut pairs[..20].iter());
        halves.merge(&sum(&mut pairs[20..].iter()));
        assert_eq!(all, halves);
        let mut changed = pairs.clone();
        changed[7].1 = 8;
        assert_ne!(all, sum(&mut changed.iter()));
        assert_ne!(all, sum(&mut pairs[1..].iter()));
    }

    #[test]
    fn a_carry_goes_through_all_limbs() {
        let mut sum = IndexSum { pairs: 1, limbs: [u64::MAX; 4] };
        sum.merge(&IndexSum { pairs: 1, limbs: [1, 0, 0, 0] });
        assert_eq!(sum, IndexSum { pairs: 2, limbs: [0; 4] });
    }
}
