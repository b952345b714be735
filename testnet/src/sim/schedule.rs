//! What goes wrong, and when: made from the seed before the run begins.

use std::time::Duration;

use super::rng::Rng;
use super::scenario::Scenario;
use crate::chain::Time;

/// A time during which the network is cut in two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Partition {
    pub(super) from: Time,
    pub(super) to: Time,
    /// Bit i: the side of node i.
    pub(super) side: u64,
}

/// A node that dies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crash {
    pub(super) at: Time,
    pub(super) node: usize,
    /// Effects that it carries out before.
    pub(super) after_effects: u32,
    /// How long it stays down.
    pub(super) down: Duration,
}

/// The faults of a run.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// When the faults end.
    pub(super) healed_at: Time,
    /// Messages lost, of a thousand.
    pub(super) loss: u64,
    /// Messages that are much later than others, of a thousand.
    pub(super) late: u64,
    pub(super) partitions: Vec<Partition>,
    pub(super) crashes: Vec<Crash>,
    /// How wrong the nodes' clocks are, in nanoseconds.
    pub(super) skew: Vec<i64>,
}

/// How long faults go on.
const FAULTS_MS: (u64, u64) = (1_000, 5_000);

impl Schedule {
    pub(super) fn new(seed: u64, scenario: &Scenario) -> Self {
        let mut rng = Rng::new(seed, 1);
        let faults = scenario.faults;
        let end = if faults.network || faults.crashes { rng.within(FAULTS_MS.0, FAULTS_MS.1) } else { 0 };
        let skew = |rng: &mut Rng| i64::try_from(rng.within(0, 100_000_000)).expect("small") - 50_000_000;
        let mut schedule = Self {
            healed_at: at(end),
            loss: 0,
            late: 0,
            partitions: Vec::new(),
            crashes: Vec::new(),
            skew: (0..scenario.nodes).map(|_| skew(&mut rng)).collect(),
        };
        if faults.network {
            schedule.loss = rng.within(0, 60);
            schedule.late = rng.within(0, 40);
            for _ in 0..rng.within(0, 4) {
                let from = rng.within(0, end);
                let to = (from + rng.within(50, 2_000)).min(end);
                let side = rng.within(1, 1 << scenario.nodes);
                schedule.partitions.push(Partition { from: at(from), to: at(to), side });
            }
        }
        if faults.crashes {
            for _ in 0..rng.within(1, 9) {
                schedule.crashes.push(Crash {
                    at: at(rng.within(0, end)),
                    node: rng.place(scenario.nodes),
                    after_effects: u32::try_from(rng.within(0, 60)).expect("small"),
                    down: Duration::from_millis(rng.within(1, 1_500)),
                });
            }
        }
        schedule
    }
}

fn at(millis: u64) -> Time {
    Time(0).after(Duration::from_millis(millis))
}
