//! A run: the world from its beginning to its end, event by event.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ledger_formats::comet::TimeRule;
use node_migrate::rollout::fact::Action;
use proofs::merkle::Hash;

use super::checks::{Checks, Elapsed, Failure, Violation};
use super::disk::Disk;
use super::network::Network;
use super::node::Node;
use super::pace;
use super::queue::Queue;
use super::rng::Rng;
use super::rollout::Controller;
use super::scenario::{Sabotage, Scenario};
use super::schedule::{Schedule, Trouble};
use super::wires::Wires;
use crate::chain::{ChainState, Genesis, PrivateKey, Quorum, Rules, Time};
use crate::consensus::{Config, Input, TimerId};
use crate::store::{Format, HomeError};

/// When the clocks of a run begin: some day of 2025.
const BEGINNING: Time = Time(1_750_000_000_000_000_000);
/// Events that no run needs.
const EVENTS_MAX: u64 = 3_000_000;

/// What happens.
pub(super) enum Event {
    Deliver { from: usize, to: usize, bytes: Arc<[u8]> },
    Timer { node: usize, life: u32, timer: TimerId },
    Start { node: usize },
    Crash(usize),
    Load,
    Healed,
    MustLive,
    MustGrow { height: u64 },
    ControllerStarts,
    ControllerDies { facts: u32 },
    Look { life: u32 },
    Act { node: usize, action: Action, life: u32 },
    RolloutMustEnd,
}

/// What a run that holds was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Root over the blocks that all nodes have.
    pub root: Hash,
    /// Heights that all nodes have.
    pub heights: u64,
    /// Events.
    pub events: u64,
    /// Starts of nodes after a crash.
    pub restarts: u64,
    /// Nodes in the new format.
    pub migrated: u64,
    /// Whether the rollout, if there was one, went through all its stages.
    pub completed: bool,
    /// Virtual time.
    pub elapsed: Duration,
}

pub(super) struct World<'a> {
    pub(super) scenario: Scenario,
    pub(super) schedule: Schedule,
    pub(super) genesis: Genesis,
    pub(super) config: Config,
    pub(super) now: Time,
    pub(super) queue: Queue<Event>,
    pub(super) network: Network,
    pub(super) wires: Wires,
    pub(super) nodes: Vec<Node>,
    pub(super) checks: Checks,
    pub(super) rng: Rng,
    pub(super) controller: Option<Controller>,
    /// How the rollout ended: whether it went through all its stages.
    pub(super) rollout: Option<bool>,
    pub(super) events: u64,
    pub(super) restarts: u64,
    /// Transactions sent.
    pub(super) sent: u64,
    /// Height that all must reach after the faults, once they have ended.
    pub(super) goal: Option<u64>,
    trace: Option<&'a mut dyn FnMut(&str)>,
}

/// Runs a seed.
///
/// # Errors
/// What does not hold.
pub fn run(seed: u64, scenario: &Scenario) -> Result<Summary, Failure> {
    execute(seed, scenario, None)
}

/// Runs a seed and tells what happens, line by line.
///
/// # Errors
/// What does not hold.
pub fn run_traced(seed: u64, scenario: &Scenario, trace: &mut dyn FnMut(&str)) -> Result<Summary, Failure> {
    execute(seed, scenario, Some(trace))
}

/// Runs a seed and writes what each node has in the end as a home below `folder`.
///
/// # Errors
/// What does not hold; or why a home cannot be written.
pub fn run_to_homes(seed: u64, scenario: &Scenario, folder: &Path) -> Result<Result<Summary, Failure>, HomeError> {
    let mut world = World::new(seed, *scenario, None);
    match world.go() {
        Ok(summary) => world.write_homes(folder).map(|()| Ok(summary)),
        Err(violation) => Ok(Err(Failure { seed, at: Elapsed(world.now), violation })),
    }
}

fn execute(seed: u64, scenario: &Scenario, trace: Option<&mut dyn FnMut(&str)>) -> Result<Summary, Failure> {
    let mut world = World::new(seed, *scenario, trace);
    world.go().map_err(|violation| Failure { seed, at: Elapsed(world.now), violation })
}

impl<'a> World<'a> {
    fn new(seed: u64, scenario: Scenario, trace: Option<&'a mut dyn FnMut(&str)>) -> Self {
        let mut rng = Rng::new(seed, 3);
        let schedule = Schedule::new(seed, &scenario);
        let keys: Vec<PrivateKey> = (0..scenario.nodes).map(|node| key(seed, node, scenario)).collect();
        let genesis = genesis(seed, &scenario, &keys, &mut rng);
        let state = ChainState::genesis(&genesis).expect("a genesis with validators");
        let disk = Disk::new(&genesis, &state, Format::Old);
        let node = |(key, skew): (PrivateKey, &i64)| Node::new(key, disk.clone(), *skew);
        let nodes: Vec<Node> = keys.into_iter().zip(&schedule.skew).map(node).collect();
        let wires = Wires::of(&nodes, &genesis.chain_id).expect("nodes of one kind speak with each other");
        let controller = scenario.rollout.then(|| Controller::new(scenario.nodes, schedule.migrate_back));
        Self {
            scenario,
            config: pace::config(scenario.rollout),
            network: Network::new(seed),
            wires,
            controller,
            rollout: None,
            schedule,
            genesis,
            nodes,
            rng,
            now: Time(0),
            queue: Queue::new(),
            checks: Checks::default(),
            events: 0,
            restarts: 0,
            sent: 0,
            goal: None,
            trace,
        }
    }

    fn go(&mut self) -> Result<Summary, Violation> {
        self.plan_all();
        while let Some((time, event)) = self.queue.next() {
            self.now = time;
            self.events += 1;
            if self.events > EVENTS_MAX {
                return Err(Violation::Endless { events: self.events });
            }
            self.happen(event)?;
            if self.is_over() {
                break;
            }
        }
        self.conclude()
    }

    fn plan_all(&mut self) {
        for node in 0..self.nodes.len() {
            self.queue.plan(self.now, Event::Start { node });
        }
        for (number, crash) in self.schedule.crashes.iter().enumerate() {
            self.queue.plan(crash.at, Event::Crash(number));
        }
        self.queue.plan(self.schedule.healed_at, Event::Healed);
        self.queue.plan(self.now, Event::Load);
        if self.scenario.rollout {
            self.queue.plan(self.now.after(pace::BEFORE_ROLLOUT), Event::ControllerStarts);
            self.queue.plan(self.now.after(pace::ROLLOUT_BOUND), Event::RolloutMustEnd);
            for (at, facts) in &self.schedule.controller_deaths {
                self.queue.plan(*at, Event::ControllerDies { facts: *facts });
            }
            for (node, _) in self.schedule.troubles.iter().filter(|(_, trouble)| *trouble == Trouble::Lies) {
                self.nodes[*node].lies = true;
            }
        }
    }

    fn happen(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Deliver { from, to, bytes } => self.deliver(from, to, &bytes),
            Event::Timer { node, life, timer } if self.nodes[node].life == life => {
                self.input(node, Input::Timer(timer))
            }
            Event::Timer { .. } => Ok(()),
            Event::Start { node } => self.start(node),
            Event::Crash(number) => {
                let crash = self.schedule.crashes[number];
                let node = &mut self.nodes[crash.node];
                if node.validator.is_some() {
                    (node.fuse, node.down) = (Some(crash.after_effects), crash.down);
                }
                Ok(())
            }
            Event::Load => self.load(),
            Event::Healed => self.healed(),
            Event::MustLive => self.must_live(),
            Event::MustGrow { height } => self.must_grow(height),
            Event::ControllerStarts => self.controller_starts(),
            Event::ControllerDies { facts } => {
                if let Some(controller) = &mut self.controller {
                    controller.dies_after(facts);
                }
                Ok(())
            }
            Event::Look { life } => self.look(life),
            Event::Act { node, action, life } => self.acted(node, action, life),
            Event::RolloutMustEnd if self.rollout.is_none() => Err(Violation::Rollout { bound: pace::ROLLOUT_BOUND }),
            Event::RolloutMustEnd => Ok(()),
        }
    }

    /// Milliseconds since 1970 by a true clock.
    pub(super) fn wall_ms(&self) -> u64 {
        u64::try_from((BEGINNING.0 + self.now.0) / 1_000_000).expect("after 1970")
    }

    /// The greatest height that a node has.
    pub(super) fn top(&self) -> u64 {
        self.nodes.iter().map(|node| node.tip).max().unwrap_or(0)
    }

    pub(super) fn tell(&mut self, words: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let line = format!("{} {}", Elapsed(self.now), words(self));
            if let Some(trace) = &mut self.trace {
                trace(&line);
            }
        }
    }
}

fn key(seed: u64, node: usize, scenario: Scenario) -> PrivateKey {
    let mut rng = Rng::new(seed, 1_000 + node as u64);
    let mut bytes = [0; 32];
    bytes.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&rng.next().to_le_bytes()));
    PrivateKey::from_seed(bytes, scenario.crypto)
}

fn genesis(seed: u64, scenario: &Scenario, keys: &[PrivateKey], rng: &mut Rng) -> Genesis {
    let quorum = match scenario.sabotage {
        Sabotage::VotesCountTwice => Quorum { numerator: 1, denominator: 3 },
        _ => Quorum::TWO_THIRDS,
    };
    let power = |rng: &mut Rng| if scenario.rollout { 10 } else { rng.within(10, 14) };
    Genesis {
        chain_id: format!("sim-{seed}"),
        initial_height: if rng.chance(200) { rng.within(2, 2_000) } else { 1 },
        time: BEGINNING,
        validators: keys.iter().map(|key| (key.public(), power(rng))).collect(),
        rules: Rules { time: TimeRule::AllVotes, quorum, crypto: scenario.crypto },
    }
}
