//! The report as a table in Markdown.

use super::stages::{StageSpan, Sync};
use super::{Row, Times};

const HEAD: &str = "| network, stage | heights | median block time s | mean s | 95th percentile s | median beside left alone | mean \
                    | missed signatures | validator-set changes | sync rate, heights/s |\n|---|---|---|---|---|---|---|---|---|---|\n";

/// The table: the network left alone, each stage, all stages.
pub(in crate::local) fn table(quiet: &[Row], busy: &[Row], stages: &[StageSpan]) -> String {
    let alone = Times::of(quiet);
    let mut text = format!("{HEAD}{}", line("left alone", quiet, &[], alone));
    for StageSpan { name, first, last, syncs } in stages {
        let rows: Vec<Row> = busy.iter().filter(|row| (*first..=*last).contains(&row.height)).copied().collect();
        text.push_str(&line(&format!("rolled out, {name}"), &rows, syncs, alone));
    }
    text.push_str(&line("rolled out, all stages", busy, &[], alone));
    text
}

fn line(name: &str, rows: &[Row], syncs: &[Sync], alone: Times) -> String {
    let times = Times::of(rows);
    let heights = rows.first().zip(rows.last()).map_or_else(String::new, |(a, b)| format!("{}-{}", a.height, b.height));
    let missed: usize = rows.iter().map(|row| row.missed).sum();
    let changes = rows.iter().filter(|row| row.is_change).count();
    let sync = |sync: &Sync| {
        let rate =
            format!("{:.1}", f64::from(u32::try_from(sync.heights).unwrap_or(u32::MAX)) / sync.seconds.max(0.001));
        format!("{} {rate} ({} in {:.1} s)", sync.node, sync.heights, sync.seconds)
    };
    let syncs = if syncs.is_empty() { "-".to_owned() } else { syncs.iter().map(sync).collect::<Vec<_>>().join(", ") };
    let beside = |own: f64, other: f64| 100.0 * (own / other.max(f64::MIN_POSITIVE) - 1.0);
    let (median, mean) = (beside(times.median, alone.median), beside(times.mean, alone.mean));
    format!(
        "| {name} | {heights} | {:.3} | {:.3} | {:.3} | {median:+.1} % | {mean:+.1} % | {missed} | {changes} | {syncs} |\n",
        times.median, times.mean, times.p95
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_its_line_beside_the_network_left_alone() {
        let rows = |from: u64, seconds: f64| -> Vec<Row> {
            (from..from + 10).map(|height| Row { height, seconds, missed: 1, is_change: height % 5 == 0 }).collect()
        };
        let syncs = vec![Sync { node: "val0".to_owned(), heights: 9, seconds: 2.0 }];
        let stages = [StageSpan { name: "canary".to_owned(), first: 10, last: 14, syncs }];
        let text = table(&rows(10, 0.5), &rows(10, 0.52), &stages);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5);
        assert!(lines.iter().all(|line| line.matches('|').count() == 11), "{text}");
        assert!(
            lines[2].starts_with("| left alone | 10-19 | 0.500 | 0.500 | 0.500 | +0.0 % | +0.0 % | 10 | 2 | - |"),
            "{text}"
        );
        assert!(lines[3].contains("| rolled out, canary | 10-14 |"), "{text}");
        assert!(lines[3].ends_with("| +4.0 % | +4.0 % | 5 | 1 | val0 4.5 (9 in 2.0 s) |"), "{text}");
    }
}
