//! Runs that must hold, and broken programs that must not.

use super::{Faults, Sabotage, Scenario, Violation, run, run_traced};

/// Runs seeds that must all hold; returns how often nodes started again.
fn all_hold(seeds: std::ops::Range<u64>, scenario: &Scenario) -> u64 {
    seeds.map(|seed| run(seed, scenario).unwrap_or_else(|failure| panic!("{failure}")).restarts).sum()
}

/// What the checks find first in a broken program.
fn caught(sabotage: Sabotage) -> Option<Violation> {
    let scenario = Scenario { faults: Faults::ALL, sabotage, ..Scenario::default() };
    (0..200).find_map(|seed| run(seed, &scenario).err()).map(|failure| failure.violation)
}

#[test]
fn four_validators_decide_twenty_heights() {
    let scenario = Scenario { heights: 20, ..Scenario::default() };
    let mut lines = Vec::new();
    let summary = run_traced(1, &scenario, &mut |line| lines.push(line.to_owned()));
    let summary = summary.unwrap_or_else(|failure| panic!("{failure}\n{}", lines.join("\n")));
    assert!(summary.height >= 20, "{summary:?}");
    assert_eq!(run(1, &scenario), Ok(summary), "a seed gives the same run");
}

#[test]
fn networks_hold_under_losses_partitions_and_crashes() {
    let faults = Scenario { faults: Faults::ALL, ..Scenario::default() };
    assert!(all_hold(0..40, &faults) > 40, "nodes crash");
    let seven = Scenario { nodes: 7, ..faults };
    assert!(all_hold(100..110, &seven) > 10, "nodes crash");
}

#[test]
fn a_run_with_faults_is_the_same_again() {
    let scenario = Scenario { faults: Faults::ALL, ..Scenario::default() };
    for seed in 0..5 {
        assert_eq!(run(seed, &scenario), run(seed, &scenario));
    }
}

#[test]
fn votes_that_count_twice_are_caught() {
    assert!(matches!(caught(Sabotage::VotesCountTwice), Some(Violation::Fork { .. })));
}

#[test]
fn votes_that_are_forgotten_are_caught() {
    assert!(matches!(caught(Sabotage::VotesAreForgotten), Some(Violation::Equivocation { .. })));
}
