//! The time of a block as its last commit determines it: the weighted median of the votes' times.
//!
//! Releases differ, without a height at which the rule changed: 0.34 to 0.39 and 1.0 count every vote that is
//! not absent, 0.40.0 only those for the block. Where a commit holds votes for nil the two can give different
//! times, and each release refuses the other's block. So a time is wrong only if it is wrong by both rules.
//! The first block has the genesis time, and blocks of proposer-based time (v1.0) have the proposer's.
//! Source: state/state.go `MedianTime`, types/time `WeightedMedian`.

use std::collections::HashMap;

use proofs::commit::{Flag, Timestamp};

use super::commit::Commit;
use super::validators::ValidatorSet;

/// Which votes count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeRule {
    /// Every vote that is not absent: 0.34 to 0.39, 1.0.
    AllVotes,
    /// Votes for the block: 0.40.0.
    VotesForBlock,
}

/// Time of the block that holds `commit`, whose votes are by `validators`; `None` if no vote counts. Votes of
/// addresses that are not in the set do not count.
#[must_use]
pub fn median_time(commit: &Commit<'_>, validators: &ValidatorSet<'_>, rule: TimeRule) -> Option<Timestamp> {
    let mut powers = Powers { validators, by_address: None };
    let mut votes: Vec<(Timestamp, u64)> = Vec::with_capacity(commit.signatures.len());
    for (index, signature) in commit.signatures.iter().enumerate() {
        let counts = match rule {
            TimeRule::AllVotes => signature.flag != Flag::Absent,
            TimeRule::VotesForBlock => signature.flag == Flag::Commit,
        };
        if counts && let Some(power) = powers.of(index, signature.address) {
            votes.push((signature.time, power));
        }
    }
    votes.sort_unstable();
    let total: u128 = votes.iter().map(|(_, power)| u128::from(*power)).sum();
    let mut median = total / 2;
    for (time, power) in votes {
        let power = u128::from(power);
        if median <= power {
            return Some(time);
        }
        median -= power;
    }
    None
}

/// Powers by address. Places of a commit are those of the set, so that the map is hardly ever made.
struct Powers<'a> {
    validators: &'a ValidatorSet<'a>,
    by_address: Option<HashMap<&'a [u8], u64>>,
}

impl Powers<'_> {
    fn of(&mut self, index: usize, address: &[u8]) -> Option<u64> {
        let validators = &self.validators.validators;
        match validators.get(index) {
            Some(validator) if validator.address == address => Some(validator.voting_power),
            _ => {
                let entry = |index: usize| validators.get(index).map(|it| (it.address, it.voting_power));
                let by_address = self
                    .by_address
                    // From back to front, so that of equal addresses the first counts, as upstream's search finds it.
                    .get_or_insert_with(|| (0..validators.len()).rev().filter_map(entry).collect());
                by_address.get(address).copied()
            }
        }
    }
}
