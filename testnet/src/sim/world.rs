//! A run: the world from its beginning to its end, event by event.

use std::sync::Arc;
use std::time::Duration;

use ledger_formats::comet::TimeRule;
use mbft_types::LinearTimeouts;
use proofs::merkle::Hash;

use super::checks::{Checks, Elapsed, Failure, LIVENESS_BOUND, Violation};
use super::disk::Disk;
use super::network::Network;
use super::node::Node;
use super::queue::Queue;
use super::rng::Rng;
use super::scenario::{Sabotage, Scenario};
use super::schedule::Schedule;
use crate::chain::{ChainState, Change, Genesis, PrivateKey, Quorum, Rules, Time, power_transaction};
use crate::consensus::{Complaint, Config, Input, Message, Output, Pace, Receiver, TimerId, Validator, WireVersion};
use crate::store::{self, Format};

/// When the clocks of a run begin: some day of 2025.
const BEGINNING: Time = Time(1_750_000_000_000_000_000);
/// Events that no run needs.
const EVENTS_MAX: u64 = 3_000_000;

/// What happens.
enum Event {
    Deliver { from: usize, to: usize, bytes: Arc<[u8]> },
    Timer { node: usize, life: u32, timer: TimerId },
    Start { node: usize },
    Crash(usize),
    Load,
    Healed,
    MustLive,
}

/// What a run that holds was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Root over the blocks that all nodes have.
    pub root: Hash,
    /// Last height that all nodes have.
    pub height: u64,
    /// Events.
    pub events: u64,
    /// Starts of nodes after a crash.
    pub restarts: u64,
    /// Virtual time.
    pub elapsed: Duration,
}

struct World<'a> {
    scenario: Scenario,
    schedule: Schedule,
    rules: Rules,
    now: Time,
    queue: Queue<Event>,
    network: Network,
    nodes: Vec<Node>,
    checks: Checks,
    rng: Rng,
    events: u64,
    restarts: u64,
    load: u64,
    /// Height that all must reach after the faults, once they have ended.
    goal: Option<u64>,
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

fn execute(seed: u64, scenario: &Scenario, trace: Option<&mut dyn FnMut(&str)>) -> Result<Summary, Failure> {
    let mut world = World::new(seed, *scenario, trace);
    world.go().map_err(|violation| Failure { seed, at: Elapsed(world.now), violation })
}

impl<'a> World<'a> {
    fn new(seed: u64, scenario: Scenario, trace: Option<&'a mut dyn FnMut(&str)>) -> Self {
        let mut rng = Rng::new(seed, 3);
        let schedule = Schedule::new(seed, &scenario);
        let quorum = match scenario.sabotage {
            Sabotage::VotesCountTwice => Quorum { numerator: 1, denominator: 3 },
            _ => Quorum::TWO_THIRDS,
        };
        let rules = Rules { time: TimeRule::AllVotes, quorum, crypto: scenario.crypto };
        let keys: Vec<PrivateKey> = (0..scenario.nodes).map(|node| key(seed, node, scenario)).collect();
        let genesis = Genesis {
            chain_id: format!("sim-{seed}"),
            initial_height: if rng.chance(200) { rng.within(2, 2_000) } else { 1 },
            time: BEGINNING,
            validators: keys.iter().map(|key| (key.public(), rng.within(10, 14))).collect(),
            rules,
        };
        let state = ChainState::genesis(&genesis).expect("a genesis with validators");
        let node = |(key, skew): (PrivateKey, &i64)| Node {
            key,
            disk: Disk::new(&genesis, &state, Format::Old),
            validator: None,
            life: 0,
            fuse: None,
            down: Duration::ZERO,
            wire: WireVersion::V1,
            tip: 0,
            skew: *skew,
        };
        let nodes = keys.into_iter().zip(&schedule.skew).map(node).collect();
        let network = Network::new(seed);
        let (queue, checks) = (Queue::new(), Checks::default());
        let (events, restarts, load) = (0, 0, 0);
        let now = Time(0);
        Self {
            scenario,
            schedule,
            rules,
            now,
            queue,
            network,
            nodes,
            checks,
            rng,
            events,
            restarts,
            load,
            goal: None,
            trace,
        }
    }

    fn go(&mut self) -> Result<Summary, Violation> {
        for node in 0..self.nodes.len() {
            self.queue.plan(self.now, Event::Start { node });
        }
        for (number, crash) in self.schedule.crashes.iter().enumerate() {
            self.queue.plan(crash.at, Event::Crash(number));
        }
        self.queue.plan(self.schedule.healed_at, Event::Healed);
        self.queue.plan(Time(0), Event::Load);
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

    fn happen(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Deliver { from, to, bytes } => {
                let message = match Message::decode(&bytes) {
                    Ok(message) => message,
                    Err(error) => return Err(complaint(to, &error.to_string())),
                };
                let from = u32::try_from(from).expect("few nodes");
                self.input(to, Input::Message { from, message })
            }
            Event::Timer { node, life, timer } if self.nodes[node].life == life => {
                self.input(node, Input::Timer(timer))
            }
            Event::Timer { .. } => Ok(()),
            Event::Start { node } => self.start(node),
            Event::Crash(number) => {
                let crash = self.schedule.crashes[number];
                let node = &mut self.nodes[crash.node];
                (node.fuse, node.down) = (Some(crash.after_effects), crash.down);
                Ok(())
            }
            Event::Load => self.load(),
            Event::Healed => {
                self.nodes.iter_mut().for_each(|node| node.fuse = None);
                self.goal = self.nodes.iter().map(|node| node.tip).max().map(|tip| tip + 2);
                self.queue.plan(self.now.after(LIVENESS_BOUND), Event::MustLive);
                self.tell(|_| "the faults have ended".to_owned());
                Ok(())
            }
            Event::MustLive => self.must_live(),
        }
    }

    fn must_live(&self) -> Result<(), Violation> {
        let expected = self.goal.unwrap_or(0);
        match self.nodes.iter().enumerate().find(|(_, node)| node.tip < expected) {
            Some((node, it)) => Err(Violation::Stalled { node, bound: LIVENESS_BOUND, expected, actual: it.tip }),
            None => Ok(()),
        }
    }

    fn start(&mut self, place: usize) -> Result<(), Violation> {
        let (rules, config, now) = (self.rules, config(), self.now);
        let node = &mut self.nodes[place];
        let recovered = node.disk.recover(rules);
        let recovered = recovered.map_err(|error| Violation::CannotStart { node: place, reason: error.to_string() })?;
        let stored = recovered.unapplied.as_ref().map_or(recovered.state.last_height, |it| it.block.header.height);
        if stored < node.tip {
            return Err(Violation::LostHeight { node: place, expected: node.tip, actual: stored });
        }
        let (validator, outputs) = Validator::start(config, node.signer(), recovered, node.clock(now));
        node.validator = Some(validator);
        self.tell(|_| format!("node {place} starts at height {stored}"));
        self.perform(place, outputs)
    }

    fn input(&mut self, place: usize, input: Input) -> Result<(), Violation> {
        let node = &mut self.nodes[place];
        let clock = node.clock(self.now);
        let Some(validator) = &mut node.validator else { return Ok(()) };
        let outputs = validator.handle(clock, input);
        self.perform(place, outputs)
    }

    /// Carries out what a validator wants, until it dies.
    fn perform(&mut self, place: usize, outputs: Vec<Output>) -> Result<(), Violation> {
        let sabotage = self.scenario.sabotage;
        for output in outputs {
            if self.nodes[place].burns_down() {
                self.crash(place);
                return Ok(());
            }
            match self.nodes[place].keep(output, sabotage) {
                None => {}
                Some(Output::Send { to, message }) => self.send(place, to, &message)?,
                Some(Output::SetTimer { timer, after }) => {
                    let event = Event::Timer { node: place, life: self.nodes[place].life, timer };
                    self.queue.plan(self.now.after(after), event);
                }
                Some(Output::SaveBlock(decided)) => {
                    let height = decided.block.header.height;
                    self.checks.stored(place, height, decided.id)?;
                    let node = &mut self.nodes[place];
                    node.disk.save_block(&decided);
                    node.tip = height;
                    let (id, txs) = (decided.id, decided.block.txs.len());
                    let round = decided.seen_commit.round;
                    self.tell(|_| {
                        format!("node {place} stores block {id} of height {height}, round {round}, {txs} txs")
                    });
                }
                Some(Output::ServeBlock { to, height }) => self.serve(place, to, height)?,
                Some(Output::Complain(what)) => self.complain(place, &what)?,
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn crash(&mut self, place: usize) {
        let down = self.nodes[place].down;
        let node = &mut self.nodes[place];
        node.disk.crash(&mut self.rng);
        node.validator = None;
        node.life += 1;
        self.restarts += 1;
        self.queue.plan(self.now.after(down), Event::Start { node: place });
        self.tell(|_| format!("node {place} dies"));
    }

    fn send(&mut self, from: usize, to: Receiver, message: &Message) -> Result<(), Violation> {
        self.checks.sent(self.nodes[from].key.public().address(), message)?;
        let mut encoded: [Option<Arc<[u8]>>; 2] = [None, None];
        let receivers: Vec<usize> = match to {
            Receiver::All => (0..self.nodes.len()).filter(|node| *node != from).collect(),
            Receiver::Peer(node) => vec![node as usize],
        };
        for to in receivers {
            let Some(delay) = self.network.delay(&self.schedule, from, to, self.now) else { continue };
            let version = self.nodes[from].wire.min(self.nodes[to].wire);
            let bytes = encoded[version as usize].get_or_insert_with(|| message.encode(version).into());
            let event = Event::Deliver { from, to, bytes: Arc::clone(bytes) };
            self.queue.plan(self.now.after(delay), event);
        }
        Ok(())
    }

    fn serve(&mut self, place: usize, to: u32, height: u64) -> Result<(), Violation> {
        let disk = &self.nodes[place].disk;
        match store::served(&disk.blocks, disk.format, height) {
            Ok(Some((block, commit))) => {
                self.send(place, Receiver::Peer(to), &Message::Block { height, block, commit })
            }
            Ok(None) => Ok(()),
            Err(error) => Err(complaint(place, &error.to_string())),
        }
    }

    /// No validator of a network whose faults are losses and crashes has anything to complain of.
    fn complain(&mut self, place: usize, what: &Complaint) -> Result<(), Violation> {
        self.tell(|_| format!("node {place}: {what}"));
        Err(complaint(place, &what.to_string()))
    }

    /// Somebody sends a transaction to some node; now and then one that changes the validators.
    fn load(&mut self) -> Result<(), Violation> {
        self.load += 1;
        let place = self.rng.place(self.nodes.len());
        let tx = if self.rng.chance(60) {
            let public_key = self.nodes[self.rng.place(self.nodes.len())].key.public();
            power_transaction(&Change { public_key, power: self.rng.within(8, 16) })
        } else {
            let length = if self.rng.chance(10) { 70_000 } else { self.rng.place(150) };
            [format!("key{}=", self.load).into_bytes(), vec![b'x'; length]].concat()
        };
        let pause = self.rng.within(20, 120);
        self.queue.plan(self.now.after(Duration::from_millis(pause)), Event::Load);
        self.input(place, Input::Transaction(tx))
    }

    fn is_over(&self) -> bool {
        let first =
            self.nodes.iter().filter_map(|node| node.validator.as_ref()).map(|it| it.state().initial_height).next();
        let target = self.scenario.heights + first.unwrap_or(1) - 1;
        let goal = self.goal.map(|goal| goal.max(target));
        goal.is_some_and(|goal| self.nodes.iter().all(|node| node.tip >= goal))
    }

    /// Compares what the nodes have in the end.
    fn conclude(&mut self) -> Result<Summary, Violation> {
        let height = self.nodes.iter().map(|node| node.tip).min().unwrap_or(0);
        let mut first: Option<Hash> = None;
        for (place, node) in self.nodes.iter().enumerate() {
            let failed = |error: store::LoadError| complaint(place, &error.to_string());
            let actual = store::root(&node.disk.blocks, node.disk.format, height).map_err(failed)?;
            let expected = *first.get_or_insert(actual);
            if expected != actual {
                let (expected, actual) = (hex::encode(expected), hex::encode(actual));
                return Err(Violation::Root { node: place, height, expected, actual });
            }
        }
        let elapsed = self.now.since(Time(0));
        let root = first.unwrap_or_default();
        Ok(Summary { root, height, events: self.events, restarts: self.restarts, elapsed })
    }

    fn tell(&mut self, words: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let line = format!("{} {}", Elapsed(self.now), words(self));
            if let Some(trace) = &mut self.trace {
                trace(&line);
            }
        }
    }
}

fn complaint(node: usize, complaint: &str) -> Violation {
    Violation::Complaint { node, complaint: complaint.to_owned() }
}

fn key(seed: u64, node: usize, scenario: Scenario) -> PrivateKey {
    let mut rng = Rng::new(seed, 1_000 + node as u64);
    let mut bytes = [0; 32];
    bytes.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&rng.next().to_le_bytes()));
    PrivateKey::from_seed(bytes, scenario.crypto)
}

/// How fast simulated validators go.
fn config() -> Config {
    let millis = Duration::from_millis;
    let delta = millis(30);
    let rounds = LinearTimeouts {
        propose: millis(300),
        propose_delta: delta,
        prevote: millis(100),
        prevote_delta: delta,
        precommit: millis(100),
        precommit_delta: delta,
        rebroadcast: millis(600),
        max_timeout: millis(2_000),
    };
    let pace = Pace { rounds, commit: millis(60), catch_up: millis(500) };
    Config { pace, block_tx_bytes_max: 200_000 }
}
