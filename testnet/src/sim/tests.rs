//! Runs that must hold, and broken programs that must not.

use super::{Faults, Sabotage, Scenario, Violation, run, run_traced};
use crate::chain::Crypto;

/// Runs seeds that must all hold; returns how often nodes started again.
fn all_hold(seeds: std::ops::Range<u64>, scenario: &Scenario) -> u64 {
    seeds.map(|seed| run(seed, scenario).unwrap_or_else(|failure| panic!("{failure}")).restarts).sum()
}

/// What the checks find first in a broken program.
fn caught(sabotage: Sabotage, scenario: Scenario) -> Option<Violation> {
    let broken = Scenario { sabotage, ..scenario };
    let failure = (0..200).find_map(|seed| run(seed, &broken).err())?;
    let whole = run(failure.seed, &scenario);
    assert!(whole.is_ok(), "seed {} holds with the program as it is: {whole:?}", failure.seed);
    Some(failure.violation)
}

const FAULTS: Scenario = Scenario {
    nodes: 4,
    heights: 15,
    rollout: false,
    faults: Faults::ALL,
    crypto: Crypto::Checksum,
    sabotage: Sabotage::None,
};

/// A rollout in which nothing but migrations goes wrong.
const ROLLOUT: Scenario =
    Scenario { rollout: true, faults: Faults { network: false, crashes: false, migrations: true }, ..FAULTS };

#[test]
fn four_validators_decide_twenty_heights() {
    let scenario = Scenario { heights: 20, ..Scenario::default() };
    let mut lines = Vec::new();
    let summary = run_traced(1, &scenario, &mut |line| lines.push(line.to_owned()));
    let summary = summary.unwrap_or_else(|failure| panic!("{failure}\n{}", lines.join("\n")));
    assert!(summary.heights >= 20, "{summary:?}");
    assert_eq!(run(1, &scenario), Ok(summary), "a seed gives the same run");
}

#[test]
fn networks_hold_under_losses_partitions_and_crashes() {
    assert!(all_hold(0..40, &FAULTS) > 40, "nodes crash");
    let seven = Scenario { nodes: 7, ..FAULTS };
    assert!(all_hold(100..110, &seven) > 10, "nodes crash");
}

#[test]
fn a_run_with_faults_is_the_same_again() {
    for seed in 0..5 {
        assert_eq!(run(seed, &FAULTS), run(seed, &FAULTS));
    }
    let rollout = Scenario { rollout: true, ..FAULTS };
    assert_eq!(run(1, &rollout), run(1, &rollout));
}

#[test]
fn votes_that_count_twice_are_caught() {
    assert!(matches!(caught(Sabotage::VotesCountTwice, FAULTS), Some(Violation::Fork { .. })));
}

#[test]
fn votes_that_are_forgotten_are_caught() {
    assert!(matches!(caught(Sabotage::VotesAreForgotten, FAULTS), Some(Violation::Equivocation { .. })));
}

#[test]
fn a_rollout_goes_through_all_its_stages_while_blocks_are_made() {
    for (seed, nodes) in [(0, 4), (1, 7)] {
        let scenario = Scenario { nodes, faults: Faults::default(), ..ROLLOUT };
        let summary = run(seed, &scenario).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!((summary.completed, summary.migrated), (true, nodes as u64), "{summary:?}");
        assert!(summary.heights > 30, "three soaks of ten heights: {summary:?}");
    }
}

#[test]
fn rollouts_hold_whatever_goes_wrong() {
    let everything = Scenario { faults: Faults::ALL, ..ROLLOUT };
    assert!(all_hold(0..10, &everything) > 10, "nodes crash");
    let halted = (0..12).filter(|seed| run(*seed, &ROLLOUT).is_ok_and(|summary| !summary.completed)).count();
    assert!((2..12).contains(&halted), "{halted} of 12 rollouts were halted by what went wrong");
}

#[test]
fn stores_are_what_node_migrate_verifies_too() {
    // Losses and crashes make rounds, nil votes and absent signatures; everything is signed by real keys.
    let real = Scenario { crypto: Crypto::Ed25519, ..FAULTS };
    all_hold(0..3, &real);
    let rollout = Scenario { crypto: Crypto::Ed25519, heights: 5, ..ROLLOUT };
    all_hold(0..3, &rollout);
}

#[test]
fn a_removed_gate_is_caught() {
    let violation = caught(Sabotage::AttestationsAreNotCompared, ROLLOUT);
    assert!(matches!(violation, Some(Violation::Undetected { .. })), "{violation:?}");
}

#[test]
fn copies_that_nobody_verifies_are_caught() {
    let violation = caught(Sabotage::CopiesAreNotVerified, ROLLOUT);
    assert!(matches!(violation, Some(Violation::Verdict { .. })), "{violation:?}");
}
