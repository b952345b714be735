//! Blocks that are proposed: put together from parts, held until their height, judged once.

use std::collections::BTreeMap;

use crate::chain::{Block, BlockId, ChainState, Part, PartSet, Parts};

/// Blocks that may be put together at the same time.
const INCOMPLETE_MAX: usize = 32;
/// Whole blocks of the next height that may wait for it.
const EARLY_MAX: usize = 16;

/// A whole block, judged.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) block: Block,
    pub(super) parts: PartSet,
    pub(super) is_valid: bool,
    /// Whether the engine has heard of it.
    pub(super) is_fed: bool,
}

/// A whole block, not judged yet.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub(super) round: u32,
    pub(super) id: BlockId,
    pub(super) bytes: Vec<u8>,
}

/// The blocks of the height that is being decided, and early ones of the next.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    height: u64,
    judged: BTreeMap<BlockId, Body>,
    incomplete: BTreeMap<(u64, BlockId), Parts>,
    early: Vec<Whole>,
}

impl Whole {
    /// Judges the block by the state before it.
    ///
    /// # Errors
    /// Why the bytes are not the block that they are said to be; a block that may not follow is judged invalid.
    pub(super) fn judge(&self, state: &ChainState) -> Result<Body, String> {
        let block = Block::decode(&self.bytes).map_err(|error| error.to_string())?;
        let parts = PartSet::new(&self.bytes);
        if parts.id(block.header.hash()) != self.id {
            return Err(format!("the block named {} has the hash {}", self.id, hex::encode(block.header.hash())));
        }
        let is_valid = state.validate(&block, self.bytes.len()).is_ok();
        Ok(Body { block, parts, is_valid, is_fed: false })
    }
}

impl Bodies {
    /// Goes on to a height; returns the blocks that came early for it.
    pub(super) fn begin(&mut self, height: u64) -> Vec<Whole> {
        let early = std::mem::take(&mut self.early);
        let is_next = height == self.height + 1;
        self.height = height;
        self.judged.clear();
        self.incomplete.retain(|(of, _), _| *of >= height);
        if is_next { early } else { Vec::new() }
    }

    /// Takes a part; returns the block if it is whole now and its height is being decided.
    pub(super) fn add(&mut self, height: u64, round: u32, id: BlockId, part: Part) -> Option<Whole> {
        let is_early = height == self.height + 1;
        let is_known = self.judged.contains_key(&id) || self.early.iter().any(|whole| whole.id == id);
        if is_known || height != self.height && !is_early {
            return None;
        }
        let place = (height, id);
        if !self.incomplete.contains_key(&place) {
            let parts = Parts::of(id).filter(|_| self.incomplete.len() < INCOMPLETE_MAX)?;
            self.incomplete.insert(place, parts);
        }
        let bytes = self.incomplete.get_mut(&place)?.add(part)?;
        self.incomplete.remove(&place);
        let whole = Whole { round, id, bytes };
        if !is_early {
            return Some(whole);
        }
        if self.early.len() < EARLY_MAX {
            self.early.push(whole);
        }
        None
    }

    /// Keeps a judged block.
    pub(super) fn keep(&mut self, id: BlockId, body: Body) -> &mut Body {
        self.judged.entry(id).or_insert(body)
    }

    /// A judged block of this height.
    pub(super) fn get(&self, id: &BlockId) -> Option<&Body> {
        self.judged.get(id)
    }

    /// The judged blocks of this height.
    pub(super) fn all(&mut self) -> impl Iterator<Item = (&BlockId, &mut Body)> {
        self.judged.iter_mut()
    }

    /// The latest time of a valid block of this height, in nanoseconds.
    pub(super) fn latest_time(&self) -> Option<crate::chain::Time> {
        self.judged.values().filter(|body| body.is_valid).map(|body| body.block.header.time).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(byte: u8) -> (BlockId, PartSet) {
        let set = PartSet::new(&vec![byte; 70_000]);
        (set.id([byte; 32]), set)
    }

    #[test]
    fn blocks_come_together_at_their_height_and_early_ones_wait_for_it() {
        let mut bodies = Bodies::default();
        assert!(bodies.begin(5).is_empty());
        let ((now, of_now), (next, of_next)) = (parts(1), parts(2));
        assert!(bodies.add(5, 0, now, of_now.parts[0].clone()).is_none());
        let whole = bodies.add(5, 3, now, of_now.parts[1].clone()).expect("whole");
        assert_eq!((whole.round, whole.bytes.len()), (3, 70_000));
        for part in of_next.parts {
            assert!(bodies.add(6, 1, next, part).is_none());
        }
        let early = bodies.begin(6);
        assert_eq!(early.iter().map(|whole| whole.id).collect::<Vec<_>>(), [next]);
    }

    #[test]
    fn blocks_of_other_heights_and_too_many_are_not_taken() {
        let mut bodies = Bodies::default();
        bodies.begin(5);
        let (id, set) = parts(1);
        assert!(bodies.add(7, 0, id, set.parts[0].clone()).is_none());
        assert!(bodies.add(4, 0, id, set.parts[0].clone()).is_none());
        assert!(bodies.incomplete.is_empty());
        for byte in 0..=u8::try_from(INCOMPLETE_MAX).expect("few") {
            let (id, set) = parts(byte);
            bodies.add(5, 0, id, set.parts[0].clone());
        }
        assert_eq!(bodies.incomplete.len(), INCOMPLETE_MAX);
    }
}
