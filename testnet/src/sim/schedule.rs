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

/// Something that goes wrong in the migration of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Its copy ends by a signal.
    CopyIsKilled,
    /// Its copy is not what was read.
    CopyIsWrong,
    /// Its disk fills while it is copied.
    DiskIsFull,
    /// Its copy is damaged between verification and cut-over.
    DamageAfterVerification,
    /// It exits at its start in the new format.
    DoesNotStart,
    /// It attests to another chain than it has, from the beginning.
    Lies,
}

const TROUBLES: [Trouble; 6] = [
    Trouble::CopyIsKilled,
    Trouble::CopyIsWrong,
    Trouble::DiskIsFull,
    Trouble::DamageAfterVerification,
    Trouble::DoesNotStart,
    Trouble::Lies,
];

/// The faults of a run.
#[derive(Clone, Debug, Default)]
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
    /// What goes wrong in migrations, by node.
    pub(super) troubles: Vec<(usize, Trouble)>,
    /// When the controller dies, and after how many more facts.
    pub(super) controller_deaths: Vec<(Time, u32)>,
    /// What becomes of nodes of a failed stage that have made new heights.
    pub(super) migrate_back: bool,
}

/// How long faults go on, in milliseconds: in a network alone, and during a rollout.
const ALONE_MS: (u64, u64) = (1_000, 5_000);
const ROLLOUT_MS: (u64, u64) = (5_000, 40_000);

impl Schedule {
    pub(super) fn new(seed: u64, scenario: &Scenario) -> Self {
        let mut rng = Rng::new(seed, 1);
        let faults = scenario.faults;
        let range = if scenario.rollout { ROLLOUT_MS } else { ALONE_MS };
        let end = if faults.network || faults.crashes { rng.within(range.0, range.1) } else { 0 };
        let skew = |rng: &mut Rng| i64::try_from(rng.within(0, 100_000_000)).expect("small") - 50_000_000;
        let mut schedule = Self {
            healed_at: at(end),
            skew: (0..scenario.nodes).map(|_| skew(&mut rng)).collect(),
            migrate_back: rng.chance(500),
            ..Self::default()
        };
        if faults.network {
            schedule.network(&mut rng, scenario.nodes, end);
        }
        if faults.crashes {
            schedule.crash(&mut rng, scenario.nodes, end);
        }
        if faults.migrations && scenario.rollout {
            schedule.trouble(&mut rng, scenario.nodes);
        }
        schedule
    }

    fn network(&mut self, rng: &mut Rng, nodes: usize, end: u64) {
        self.loss = rng.within(0, 60);
        self.late = rng.within(0, 40);
        for _ in 0..rng.within(0, 4) {
            let from = rng.within(0, end);
            let to = (from + rng.within(50, 2_000)).min(end);
            let side = rng.within(1, 1 << nodes);
            self.partitions.push(Partition { from: at(from), to: at(to), side });
        }
    }

    fn crash(&mut self, rng: &mut Rng, nodes: usize, end: u64) {
        for _ in 0..rng.within(1, 9) {
            self.crashes.push(Crash {
                at: at(rng.within(0, end)),
                node: rng.place(nodes),
                after_effects: u32::try_from(rng.within(0, 60)).expect("small"),
                down: Duration::from_millis(rng.within(1, 1_500)),
            });
        }
    }

    fn trouble(&mut self, rng: &mut Rng, nodes: usize) {
        for _ in 0..rng.within(0, 3) {
            self.troubles.push((rng.place(nodes), TROUBLES[rng.place(TROUBLES.len())]));
        }
        for _ in 0..rng.within(0, 5) {
            let facts = u32::try_from(rng.within(0, 8)).expect("small");
            self.controller_deaths.push((at(rng.within(0, 60_000)), facts));
        }
    }
}

fn at(millis: u64) -> Time {
    Time(0).after(Duration::from_millis(millis))
}
