//! Values in words, for findings and samples.

use proofs::commit::Timestamp;

/// A point in time as RFC 3339 in UTC.
pub(super) fn time(time: Timestamp) -> String {
    match jiff::Timestamp::new(time.seconds, time.nanos) {
        Ok(time) => time.to_string(),
        Err(_) => format!("{}.{:09} seconds since 1970", time.seconds, time.nanos),
    }
}

/// A number of things, with the word in its right form.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Runs of heights, the first few: `1, 5..9 and 3 more`.
pub(super) fn heights(runs: &[std::ops::RangeInclusive<u64>]) -> String {
    const SHOWN: usize = 6;
    let run = |run: &std::ops::RangeInclusive<u64>| match (run.start(), run.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}..{last}"),
    };
    let shown: Vec<String> = runs.iter().take(SHOWN).map(run).collect();
    match runs.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Heights in runs.
pub(super) fn total(runs: &[std::ops::RangeInclusive<u64>]) -> u64 {
    runs.iter().map(|run| (run.end() - run.start()).saturating_add(1)).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_heights_read_well() {
        assert_eq!(time(Timestamp { seconds: 1_700_000_000, nanos: 5 }), "2023-11-14T22:13:20.000000005Z");
        assert_eq!(time(Timestamp { seconds: i64::MAX, nanos: 0 }), "9223372036854775807.000000000 seconds since 1970");
        assert_eq!(heights(&[1..=1, 5..=9]), "1, 5..9");
        let many: Vec<_> = (0..8).map(|height| height..=height).collect();
        assert_eq!(heights(&many), "0, 1, 2, 3, 4, 5 and 2 more");
        assert_eq!(total(&[1..=1, 5..=9]), 6);
        assert_eq!(total(&[0..=u64::MAX]), u64::MAX);
        assert_eq!(count(1, "row", "rows"), "1 row");
    }
}
