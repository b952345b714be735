//! Where a rollout stands: a fold over its log, never stored beside it.
//!
//! [`State::apply`] takes any fact in any order without a panic: what does not fit changes nothing.

use std::collections::{BTreeMap, VecDeque};

use super::fact::{Action, Entry, Fact, Outcome, Symptom, Way};
use super::observation::{Prepared, Sample, Side};
use super::plan::{Address, NodeName, Plan};

/// The state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Whether the rollout exists.
    pub begun: bool,
    /// When it was created.
    pub begun_at_ms: u64,
    /// All nodes of the plan.
    pub nodes: BTreeMap<NodeName, NodeState>,
    /// The number of the stage that is under way; the number of stages when all are over.
    pub stage: usize,
    /// When it began, or was taken up.
    pub stage_since_ms: u64,
    /// The network's height at which the stage's soak began.
    pub soak_from_height: Option<u64>,
    /// Whether the stage waits for a person.
    pub awaiting: bool,
    /// Who has approved the stage.
    pub approved_by: Option<String>,
    /// Why nothing goes on.
    pub halted: Option<Halt>,
    /// Whether all stages are over.
    pub completed: bool,
    /// The last height sampled.
    pub sampled_to_height: u64,
    /// Time of its block.
    pub sampled_to_time_ms: u64,
    /// When the chain was last seen to grow, or somebody began to look.
    pub progress_at_ms: u64,
    window_blocks: u64,
}

/// A halt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halt {
    /// Why.
    pub reason: String,
    /// Whether the stage's nodes go back.
    pub stage_failed: bool,
    /// When.
    pub at_ms: u64,
}

/// A node's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeState {
    /// Which databases it opens.
    pub side: Side,
    /// The copy beside them.
    pub prepared: Prepared,
    /// Whether its process should be there.
    pub running: bool,
    /// Whether `side`, `prepared` and `running` must be looked at before anything is done.
    pub unsure: bool,
    /// The action under way.
    pub open: Option<(Action, Way)>,
    /// Since when it is out of service by our doing.
    pub out_since_ms: Option<u64>,
    /// Whether it has been in service on the new side since it was cut over: its new heights are its own.
    pub served_new: bool,
    /// The network's height when it was last started: what it signs above was signed since.
    pub started_at_height: u64,
    /// Errors in its log before it was last started.
    pub errors_before: Option<u64>,
    /// What is wrong with it, and since when.
    pub symptom: Option<(Symptom, u64)>,
    /// An action that failed and has not been judged yet.
    pub failure: Option<(Action, Way, String)>,
    /// Why it goes back.
    pub failed: Option<String>,
    /// Whether a rollback would lose heights.
    pub would_lose: Option<String>,
    /// Why it goes back into service where it stands.
    pub given_up: Option<String>,
    /// Why nothing more is done to it.
    pub held: Option<String>,
    /// A validator's address.
    pub address: Option<Address>,
    /// The last sampled height that it signed.
    pub signed_height: u64,
    /// Missed blocks of the jail window: last height of a sample, and how many in it.
    missed: VecDeque<(u64, u64)>,
}

impl NodeState {
    /// Blocks of the jail window that it did not sign.
    #[must_use]
    pub fn missed_blocks(&self) -> u64 {
        self.missed.iter().fold(0, |sum, (_, missed)| sum.saturating_add(*missed))
    }

    /// Whether anything was done to it, or is in the new format.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.out_since_ms.is_some() || self.side != Side::Old
    }

    /// Whether it is out of service by our doing.
    #[must_use]
    pub fn is_in_flight(&self) -> bool {
        self.out_since_ms.is_some()
    }

    fn ended(&mut self, action: Action, outcome: &Outcome) {
        let Some((_, way)) = self.open.take_if(|(open, _)| *open == action) else { return };
        match outcome {
            Outcome::Done { .. } => self.done(action),
            Outcome::WouldLose { reason } => {
                self.unsure = true;
                self.would_lose = Some(reason.clone());
            }
            Outcome::Failed { reason } => {
                self.unsure = true;
                self.failure = Some((action, way, reason.clone()));
            }
        }
    }

    fn done(&mut self, action: Action) {
        match action {
            // A node that ran has left its copy behind.
            Action::Stop => (self.running, self.prepared) = (false, Prepared::Nothing),
            Action::Copy => self.prepared = Prepared::Copied,
            Action::Verify => self.prepared = Prepared::Verified,
            Action::CutOver => (self.side, self.prepared, self.served_new) = (Side::New, Prepared::Nothing, false),
            Action::Start => self.running = true,
            Action::RollBack | Action::MigrateBack => {
                (self.side, self.prepared, self.served_new) = (Side::Old, Prepared::Nothing, false);
            }
        }
    }

    /// Forgets all judgements: an operator has looked at it.
    fn taken_up(&mut self) {
        self.unsure = true;
        self.symptom = None;
        self.failure = None;
        self.failed = None;
        self.would_lose = None;
        self.given_up = None;
        self.held = None;
    }
}

impl State {
    /// Before the first fact.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let fresh = |address| NodeState { running: true, unsure: true, address, ..NodeState::default() };
        Self {
            begun: false,
            begun_at_ms: 0,
            nodes: plan.nodes.values().map(|node| (node.name.clone(), fresh(node.address))).collect(),
            stage: 0,
            stage_since_ms: 0,
            soak_from_height: None,
            awaiting: false,
            approved_by: None,
            halted: None,
            completed: false,
            sampled_to_height: 0,
            sampled_to_time_ms: 0,
            progress_at_ms: 0,
            window_blocks: plan.jail.window_blocks,
        }
    }

    /// The fold of a log.
    #[must_use]
    pub fn of<'a>(plan: &Plan, entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut state = Self::new(plan);
        for entry in entries {
            state.apply(entry);
        }
        state
    }

    /// Takes one more fact into account.
    pub fn apply(&mut self, entry: &Entry) {
        let at_ms = entry.at_ms;
        match &entry.fact {
            Fact::Created { .. } => {
                (self.begun, self.begun_at_ms) = (true, at_ms);
                self.stage_since_ms = at_ms;
                self.progress_at_ms = at_ms;
            }
            Fact::TakenOver { .. } => {
                self.progress_at_ms = at_ms;
                for node in self.nodes.values_mut() {
                    node.unsure |= node.open.take().is_some();
                }
            }
            Fact::Sampled { sample } => self.sampled(sample, at_ms),
            Fact::SoakBegun { height, .. } => self.soak_from_height = Some(*height),
            Fact::AwaitingApproval { .. } => self.awaiting = true,
            Fact::Approved { by, .. } => self.approved_by = self.awaiting.then(|| by.clone()),
            Fact::Promoted { .. } => {
                self.stage += 1;
                self.stage_begins(at_ms);
            }
            Fact::Completed => self.completed = true,
            Fact::Halted { reason, stage_failed, .. } => {
                self.halted = Some(Halt { reason: reason.clone(), stage_failed: *stage_failed, at_ms });
                self.soak_from_height = None;
                self.awaiting = false;
                self.approved_by = None;
            }
            Fact::Resumed { .. } => {
                self.halted = None;
                self.progress_at_ms = at_ms;
                self.stage_begins(at_ms);
                self.nodes.values_mut().for_each(NodeState::taken_up);
            }
            fact => self.of_node(fact, at_ms),
        }
    }

    fn of_node(&mut self, fact: &Fact, at_ms: u64) {
        let Some(node) = node_of(fact).and_then(|name| self.nodes.get_mut(name)) else { return };
        match fact {
            Fact::Identified { address, .. } => node.address = Some(*address),
            Fact::Found { side, prepared, running, .. } => {
                (node.side, node.prepared, node.running, node.unsure) = (*side, *prepared, *running, false);
            }
            Fact::Begun { action, way, network_height, errors_total, .. } => {
                node.open = Some((*action, *way));
                node.out_since_ms = node.out_since_ms.or(Some(at_ms));
                if *action == Action::Start {
                    node.started_at_height = *network_height;
                    node.errors_before = *errors_total;
                }
            }
            Fact::Ended { action, outcome, .. } => node.ended(*action, outcome),
            Fact::InService { .. } => {
                node.out_since_ms = None;
                node.served_new = node.side == Side::New;
            }
            Fact::Suspected { symptom, .. } => node.symptom = Some((*symptom, at_ms)),
            Fact::Cleared { .. } => node.symptom = None,
            Fact::Failed { reason, .. } => (node.failed, node.failure) = (Some(reason.clone()), None),
            Fact::GivenUp { reason, .. } => (node.given_up, node.failure) = (Some(reason.clone()), None),
            Fact::Held { reason, .. } => (node.held, node.failure) = (Some(reason.clone()), None),
            _ => {}
        }
    }

    fn stage_begins(&mut self, at_ms: u64) {
        self.stage_since_ms = at_ms;
        self.soak_from_height = None;
        self.awaiting = false;
        self.approved_by = None;
    }

    fn sampled(&mut self, sample: &Sample, at_ms: u64) {
        if sample.to_height <= self.sampled_to_height {
            return;
        }
        self.sampled_to_height = sample.to_height;
        self.sampled_to_time_ms = sample.to_time_ms;
        self.progress_at_ms = at_ms;
        let from = sample.to_height.saturating_sub(self.window_blocks);
        for (name, node) in &mut self.nodes {
            if let Some(height) = sample.signed.get(name) {
                node.signed_height = node.signed_height.max(*height);
            }
            if let Some(missed) = sample.missed.get(name).filter(|missed| **missed > 0) {
                node.missed.push_back((sample.to_height, *missed));
            }
            while node.missed.front().is_some_and(|(height, _)| *height <= from) {
                node.missed.pop_front();
            }
        }
    }

    /// The addresses of validators that are known.
    #[must_use]
    pub fn addresses(&self) -> BTreeMap<NodeName, Address> {
        self.nodes.iter().filter_map(|(name, node)| Some((name.clone(), node.address?))).collect()
    }
}

fn node_of(fact: &Fact) -> Option<&NodeName> {
    match fact {
        Fact::Identified { node, .. }
        | Fact::Found { node, .. }
        | Fact::Begun { node, .. }
        | Fact::Ended { node, .. }
        | Fact::InService { node, .. }
        | Fact::Suspected { node, .. }
        | Fact::Cleared { node }
        | Fact::Failed { node, .. }
        | Fact::GivenUp { node, .. }
        | Fact::Held { node, .. } => Some(node),
        _ => None,
    }
}
