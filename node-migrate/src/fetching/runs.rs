//! Heights cut into ranges that may be streamed upward.

use crate::mending::Wanted;

/// Heights of one range at most: a peer's stream serves no more at a time.
const HEIGHTS_MAX: u64 = 1_000_000;

/// The ranges, first and last height each, in the order in which they are to be asked for: from the top down, since a height
/// that may be judged only after the one above is the highest of its range.
pub(super) fn runs(wanted: &Wanted, offered: impl Fn(u64) -> bool) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for &height in wanted.heights.iter().rev().filter(|height| offered(**height)) {
        match runs.last_mut() {
            Some((first, last))
                if height + 1 == *first && !wanted.after_above.contains(&height) && *last - height < HEIGHTS_MAX =>
            {
                *first = height;
            }
            _ => runs.push((height, height)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(heights: impl IntoIterator<Item = u64>, after_above: impl IntoIterator<Item = u64>) -> Wanted {
        let (heights, after_above) = (heights.into_iter().collect(), after_above.into_iter().collect());
        Wanted { heights, after_above, ..Wanted::default() }
    }

    #[test]
    fn neighbours_are_asked_for_together_and_the_highest_come_first() {
        let wanted = wanted([1, 2, 3, 7, 9, 10], []);
        assert_eq!(runs(&wanted, |_| true), [(9, 10), (7, 7), (1, 3)]);
        assert_eq!(runs(&wanted, |height| height != 2 && height < 10), [(9, 9), (7, 7), (3, 3), (1, 1)]);
    }

    #[test]
    fn a_height_that_needs_the_one_above_ends_its_range() {
        assert_eq!(runs(&wanted([1, 2, 3, 4, 5], [2, 3]), |_| true), [(4, 5), (3, 3), (1, 2)]);
        assert_eq!(runs(&wanted([5], [5]), |_| true), [(5, 5)]);
        assert_eq!(runs(&wanted([], []), |_| true), []);
    }

    #[test]
    fn no_range_is_longer_than_a_stream() {
        let runs = runs(&wanted(1..=HEIGHTS_MAX + 2, []), |_| true);
        assert_eq!(runs, [(3, HEIGHTS_MAX + 2), (1, 2)]);
    }
}
