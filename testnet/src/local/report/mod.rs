//! What a rollout costs the network: block time, missed signatures and sync rates by stage, beside the same network left alone.
//!
//! Heights, times and signatures are the chain's own; the stages are the rollout's, by its log.

mod picture;
mod stages;
mod table;

pub(super) use picture::picture;
pub(super) use stages::{StageSpan, stages};
pub(super) use table::table;

use super::client::HeightSeen;

/// One height of a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) height: u64,
    /// Since the block before.
    pub(super) seconds: f64,
    /// Signatures that are missing.
    pub(super) missed: usize,
    /// Whether the validators are others than before.
    pub(super) is_change: bool,
}

/// The heights of a chain; the first one only tells the time.
pub(super) fn rows(heights: &[(u64, HeightSeen)]) -> Vec<Row> {
    let row = |pair: &[(u64, HeightSeen)]| {
        let [(_, before), (height, seen)] = pair else { return None };
        let millis = seen.millis.saturating_sub(before.millis);
        Some(Row {
            height: *height,
            seconds: std::time::Duration::from_millis(millis).as_secs_f64(),
            missed: seen.missed,
            is_change: seen.validators_hash != before.validators_hash,
        })
    };
    heights.windows(2).filter_map(row).collect()
}

/// Mean, median and 95th percentile of block times in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Times {
    pub(super) mean: f64,
    pub(super) median: f64,
    pub(super) p95: f64,
}

impl Times {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut seconds: Vec<f64> = rows.iter().map(|row| row.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let at = |percent: usize| seconds.get(seconds.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0.0);
        let count = u32::try_from(seconds.len()).unwrap_or(u32::MAX).max(1);
        Self { mean: seconds.iter().sum::<f64>() / f64::from(count), median: at(50), p95: at(95) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_what_lies_between_blocks() {
        let seen = |millis, validators_hash: &str, missed| HeightSeen {
            hash: String::new(),
            millis,
            validators_hash: validators_hash.to_owned(),
            round: 0,
            signers: Vec::new(),
            missed,
        };
        let heights = [(7, seen(1_000, "A", 0)), (8, seen(1_500, "A", 1)), (9, seen(2_250, "B", 0))];
        let row = |height, seconds, missed, is_change| Row { height, seconds, missed, is_change };
        let rows = rows(&heights);
        assert_eq!(rows, [row(8, 0.5, 1, false), row(9, 0.75, 0, true)]);
        assert_eq!(Times::of(&rows), Times { mean: 0.625, median: 0.5, p95: 0.5 });
    }
}
