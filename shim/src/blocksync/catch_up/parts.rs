//! The parts of a block with their proofs, as consensus passes them on.
//!
//! A block is cut into pieces of 64 KiB; each comes with the proof that it is a leaf of the tree whose root is the
//! part-set hash (CometBFT `types/part_set.go`). A message is sent only for the very block that the node named.

use bytes::Bytes;
use proofs::merkle::{Hash, MemoryTree, inclusion_path, leaf_hash};
use prost::Message as _;
use proto::cometbft::consensus::message::Sum;
use proto::cometbft::consensus::{BlockPart, Message};
use proto::cometbft::types::{BitArray, Part, PartSetHeader, Proof};

/// Bytes of every part but the last.
const PART_BYTES: usize = 65_536;
/// Parts of the largest block that a release accepts (`types/params.go`, `MaxBlockPartsCount`).
const PARTS_MAX: u32 = 1_601;

/// Parts of a block that a node lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedParts {
    /// Height of the block.
    pub height: u64,
    round: i32,
    /// The block, as the node named it: number of parts and their root. `None` when it has not said which it waits for.
    block: Option<(u32, Hash)>,
    /// One bit a part that is there, in words of 64.
    there: Vec<u64>,
}

/// Why no part can be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartsError {
    /// The node waits for another block.
    #[error(
        "the node waits at height {height} for a block of {expected_total} parts with root {expected}, ours has {actual_total} with \
         {actual}", expected = hex::encode(.expected), actual = hex::encode(.actual)
    )]
    OtherBlock {
        /// The height.
        height: u64,
        /// Root that the node named.
        expected: Hash,
        /// Parts that it named.
        expected_total: u32,
        /// Root of our block.
        actual: Hash,
        /// Parts of our block.
        actual_total: u64,
    },
}

impl WantedParts {
    /// Takes what a node said; `None` unless it names a block of a size that there can be.
    pub(super) fn new(height: u64, round: i32, header: PartSetHeader, there: Option<BitArray>) -> Option<Self> {
        let words = usize::try_from(PARTS_MAX.div_ceil(64)).ok()?;
        let mut there = there.map(|bits| bits.elems).unwrap_or_default();
        there.truncate(words);
        let hash = header.hash.as_ref().try_into().ok()?;
        let block = Some((header.total, hash));
        (1..=PARTS_MAX).contains(&header.total).then_some(Self { height, round, block, there })
    }

    /// All parts of whatever block the height has. The round does not matter to a node that knows which block it waits for.
    pub(super) const fn all(height: u64) -> Self {
        Self { height, round: 0, block: None, there: Vec::new() }
    }

    /// Whether it is the same block at the same height.
    pub(super) fn is_same_block(&self, other: &Self) -> bool {
        (self.height, self.block) == (other.height, other.block)
    }

    fn has(&self, part: usize) -> bool {
        self.there.get(part / 64).is_some_and(|word| word >> (part % 64) & 1 == 1)
    }
}

/// The messages for channel 0x21 with the parts of `block` that are wanted, one after another.
///
/// # Errors
/// [`PartsError`].
pub fn parts(block: &Bytes, wanted: &WantedParts) -> Result<impl Iterator<Item = Bytes> + use<>, PartsError> {
    let mut tree = MemoryTree::default();
    block.chunks(PART_BYTES).for_each(|part| tree.push(leaf_hash(part)));
    if let Some((expected_total, expected)) = wanted.block
        && (tree.size(), tree.root()) != (u64::from(expected_total), expected)
    {
        return Err(PartsError::OtherBlock {
            height: wanted.height,
            expected,
            expected_total,
            actual: tree.root(),
            actual_total: tree.size(),
        });
    }
    let (block, wanted) = (block.clone(), wanted.clone());
    let (height, round) = (wanted.height, wanted.round);
    let total = u32::try_from(tree.size()).unwrap_or(PARTS_MAX).min(PARTS_MAX);
    let missing = (0..total).zip(0..).filter(move |(_, place)| !wanted.has(*place));
    Ok(missing.map(move |(index, place)| {
        let begin = place * PART_BYTES;
        let bytes = block.slice(begin..block.len().min(begin + PART_BYTES));
        let part = Part { index, proof: Some(proof(&tree, index, &bytes)), bytes };
        let part = BlockPart { height: height.cast_signed(), round, part: Some(part) };
        Message { sum: Some(Sum::BlockPart(part)) }.encode_to_vec().into()
    }))
}

fn proof(tree: &MemoryTree, index: u32, bytes: &[u8]) -> Proof {
    let Ok(aunts) = inclusion_path(index.into(), tree.size(), tree);
    Proof {
        total: tree.size().cast_signed(),
        index: index.into(),
        leaf_hash: leaf_hash(bytes).to_vec().into(),
        aunts: aunts.iter().map(|hash| hash.to_vec().into()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proofs::merkle::{Inclusion, root};

    use super::*;

    fn wanted(block: &[u8], there: &[u64]) -> WantedParts {
        let header = PartSetHeader {
            total: u32::try_from(block.chunks(PART_BYTES).count()).expect("few"),
            hash: root(block.chunks(PART_BYTES)).to_vec().into(),
        };
        WantedParts::new(9, 1, header, Some(BitArray { bits: 0, elems: there.to_vec() })).expect("a block")
    }

    fn sent(block: &Bytes, wanted: &WantedParts) -> Vec<BlockPart> {
        let decode = |payload: Bytes| match Message::decode(payload).expect("decodes").sum {
            Some(Sum::BlockPart(part)) => part,
            other => panic!("a part expected: {other:?}"),
        };
        parts(block, wanted).expect("the block").map(decode).collect()
    }

    #[test]
    fn parts_come_with_proofs_that_hold() {
        for length in [1, PART_BYTES, PART_BYTES + 1, 5 * PART_BYTES + 17] {
            let block: Bytes = (0..length).map(|byte| byte.to_le_bytes()[0] ^ byte.to_le_bytes()[1]).collect();
            let wanted = wanted(&block, &[]);
            let mut together = Vec::new();
            for (place, message) in (0_u32..).zip(sent(&block, &wanted)) {
                assert_eq!((message.height, message.round), (9, 1));
                let part = message.part.expect("a part");
                let proof = part.proof.expect("a proof");
                let aunts: Vec<Hash> =
                    proof.aunts.iter().map(|hash| hash.as_ref().try_into().expect("32 bytes")).collect();
                let (total, index) = (block.chunks(PART_BYTES).count() as u64, u64::from(part.index));
                assert_eq!((proof.total, proof.index, part.index), (total.cast_signed(), place.into(), place));
                let leaf_hash = proof.leaf_hash.as_ref().try_into().expect("32 bytes");
                let inclusion = Inclusion { total, index, leaf_hash, aunts: &aunts };
                inclusion.verify_leaf(&root(block.chunks(PART_BYTES)), &part.bytes).expect("holds");
                together.extend_from_slice(&part.bytes);
            }
            assert_eq!(together, block);
        }
    }

    #[test]
    fn parts_that_the_node_has_are_left_out() {
        let block = Bytes::from(vec![7; 70 * PART_BYTES]);
        // All but the parts 2, 65 and 69.
        let wanted = wanted(&block, &[!4, 0b01_1101]);
        let indices: Vec<u32> = sent(&block, &wanted).iter().filter_map(|it| Some(it.part.as_ref()?.index)).collect();
        assert_eq!(indices, [2, 65, 69]);
    }

    #[test]
    fn a_node_that_has_not_named_its_block_gets_all_parts() {
        let block = Bytes::from(vec![7; 3 * PART_BYTES]);
        let indices: Vec<u32> =
            sent(&block, &WantedParts::all(9)).iter().filter_map(|it| Some(it.part.as_ref()?.index)).collect();
        assert_eq!(indices, [0, 1, 2]);
    }

    #[test]
    fn a_node_that_waits_for_another_block_gets_none() {
        let block = Bytes::from_static(b"ours");
        let refused = parts(&block, &wanted(b"another", &[])).err().expect("refused");
        assert!(matches!(refused, PartsError::OtherBlock { height: 9, .. }));
        let header = |total, bytes: usize| PartSetHeader { total, hash: vec![0; bytes].into() };
        for wrong in [header(0, 32), header(1_602, 32), header(1, 31), header(u32::MAX, 32)] {
            assert_eq!(WantedParts::new(1, 0, wrong, None), None);
        }
        let endless = BitArray { bits: i64::MAX, elems: vec![u64::MAX; 100_000] };
        assert_eq!(WantedParts::new(1, 0, header(1, 32), Some(endless)).expect("a block").there.len(), 26);
    }
}
