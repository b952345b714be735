//! Wanted heights, range by range, as they may be streamed.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::mending::Wanted;

/// Heights of one range at most: a peer's stream serves no more at a time.
const HEIGHTS_MAX: u64 = 1_000_000;

/// The highest range, first and last height, that a peer may be asked for now: of what it offers and does not lack. A height
/// that may be judged only after the one above waits until that was taken.
pub(super) fn next_run(wanted: &Wanted, offered: RangeInclusive<u64>, lacking: &BTreeSet<u64>) -> Option<(u64, u64)> {
    let waits = |height: &u64| {
        wanted.after_above.contains(height)
            && height.checked_add(1).is_some_and(|above| wanted.heights.contains(&above))
    };
    let heights = wanted.heights.range(offered).rev();
    let mut heights = heights.copied().filter(|height| !lacking.contains(height) && !waits(height));
    let last = heights.next()?;
    let neighbours = (1..HEIGHTS_MAX).zip(heights).take_while(|(below, height)| height + below == last);
    Some((neighbours.last().map_or(last, |(_, height)| height), last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(heights: impl IntoIterator<Item = u64>, after_above: impl IntoIterator<Item = u64>) -> Wanted {
        let (heights, after_above) = (heights.into_iter().collect(), after_above.into_iter().collect());
        Wanted { heights, after_above, ..Wanted::default() }
    }

    /// All ranges, as they are asked for one after another when each is taken.
    fn runs(mut wanted: Wanted, offered: RangeInclusive<u64>, lacking: &[u64]) -> Vec<(u64, u64)> {
        let lacking = lacking.iter().copied().collect();
        let mut runs = Vec::new();
        while let Some((first, last)) = next_run(&wanted, offered.clone(), &lacking) {
            (first..=last).for_each(|height| wanted.remove(height));
            runs.push((first, last));
        }
        runs
    }

    #[test]
    fn neighbours_are_asked_for_together_and_the_highest_come_first() {
        let wanted = wanted([1, 2, 3, 7, 9, 10], []);
        assert_eq!(runs(wanted.clone(), 1..=99, &[]), [(9, 10), (7, 7), (1, 3)]);
        assert_eq!(runs(wanted.clone(), 2..=9, &[]), [(9, 9), (7, 7), (2, 3)]);
        assert_eq!(runs(wanted, 1..=9, &[2, 7]), [(9, 9), (3, 3), (1, 1)]);
    }

    #[test]
    fn a_height_that_needs_the_one_above_waits_for_it() {
        let wanted = wanted([1, 2, 3, 4, 5, 9], [2, 3, 9]);
        assert_eq!(runs(wanted.clone(), 1..=99, &[]), [(9, 9), (4, 5), (3, 3), (1, 2)]);
        assert_eq!(runs(wanted, 1..=99, &[4]), [(9, 9), (5, 5), (1, 1)], "what it needs cannot be had");
    }

    #[test]
    fn no_range_is_longer_than_a_stream() {
        let runs = runs(wanted(1..=HEIGHTS_MAX + 2, []), 1..=u64::MAX, &[]);
        assert_eq!(runs, [(3, HEIGHTS_MAX + 2), (1, 2)]);
    }
}
