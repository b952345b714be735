//! A network in memory: nodes that make blocks while more than two thirds of the power run, whose
//! stores have heights, and which break on request. Doing what must not be done twice is a panic.

use std::collections::{BTreeMap, BTreeSet};

use crate::rollout::fact::{Action, Entry, Fact, Outcome};
use crate::rollout::observation::{
    Attestation, HomeSeen, NodeSeen, Observations, Prepared, Process, RpcSeen, Sample, Side,
};
use crate::rollout::plan::{NodeName, Plan};
use crate::rollout::state::State;
use crate::rollout::step::{Order, Rest, rest, step};

/// What is wrong with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nothing of it can be seen.
    Unreachable,
    /// Its copy ends by a signal.
    CopyKilled,
    /// Its disk fills while it is copied.
    DiskFull,
    /// Its new store is changed after the verification.
    CorruptAfterVerify,
    /// It exits at its start in the new format.
    DoesNotStart,
    /// It starts in the new format and dies.
    Crashes,
    /// It attests to another chain.
    Lies,
    /// It stops following in the new format.
    Lags,
    /// It logs errors in the new format.
    Errors,
    /// Its start command fails in every format.
    StartFails,
}

#[derive(Clone, Debug)]
pub struct WorldNode {
    pub running: bool,
    pub side: Side,
    pub prepared: Prepared,
    /// Heights of the old and of the new store.
    pub old_height: u64,
    pub new_height: u64,
    pub faults: BTreeSet<Fault>,
    errors: u64,
    signed: u64,
    missed: u64,
}

impl WorldNode {
    pub fn height(&self) -> u64 {
        if self.side == Side::New { self.new_height } else { self.old_height }
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

pub struct World {
    pub plan: Plan,
    pub nodes: BTreeMap<NodeName, WorldNode>,
    pub height: u64,
    pub now_ms: u64,
    sampled: u64,
    /// Actions that took effect.
    pub done: Vec<(NodeName, Action)>,
}

impl World {
    pub fn new(plan: Plan) -> Self {
        let node = WorldNode {
            running: true,
            side: Side::Old,
            prepared: Prepared::Nothing,
            old_height: 100,
            new_height: 0,
            faults: BTreeSet::new(),
            errors: 0,
            signed: 100,
            missed: 0,
        };
        let nodes = plan.nodes.keys().map(|name| (name.clone(), node.clone())).collect();
        Self { plan, nodes, height: 100, now_ms: 1_000_000, sampled: 100, done: Vec::new() }
    }

    pub fn with(mut self, node: &str, fault: Fault) -> Self {
        self.node(node).faults.insert(fault);
        self
    }

    pub fn node(&mut self, node: &str) -> &mut WorldNode {
        self.nodes.get_mut(&super::name(node)).expect("a node")
    }

    /// A second passes: crashes happen, a block is made if enough power runs, those that run follow.
    pub fn tick(&mut self) {
        self.now_ms += 1000;
        for node in self.nodes.values_mut().filter(|node| node.has(Fault::Crashes) && node.side == Side::New) {
            node.running = false;
        }
        let power = |name: &NodeName| self.plan.nodes[name].power;
        let running: u64 = self.nodes.iter().filter(|(_, node)| node.running).map(|(name, _)| power(name)).sum();
        let total: u64 = self.plan.nodes.values().map(|node| node.power).sum();
        assert!(running * 3 > total * 2, "the network stands: {running} of {total} run");
        self.height += 1;
        for node in self.nodes.values_mut() {
            let follows = node.running && !(node.has(Fault::Lags) && node.side == Side::New);
            if follows {
                // Five blocks a second until it is level.
                let height = (node.height() + 5).min(self.height);
                let level = height == self.height;
                if node.side == Side::New {
                    node.new_height = height
                } else {
                    node.old_height = height
                }
                node.signed = if level { self.height } else { node.signed };
                node.missed += u64::from(!level);
            } else {
                node.missed += 1;
            }
            if node.running && node.has(Fault::Errors) && node.side == Side::New {
                node.errors += 1;
            }
        }
    }

    pub fn observe(&mut self) -> Observations {
        let sample = Sample {
            after_height: self.sampled,
            to_height: self.height,
            from_time_ms: self.sampled * 1000,
            to_time_ms: self.height * 1000,
            missed: self.nodes.iter().map(|(name, node)| (name.clone(), node.missed)).collect(),
            signed: self.nodes.iter().map(|(name, node)| (name.clone(), node.signed)).collect(),
            skipped_heights: 0,
            begins_anew: false,
        };
        self.sampled = self.height;
        self.nodes.values_mut().for_each(|node| node.missed = 0);
        let nodes = self.nodes.iter().map(|(name, node)| (name.clone(), self.seen(node))).collect();
        Observations { nodes, chain: Some(sample) }
    }

    fn seen(&self, node: &WorldNode) -> NodeSeen {
        if node.has(Fault::Unreachable) {
            return NodeSeen::unreachable("no route to host");
        }
        let interval = self.plan.gates.attestation_interval_heights;
        let height = node.height();
        let root = if node.has(Fault::Lies) { [6; 32] } else { [1; 32] };
        NodeSeen {
            process: if node.running { Process::Running } else { Process::Stopped },
            home: Ok(HomeSeen { side: node.side, prepared: node.prepared, detail: "in memory".to_owned() }),
            rpc: if node.running {
                Ok(RpcSeen { height, catching_up: height + 5 < self.height, address: None })
            } else {
                Err("connection refused".to_owned())
            },
            attestations: vec![Attestation { height: height / interval * interval, root }],
            disk_free_bytes: Some(if node.has(Fault::DiskFull) && node.prepared == Prepared::Copied {
                10
            } else {
                5000
            }),
            errors_total: Some(node.errors),
        }
    }

    pub fn act(&mut self, order: &Order) -> Outcome {
        self.now_ms += 2000;
        let node = self.nodes.get_mut(&order.node).expect("orders name nodes");
        let outcome = act(node, order.action);
        if matches!(outcome, Outcome::Done { .. }) {
            self.done.push((order.node.clone(), order.action));
        }
        outcome
    }

    /// How often an action took effect on a node.
    pub fn count(&self, node: &str, action: Action) -> usize {
        self.done.iter().filter(|(name, done)| name.as_str() == node && *done == action).count()
    }
}

fn act(node: &mut WorldNode, action: Action) -> Outcome {
    let failed = |reason: &str| Outcome::Failed { reason: reason.to_owned() };
    assert!(action == Action::Stop || !node.running, "{action} on a running node");
    match action {
        Action::Stop => node.running = false,
        Action::Copy if node.has(Fault::CopyKilled) => return failed("the program was killed by signal 9"),
        Action::Copy => {
            assert_eq!(node.side, Side::Old, "copied again after its cut-over");
            node.prepared = Prepared::Copied;
            if node.has(Fault::DiskFull) {
                return failed("the disk is full");
            }
        }
        Action::Verify => {
            assert_eq!(node.prepared, Prepared::Copied, "verified without a copy");
            node.prepared = Prepared::Verified;
        }
        Action::CutOver if node.has(Fault::CorruptAfterVerify) => {
            return failed("the new blockstore has changed since it was sealed and verified");
        }
        Action::CutOver => {
            assert!(node.side == Side::Switching || node.prepared == Prepared::Verified, "cut over unverified");
            (node.side, node.prepared, node.new_height) = (Side::New, Prepared::Nothing, node.old_height);
        }
        Action::Start if node.has(Fault::StartFails) => return failed("exit code 1"),
        Action::Start if node.has(Fault::DoesNotStart) && node.side == Side::New => return failed("exit code 1"),
        Action::Start => {
            assert_ne!(node.side, Side::Switching, "started in the middle of a switch");
            (node.running, node.prepared) = (true, Prepared::Nothing);
        }
        Action::RollBack => {
            assert_ne!(node.side, Side::Old, "rolled back twice");
            if node.side == Side::New && node.new_height > node.old_height {
                return Outcome::WouldLose { reason: "its tip is ahead of the old one's".to_owned() };
            }
            (node.side, node.prepared) = (Side::Old, Prepared::Nothing);
        }
        Action::MigrateBack => {
            assert_eq!(node.side, Side::New, "migrated back twice");
            (node.side, node.old_height) = (Side::Old, node.new_height);
        }
    }
    Outcome::Done { report: "done".to_owned() }
}

/// A rollout over the world, with its log.
pub struct Rollout {
    pub world: World,
    pub log: Vec<Entry>,
    /// Records that are still written before the controller dies.
    pub lives: usize,
    state: State,
    heights: BTreeMap<NodeName, u64>,
}

impl Rollout {
    pub fn new(world: World) -> Self {
        let created = Fact::Created { tool: "test".to_owned(), plan_sha256: String::new(), plan: String::new() };
        let state = State::new(&world.plan);
        let mut rollout = Self { world, log: Vec::new(), lives: usize::MAX, state, heights: BTreeMap::new() };
        rollout.say(created);
        rollout
    }

    /// Writes a fact down, unless the controller dies before it.
    fn write(&mut self, entry: Entry) -> Option<()> {
        self.lives = self.lives.checked_sub(1)?;
        self.state.apply(&entry);
        self.log.push(entry);
        Some(())
    }

    pub fn say(&mut self, fact: Fact) {
        let entry = Entry { at_ms: self.world.now_ms, fact };
        self.state.apply(&entry);
        self.log.push(entry);
    }

    /// A controller works until nothing is left to do, or until it dies (`None`).
    pub fn run(&mut self) -> Option<Rest> {
        self.say(Fact::TakenOver { controller: "test".to_owned() });
        for _ in 0..5000 {
            self.world.tick();
            match rest(&self.world.plan, &self.state) {
                Rest::AtWork => {}
                done => return Some(done),
            }
            let seen = self.world.observe();
            let taken = step(&self.world.plan, &self.state, &seen, self.world.now_ms);
            for entry in taken.decisions {
                self.write(entry)?;
            }
            for order in taken.actions {
                let outcome = self.world.act(&order);
                let fact = Fact::Ended { node: order.node, action: order.action, outcome };
                self.write(Entry { at_ms: self.world.now_ms, fact })?;
            }
            self.no_height_is_lost();
        }
        panic!("the rollout never ends: {:#?}", self.log.iter().rev().take(10).collect::<Vec<_>>());
    }

    pub fn no_height_is_lost(&mut self) {
        for (name, node) in &self.world.nodes {
            let before = self.heights.insert(name.clone(), node.height()).unwrap_or_default();
            assert!(node.height() >= before, "{name} lost heights: {before} became {}", node.height());
        }
    }

    pub fn halts(&self) -> Vec<&str> {
        let halts = self.log.iter().filter_map(|entry| match &entry.fact {
            Fact::Halted { reason, .. } => Some(reason.as_str()),
            _ => None,
        });
        halts.collect()
    }

    pub fn held(&self) -> Vec<String> {
        assert_eq!(State::of(&self.world.plan, &self.log), self.state, "the log says otherwise");
        self.state
            .nodes
            .iter()
            .filter_map(|(name, node)| node.held.as_ref().map(|why| format!("{name}: {why}")))
            .collect()
    }
}
