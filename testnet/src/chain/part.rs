//! Blocks cut into parts, as they are sent and stored, and put together again.

use ledger_formats::comet::wire::{put_bytes, put_message, put_uint};
use ledger_formats::comet::{self, PART_BYTES};
use proofs::merkle::{Hash, MemoryTree, inclusion_path, leaf_hash};

use super::block_id::BlockId;

/// Most parts of a block: 100 MiB of block, CometBFT's bound.
const PARTS_MAX: u32 = 1_601;

/// One part of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Place among the parts, from 0.
    pub index: u32,
    /// A piece of the block.
    pub bytes: Vec<u8>,
    /// Hashes on the way from this part to the root over all.
    pub aunts: Vec<Hash>,
    /// How many parts there are.
    pub total: u32,
}

/// A block in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartSet {
    /// The parts, in order.
    pub parts: Vec<Part>,
    /// The root over them.
    pub hash: Hash,
}

/// Parts of one block that have arrived so far.
#[derive(Clone, Debug)]
pub struct Parts {
    id: BlockId,
    arrived: Vec<Option<Vec<u8>>>,
    missing: u32,
}

impl PartSet {
    /// Cuts a block.
    #[must_use]
    pub fn new(block: &[u8]) -> Self {
        let pieces: Vec<&[u8]> = block.chunks(PART_BYTES).collect();
        let tree: MemoryTree = pieces.iter().map(|piece| leaf_hash(piece)).collect();
        let total = u32::try_from(pieces.len()).expect("a block has few parts");
        let part = |(index, piece): (u32, &&[u8])| {
            let Ok(aunts) = inclusion_path(index.into(), total.into(), &tree);
            Part { index, bytes: piece.to_vec(), aunts, total }
        };
        Self { parts: (0..total).zip(&pieces).map(part).collect(), hash: tree.root() }
    }

    /// The name of the block with this header hash.
    #[must_use]
    pub fn id(&self, hash: Hash) -> BlockId {
        let part_count = self.parts.first().map_or(0, |part| part.total);
        BlockId { hash, part_count, part_set_hash: self.hash }
    }
}

impl Part {
    /// Appends the fields of the message `Part`.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_uint(out, 1, self.index.into());
        put_bytes(out, 2, &self.bytes);
        put_message(out, 3, |out| {
            put_uint(out, 1, self.total.into());
            put_uint(out, 2, self.index.into());
            put_bytes(out, 3, &leaf_hash(&self.bytes));
            self.aunts.iter().for_each(|aunt| put_bytes(out, 4, aunt));
        });
    }

    /// Takes up a decoded part, not yet checked; `None` if it counts more parts than a block can have.
    #[must_use]
    pub fn from_borrowed(part: &comet::Part<'_>) -> Option<Self> {
        let total = u32::try_from(part.proof.total).ok().filter(|total| *total <= PARTS_MAX)?;
        Some(Self { index: part.index, bytes: part.bytes.to_vec(), aunts: part.proof.aunts.clone(), total })
    }

    fn belongs_to(&self, id: &BlockId) -> bool {
        let leaf = leaf_hash(&self.bytes);
        let proof = comet::Proof {
            total: self.total.into(),
            index: self.index.into(),
            leaf_hash: &leaf,
            aunts: self.aunts.clone(),
        };
        let part = comet::Part { index: self.index, bytes: &self.bytes, proof };
        part.verify(self.index, &id.borrowed().part_set_header).is_ok()
    }
}

impl Parts {
    /// Waits for the parts of a block; `None` if it is said to have none or more than a block can have.
    #[must_use]
    pub fn of(id: BlockId) -> Option<Self> {
        let count = (1..=PARTS_MAX).contains(&id.part_count).then_some(id.part_count)?;
        Some(Self { id, arrived: vec![None; count as usize], missing: count })
    }

    /// Takes a part if it belongs to the block and is new; the whole block once all are there.
    pub fn add(&mut self, part: Part) -> Option<Vec<u8>> {
        let place = self.arrived.get(part.index as usize)?;
        if place.is_some() || !part.belongs_to(&self.id) {
            return None;
        }
        self.arrived[part.index as usize] = Some(part.bytes);
        self.missing -= 1;
        (self.missing == 0).then(|| self.arrived.iter().flatten().flatten().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use ledger_formats::comet::Decode;

    use super::*;

    #[test]
    fn a_block_of_three_parts_comes_together_in_any_order() {
        let block: Vec<u8> = (0..150_000_u32).map(|byte| byte.to_le_bytes()[1]).collect();
        let set = PartSet::new(&block);
        assert_eq!(set.parts.len(), 3);
        let mut parts = Parts::of(set.id([9; 32])).expect("a possible block");
        let mut bytes = Vec::new();
        set.parts[2].put(&mut bytes);
        let last = Part::from_borrowed(&comet::Part::decode(&bytes).expect("decodes")).expect("a part");
        assert_eq!(parts.add(last), None);
        assert_eq!(parts.add(set.parts[0].clone()), None);
        assert_eq!(parts.add(set.parts[0].clone()), None, "again");
        assert_eq!(parts.add(set.parts[1].clone()), Some(block));
    }

    #[test]
    fn parts_of_other_blocks_are_not_taken() {
        let (set, other) = (PartSet::new(&[1; 70_000]), PartSet::new(&[2; 70_000]));
        let mut parts = Parts::of(set.id([9; 32])).expect("a possible block");
        assert_eq!(parts.add(other.parts[0].clone()), None);
        assert_eq!(parts.add(Part { index: 7, ..set.parts[0].clone() }), None);
        assert_eq!(parts.add(set.parts[0].clone()), None);
        assert_eq!(parts.add(set.parts[1].clone()), Some(vec![1; 70_000]));
        assert!(Parts::of(BlockId { part_count: u32::MAX, ..set.id([9; 32]) }).is_none());
    }
}
