//! The parts of one block, put in the target's order.
//!
//! Layout v1 sorts parts as text (0, 1, 10, 11, 2), layout v2 as numbers. Within a budget their values are held; a
//! block's parts beyond it are read once more, one by one, when their turn comes.

use std::ops::Range;

use crate::comet::key::Layout;

/// Bytes of values that are held for a block.
const HELD_BYTES_MAX: usize = 4 << 20;

/// The rows of one block's parts.
#[derive(Default)]
pub(super) struct Group {
    /// Part numbers, in reverse of the target's order once sorted, with the place of the value.
    parts: Vec<(u32, Option<Range<usize>>)>,
    values: Vec<u8>,
    height: Option<u64>,
    is_sorted: bool,
}

impl Group {
    /// Whether a part at `height` belongs to the group that is being filled.
    pub(super) fn admits(&self, height: u64) -> bool {
        self.height.is_none_or(|own| own == height)
    }

    /// Adds a part of the block at `height`.
    pub(super) fn add(&mut self, height: u64, part: u32, value: &[u8]) {
        self.height = Some(height);
        let start = self.values.len();
        let fits = start + value.len() <= HELD_BYTES_MAX || self.parts.is_empty();
        if fits {
            self.values.extend_from_slice(value);
        }
        self.parts.push((part, fits.then(|| start..start + value.len())));
    }

    /// Ends the filling; the parts come in the order of `layout` from now on.
    pub(super) fn sort(&mut self, layout: Layout) {
        match layout {
            Layout::V1 => self.parts.sort_by_cached_key(|(part, _)| std::cmp::Reverse(part.to_string())),
            Layout::V2 => self.parts.sort_by_key(|(part, _)| std::cmp::Reverse(*part)),
        }
        self.is_sorted = true;
    }

    /// Whether the parts can be taken out.
    pub(super) fn is_ready(&self) -> bool {
        self.is_sorted && !self.parts.is_empty()
    }

    /// Whether all parts have been taken out.
    pub(super) fn is_spent(&self) -> bool {
        self.is_sorted && self.parts.is_empty()
    }

    /// Height and number of the next part, and its value if it is held.
    pub(super) fn take(&mut self) -> Option<(u64, u32, Option<&[u8]>)> {
        let (part, place) = self.parts.pop()?;
        Some((self.height?, part, place.and_then(|place| self.values.get(place))))
    }

    /// Begins the next group.
    pub(super) fn clear(&mut self) {
        self.parts.clear();
        self.values.clear();
        self.height = None;
        self.is_sorted = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(layout: Layout, parts: &[u32]) -> Vec<u32> {
        let mut group = Group::default();
        parts.iter().for_each(|part| group.add(7, *part, &part.to_le_bytes()));
        group.sort(layout);
        std::iter::from_fn(|| {
            let (height, part, value) = group.take()?;
            assert_eq!((height, value), (7, Some(&part.to_le_bytes()[..])));
            Some(part)
        })
        .collect()
    }

    #[test]
    fn parts_come_in_the_order_of_each_layout() {
        assert_eq!(order(Layout::V1, &[0, 1, 2, 9, 10, 11, 100]), [0, 1, 10, 100, 11, 2, 9]);
        assert_eq!(order(Layout::V2, &[0, 1, 10, 100, 11, 2, 9]), [0, 1, 2, 9, 10, 11, 100]);
    }

    #[test]
    fn values_beyond_the_budget_are_not_held() {
        let mut group = Group::default();
        let big = vec![1; HELD_BYTES_MAX];
        group.add(1, 0, &big);
        group.add(1, 1, &[2]);
        group.sort(Layout::V2);
        assert!(group.admits(1) && !group.admits(2) && group.is_ready());
        assert_eq!(group.take().expect("a part").2.map(<[u8]>::len), Some(HELD_BYTES_MAX));
        assert_eq!(group.take(), Some((1, 1, None)));
    }
}
