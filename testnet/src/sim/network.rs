//! The network: whether and when a message arrives.

use std::time::Duration;

use super::rng::Rng;
use super::schedule::Schedule;
use crate::chain::Time;

/// How long a message takes at least and at most, and how long a late one, in microseconds.
const LATENCY_US: (u64, u64) = (2_000, 12_000);
const LATE_US: (u64, u64) = (50_000, 800_000);

/// The network of a run.
#[derive(Debug)]
pub(super) struct Network {
    rng: Rng,
}

impl Network {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed, 2) }
    }

    /// How long a message that is sent now is on its way; `None` if it never arrives.
    pub(super) fn delay(&mut self, schedule: &Schedule, from: usize, to: usize, now: Time) -> Option<Duration> {
        // The same numbers are drawn whatever becomes of the message, so that runs that differ in one thing stay alike.
        let (is_lost, is_late) = (self.rng.chance(schedule.loss), self.rng.chance(schedule.late));
        let (usual, late) = (self.rng.within(LATENCY_US.0, LATENCY_US.1), self.rng.within(LATE_US.0, LATE_US.1));
        let is_faulty = now < schedule.healed_at;
        let is_parted = schedule.partitions.iter().any(|partition| {
            (partition.from..partition.to).contains(&now) && (partition.side >> from ^ partition.side >> to) & 1 == 1
        });
        if is_faulty && (is_lost || is_parted) {
            return None;
        }
        Some(Duration::from_micros(if is_faulty && is_late { late } else { usual }))
    }
}
