//! The leaf that stands for a height of a chain, and the name of the tree of such leaves.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | height, big-endian |
//! | 8 | 32 | block hash: the hash of the header |
//! | 40 | 4 | number of parts, big-endian |
//! | 44 | 32 | part-set hash |
//!
//! Leaf `i` is height `first + i`. All of it is in the block id that the validators of the height signed, so
//! anybody can make the leaves from any node's data, or from its public RPC.

use crate::commit::BlockId;
use crate::encoding::decimal;
use crate::note::is_key_name;

/// Bytes of a leaf.
pub const LEAF_BYTES: usize = 76;

/// What one height adds to the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The height.
    pub height: u64,
    /// The block that was decided.
    pub block: BlockId,
}

/// Names the tree of a chain's heights: `<prefix>/blocks-v1/<first height>`.
///
/// The first height is in the name because a pruned store begins later: its tree is another one, and must never
/// pass for an inconsistent version of the whole one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerOrigin {
    prefix: String,
    first_height: u64,
}

/// Why something is not a leaf, or not the leaf of its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeafError {
    /// Not 76 bytes.
    #[error("leaf has {actual} bytes instead of {LEAF_BYTES}")]
    Length {
        /// Bytes given.
        actual: usize,
    },
    /// The name of the tree is not `<prefix>/blocks-v1/<first height>`.
    #[error("{origin:?} does not name a tree of heights: <prefix>/blocks-v1/<first height>")]
    Origin {
        /// The name.
        origin: String,
    },
    /// The leaf is of another height than its place says.
    #[error("leaf {index} is of height {actual}, expected {expected}")]
    Height {
        /// Place of the leaf.
        index: u64,
        /// The height of that place.
        expected: u128,
        /// The height in the leaf.
        actual: u64,
    },
}

impl Leaf {
    /// The bytes that are hashed.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; LEAF_BYTES] {
        let mut bytes = [0; LEAF_BYTES];
        bytes[..8].copy_from_slice(&self.height.to_be_bytes());
        bytes[8..40].copy_from_slice(&self.block.hash);
        bytes[40..44].copy_from_slice(&self.block.part_count.to_be_bytes());
        bytes[44..].copy_from_slice(&self.block.part_set_hash);
        bytes
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// [`LeafError::Length`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LeafError> {
        let length = LeafError::Length { actual: bytes.len() };
        let parts = bytes.split_first_chunk::<8>().and_then(|(height, rest)| {
            let (hash, rest) = rest.split_first_chunk::<32>()?;
            let (part_count, part_set_hash) = rest.split_first_chunk::<4>()?;
            Some((height, hash, part_count, part_set_hash.try_into().ok()?))
        });
        let (height, hash, part_count, part_set_hash) = parts.ok_or(length)?;
        let block = BlockId { hash: *hash, part_count: u32::from_be_bytes(*part_count), part_set_hash };
        Ok(Self { height: u64::from_be_bytes(*height), block })
    }
}

impl LedgerOrigin {
    /// Names the tree of the heights from `first_height`. `prefix` names the chain and who publishes it, such as
    /// `example.org/ledger-7`.
    ///
    /// # Errors
    /// [`LeafError::Origin`] if `prefix` is empty or has spaces, control characters or plus signs.
    pub fn new(prefix: &str, first_height: u64) -> Result<Self, LeafError> {
        if !is_key_name(prefix) {
            return Err(LeafError::Origin { origin: prefix.to_owned() });
        }
        Ok(Self { prefix: prefix.to_owned(), first_height })
    }

    /// Reads the origin of a checkpoint.
    ///
    /// # Errors
    /// [`LeafError::Origin`].
    pub fn parse(origin: &str) -> Result<Self, LeafError> {
        let parts = origin.rsplit_once("/blocks-v1/").and_then(|(prefix, first)| Some((prefix, decimal(first).ok()?)));
        let (prefix, first_height) = parts.ok_or_else(|| LeafError::Origin { origin: origin.to_owned() })?;
        Self::new(prefix, first_height)
    }

    /// The height of leaf 0.
    #[must_use]
    pub const fn first_height(&self) -> u64 {
        self.first_height
    }

    /// The place of a height, if the tree begins at or below it.
    #[must_use]
    pub const fn index(&self, height: u64) -> Option<u64> {
        height.checked_sub(self.first_height)
    }

    /// Checks that `leaf` is of the height that stands at `index`.
    ///
    /// # Errors
    /// [`LeafError::Height`].
    pub fn expect_at(&self, index: u64, leaf: &Leaf) -> Result<(), LeafError> {
        let expected = u128::from(self.first_height) + u128::from(index);
        if expected == u128::from(leaf.height) {
            return Ok(());
        }
        Err(LeafError::Height { index, expected, actual: leaf.height })
    }
}

impl std::fmt::Display for LedgerOrigin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/blocks-v1/{}", self.prefix, self.first_height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAF: Leaf =
        Leaf { height: 0x0102, block: BlockId { hash: [0xaa; 32], part_count: 0x0304, part_set_hash: [0xbb; 32] } };

    #[test]
    fn a_leaf_is_spelled_field_by_field() {
        let expected = ["0000000000000102", &"aa".repeat(32), "00000304", &"bb".repeat(32)].concat();
        assert_eq!(hex::encode(LEAF.to_bytes()), expected);
        assert_eq!(Leaf::from_bytes(&LEAF.to_bytes()), Ok(LEAF));
    }

    #[test]
    fn other_lengths_are_refused() {
        for actual in [0, 7, 75, 77] {
            assert_eq!(Leaf::from_bytes(&vec![1; actual]), Err(LeafError::Length { actual }));
        }
    }

    #[test]
    fn an_origin_says_the_height_of_each_place() {
        let origin = LedgerOrigin::parse("example.org/ledger-7/blocks-v1/250").expect("an origin");
        assert_eq!(origin, LedgerOrigin::new("example.org/ledger-7", 250).expect("a prefix"));
        assert_eq!(origin.to_string(), "example.org/ledger-7/blocks-v1/250");
        assert_eq!((origin.index(258), origin.index(249)), (Some(8), None));
        assert_eq!(origin.expect_at(8, &LEAF), Ok(()));
        assert_eq!(origin.expect_at(9, &LEAF), Err(LeafError::Height { index: 9, expected: 259, actual: 258 }));
        assert!(origin.expect_at(u64::MAX, &LEAF).is_err());
    }

    #[test]
    fn other_origins_are_refused() {
        for origin in
            ["", "example.org", "/blocks-v1/1", "example.org/blocks-v1/01", "a b/blocks-v1/1", "a/blocks-v2/1"]
        {
            assert!(matches!(LedgerOrigin::parse(origin), Err(LeafError::Origin { .. })), "{origin:?}");
        }
    }
}
