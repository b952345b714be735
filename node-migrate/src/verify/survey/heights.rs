//! A set of heights as runs, filled in key order.
//!
//! Keys of layout v1 spell heights in decimal without padding, so that heights come in order only among those with
//! the same number of digits: one run is open for each number of digits. A chain's rows make a handful of runs.

use std::ops::RangeInclusive;

/// Most runs that are kept: 16 MiB of them. Only a ruined or hostile database has more.
const RUNS_MAX: usize = 1 << 20;

/// Runs that are joined for the first time: those of many pieces of one database touch.
const COMPACT_AT: usize = 1 << 12;

/// Numbers of decimal digits that a height can have, from 1 to 20.
const DIGITS: usize = 20;

/// The heights of the rows of one kind.
#[derive(Clone, Debug)]
pub(in crate::verify) struct Heights {
    closed: Vec<(u64, u64)>,
    open: [Option<(u64, u64)>; DIGITS],
    compact_at: usize,
    overflow: bool,
}

impl Default for Heights {
    fn default() -> Self {
        Self { closed: Vec::new(), open: [None; DIGITS], compact_at: 0, overflow: false }
    }
}

impl Heights {
    /// Adds the height of a row.
    pub(super) fn add(&mut self, height: u64) {
        let digits = height.checked_ilog10().unwrap_or_default() as usize;
        let Some(open) = self.open.get_mut(digits) else { return };
        match open {
            Some((_, last)) if *last == height => {}
            Some((_, last)) if last.checked_add(1) == Some(height) => *last = height,
            _ => {
                let closed = open.replace((height, height));
                self.close(closed);
            }
        }
    }

    /// Adds all heights of another set.
    pub(in crate::verify) fn merge(&mut self, other: Self) {
        self.overflow |= other.overflow;
        for run in other.closed.into_iter().chain(other.open.into_iter().flatten()) {
            self.close(Some(run));
        }
    }

    fn close(&mut self, run: Option<(u64, u64)>) {
        if self.closed.len() >= self.compact_at.max(COMPACT_AT) {
            join(&mut self.closed);
            // Joining costs a sort: it comes again when there are twice as many.
            self.compact_at = (2 * self.closed.len()).min(RUNS_MAX);
        }
        if self.closed.len() < RUNS_MAX {
            self.closed.extend(run);
        } else {
            self.overflow |= run.is_some();
        }
    }

    /// Whether some heights were left out because there are too many runs.
    pub(in crate::verify) fn is_cut(&self) -> bool {
        self.overflow
    }

    /// The heights as disjoint runs, ascending, none touching the next.
    pub(in crate::verify) fn runs(&self) -> Vec<RangeInclusive<u64>> {
        let mut runs: Vec<(u64, u64)> =
            self.closed.iter().copied().chain(self.open.iter().flatten().copied()).collect();
        join(&mut runs);
        runs.into_iter().map(|(first, last)| first..=last).collect()
    }
}

/// Sorts runs and joins those that touch.
fn join(runs: &mut Vec<(u64, u64)>) {
    runs.sort_unstable();
    runs.dedup_by(|next, run| {
        let touches = next.0 <= run.1.saturating_add(1);
        if touches {
            run.1 = run.1.max(next.1);
        }
        touches
    });
}

/// The part of `runs` that lies in `window`.
pub(in crate::verify) fn within(runs: &[RangeInclusive<u64>], window: RangeInclusive<u64>) -> Vec<RangeInclusive<u64>> {
    runs.iter()
        .map(|run| *run.start().max(window.start())..=*run.end().min(window.end()))
        .filter(|run| !run.is_empty())
        .collect()
}

/// The part of `window` that lies in none of `runs`, which ascend.
pub(in crate::verify) fn gaps(runs: &[RangeInclusive<u64>], window: RangeInclusive<u64>) -> Vec<RangeInclusive<u64>> {
    let mut gaps = Vec::new();
    let mut next = Some(*window.start());
    for run in within(runs, window.clone()) {
        if let Some(first) = next.filter(|first| first < run.start()) {
            gaps.push(first..=*run.start() - 1);
        }
        next = run.end().checked_add(1);
    }
    gaps.extend(next.filter(|first| first <= window.end()).map(|first| first..=*window.end()));
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_in_the_order_of_decimal_text_make_one_run() {
        let mut keys: Vec<String> = (1..=12_345_u64).map(|height| height.to_string()).collect();
        keys.sort();
        let mut heights = Heights::default();
        keys.iter().for_each(|key| heights.add(key.parse().expect("a number")));
        assert_eq!(heights.runs(), [1..=12_345]);
        assert!(heights.closed.len() < 5, "runs stay open");
    }

    #[test]
    fn gaps_and_pieces_of_shards_are_joined() {
        let (mut left, mut right) = (Heights::default(), Heights::default());
        [0, 1, 2, 9, 10, 11, 20].into_iter().for_each(|height| left.add(height));
        [3, 12, 13, u64::MAX].into_iter().for_each(|height| right.add(height));
        left.merge(right);
        let runs = left.runs();
        assert_eq!(runs, [0..=3, 9..=13, 20..=20, u64::MAX..=u64::MAX]);
        assert_eq!(within(&runs, 2..=10), [2..=3, 9..=10]);
        assert_eq!(gaps(&runs, 2..=25), [4..=8, 14..=19, 21..=25]);
        assert_eq!(gaps(&runs, 9..=13), []);
        assert_eq!(gaps(&[], 5..=6), [5..=6]);
        assert_eq!(gaps(&runs, 30..=u64::MAX), [30..=u64::MAX - 1]);
    }

    #[test]
    fn many_pieces_are_joined_as_they_come() {
        let mut all = Heights::default();
        for piece in (0..100_000_u64).rev() {
            let mut heights = Heights::default();
            heights.add(1_000_000 + piece);
            all.merge(heights);
        }
        assert!(all.closed.len() <= COMPACT_AT + 1, "{}", all.closed.len());
        assert_eq!(all.runs(), [1_000_000..=1_099_999]);
    }

    #[test]
    fn a_ruined_database_costs_bounded_memory() {
        let mut heights = Heights::default();
        (0..RUNS_MAX as u64 + 100).for_each(|number| heights.add(1_000_000_000 + 2 * number));
        assert!(heights.is_cut());
        assert_eq!(heights.closed.len(), RUNS_MAX);
    }
}
