//! Records by height, as any layout gives them: in ascending order among heights of one number of digits.
//!
//! Layout v1 gives `1 10 100 1000 .. 11 .. 2`, layout v2 `1 2 .. 10 ..`; both are taken here without knowing which it is.
//! A segment of 1,000 heights has one number of digits, but for the first one, whose records are held and sorted. Parts
//! of one block, which layout v1 sorts as text, are held and sorted too.

use proofs::merkle::Hash;

use super::error::RootError;
use super::kind::RecordKind;
use super::segments::{Open, Segments};

/// Heights of a segment.
pub(super) const HEIGHTS: u64 = 1_000;

/// Most records held: what a thousand blocks of the greatest size that a chain allows (100 MiB) have as parts.
const HELD_MAX: usize = 1_601 * 1_000;

/// Numbers of digits of heights from 1,000 on: 4 to 20.
const LANES: usize = 17;

/// The records of one kind.
pub(super) struct Lanes {
    kind: RecordKind,
    segments: Segments,
    /// Of the first segment: height, number, leaf.
    low: Vec<(u64, u32, Hash)>,
    lanes: [Lane; LANES],
    /// A record that the store has under another key, to be put in at its height.
    late: Option<(u64, Hash)>,
}

/// Heights of one number of digits.
#[derive(Default)]
struct Lane {
    /// The present height, with its records: number, leaf.
    height: u64,
    group: Vec<(u32, Hash)>,
    open: Open,
}

impl Lanes {
    pub(super) fn new(kind: RecordKind, segments: Segments, late: Option<(u64, Hash)>) -> Self {
        Self { kind, segments, low: Vec::new(), lanes: Default::default(), late }
    }

    /// Adds a record. Those of one height may come in any order of their numbers.
    pub(super) fn add(&mut self, height: u64, number: u32, leaf: Hash) -> Result<(), RootError> {
        if let Some((own, late)) = self.late
            && own < height
            && digits(own) == digits(height)
        {
            self.late = None;
            self.place(own, 0, late)?;
        }
        self.place(height, number, leaf)
    }

    fn place(&mut self, height: u64, number: u32, leaf: Hash) -> Result<(), RootError> {
        let too_many = RootError::TooMany { kind: self.kind.name(), limit: HELD_MAX };
        let Some(lane) = lane_of(height).and_then(|at| self.lanes.get_mut(at)) else {
            if self.low.len() == HELD_MAX {
                return Err(too_many);
            }
            self.low.push((height, number, leaf));
            return Ok(());
        };
        if lane.height != height {
            lane.flush(&mut self.segments, self.kind)?;
            if height < lane.height {
                return Err(RootError::Disorder { kind: self.kind.name(), height });
            }
            lane.height = height;
        }
        if lane.group.len() == HELD_MAX {
            return Err(too_many);
        }
        lane.group.push((number, leaf));
        Ok(())
    }

    /// All segments.
    pub(super) fn finish(mut self) -> Result<Segments, RootError> {
        if let Some((height, leaf)) = self.late.take() {
            self.place(height, 0, leaf)?;
        }
        // Stable: records of one height and number, as evidence has them, are in order already.
        self.low.sort_by_key(|(height, number, _)| (*height, *number));
        let mut first = Open::default();
        for (height, _, leaf) in self.low {
            self.segments.push(&mut first, 0, leaf).map_err(|error| error.at(self.kind, height))?;
        }
        self.segments.close(&mut first).map_err(|error| error.at(self.kind, 0))?;
        for mut lane in self.lanes {
            lane.flush(&mut self.segments, self.kind)?;
            self.segments.close(&mut lane.open).map_err(|error| error.at(self.kind, lane.height))?;
        }
        Ok(self.segments)
    }
}

impl Lane {
    fn flush(&mut self, segments: &mut Segments, kind: RecordKind) -> Result<(), RootError> {
        self.group.sort_by_key(|(number, _)| *number);
        for (_, leaf) in self.group.drain(..) {
            let number = self.height / HEIGHTS;
            segments.push(&mut self.open, number, leaf).map_err(|error| error.at(kind, self.height))?;
        }
        Ok(())
    }
}

fn digits(height: u64) -> u32 {
    height.checked_ilog10().unwrap_or_default() + 1
}

/// The lane of a height; `None` for the first segment.
fn lane_of(height: u64) -> Option<usize> {
    usize::try_from(digits(height).checked_sub(4)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use proofs::merkle::leaf_hash;

    fn root(rows: &[(u64, u32)], late: Option<(u64, Hash)>) -> Result<Hash, RootError> {
        let mut lanes = Lanes::new(RecordKind::BlockPart, Segments::default(), late);
        for (height, number) in rows {
            lanes.add(*height, *number, leaf(*height, *number))?;
        }
        Ok(lanes.finish()?.root(RecordKind::BlockPart).map_or([0; 32], |root| root.root))
    }

    fn leaf(height: u64, number: u32) -> Hash {
        leaf_hash(format!("{height}:{number}").as_bytes())
    }

    proptest! {
        #[test]
        fn the_order_of_text_and_the_order_of_numbers_give_one_root(
            heights in proptest::collection::btree_set(prop_oneof![0..40_u64, 900..1_200_u64, 9_900..30_000_u64, any::<u64>()], 0..60),
            parts in 1..13_u32,
            late in 0..60_usize,
        ) {
            let ordered: Vec<(u64, u32)> = heights.iter().flat_map(|height| (0..parts).map(move |part| (*height, part))).collect();
            let mut as_text = ordered.clone();
            as_text.sort_by_key(|(height, part)| format!("{height}:{part}"));
            let expected = root(&ordered, None).expect("in order");
            prop_assert_eq!(root(&as_text, None).expect("in order"), expected);
            // The same with one record that comes from elsewhere.
            if parts == 1 && let Some(height) = heights.iter().nth(late) {
                for mut rows in [ordered, as_text] {
                    rows.retain(|(own, _)| own != height);
                    prop_assert_eq!(root(&rows, Some((*height, leaf(*height, 0)))).expect("in order"), expected);
                }
            }
        }
    }

    #[test]
    fn what_comes_too_late_is_refused() {
        assert!(matches!(root(&[(2_001, 0), (2_000, 0)], None), Err(RootError::Disorder { height: 2_000, .. })));
        assert!(matches!(root(&[(4_000, 0), (2_000, 0)], None), Err(RootError::Disorder { height: 2_000, .. })));
        assert!(root(&[(10_000, 0), (2_000, 0)], None).is_ok());
    }

    #[test]
    fn the_root_is_that_of_segments_of_a_thousand_heights() {
        use super::super::leaf::segment;
        use proofs::merkle::root_of_hashes;
        let of =
            |heights: &[u64]| root_of_hashes(&mut heights.iter().map(|height| leaf(*height, 0)).collect::<Vec<_>>());
        let segments =
            [segment(0, 2, &of(&[1, 999])), segment(1, 2, &of(&[1_000, 1_999])), segment(12, 1, &of(&[12_000]))];
        let rows = [(1, 0), (1_000, 0), (12_000, 0), (1_999, 0), (999, 0)];
        assert_eq!(root(&rows, None).expect("in order"), root_of_hashes(&mut segments.to_vec()));
    }
}
