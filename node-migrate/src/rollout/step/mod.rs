//! The step function: what follows from the plan, the state and one round of observations.
//!
//! Total, deterministic, without clock, IO or randomness. It returns decisions, which the caller writes
//! to the log before anything else, and the orders among them, which the caller then carries out; the
//! end of each comes back as [`Fact::Ended`]. The observations must be taken after everything in the
//! state was written.

mod act;
mod admission;
mod attest;
mod course;
mod judge;
mod stages;
mod view;
mod watch;

pub use course::{Rest, rest};

use super::evidence::Evidence;
use super::fact::{Action, Entry, Fact};
use super::observation::Observations;
use super::plan::{NodeName, Plan};
use super::state::State;

/// What follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// To be written to the log, in this order.
    pub decisions: Vec<Entry>,
    /// To be carried out once that is done; each has its [`Fact::Begun`] among the decisions.
    pub actions: Vec<Order>,
}

/// An action that is to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The node.
    pub node: NodeName,
    /// The action.
    pub action: Action,
    /// After this time it counts as failed, and its command is ended.
    pub seconds_max: u64,
}

/// What follows from one round of observations at `now_ms`, milliseconds since 1970.
#[must_use]
pub fn step(plan: &Plan, state: &State, seen: &Observations, now_ms: u64) -> Step {
    let mut turn = Turn { plan, state: state.clone(), seen, now_ms, step: Step::default() };
    if state.begun && !state.completed {
        turn.take_note();
        turn.judge();
        turn.watch();
        turn.advance();
        turn.act();
    }
    turn.step
}

/// One step in the making: decisions take effect on the state as they are made.
struct Turn<'a> {
    plan: &'a Plan,
    state: State,
    seen: &'a Observations,
    now_ms: u64,
    step: Step,
}

impl Turn<'_> {
    fn decide(&mut self, fact: Fact) {
        let entry = Entry { at_ms: self.now_ms, fact };
        self.state.apply(&entry);
        self.step.decisions.push(entry);
    }

    /// All nodes, in the order of the stages.
    fn nodes(&self) -> Vec<NodeName> {
        self.plan.stages.iter().flat_map(|stage| stage.nodes.iter().cloned()).collect()
    }

    /// A node fails; the stage with it when the fault may be of our making. The halt is written first:
    /// a controller that dies between the two must not leave a failed node in a rollout that goes on.
    fn fail(&mut self, node: &NodeName, reason: &str, evidence: Vec<Evidence>) {
        let Some(known) = self.state.nodes.get(node) else { return };
        let touched = known.is_touched();
        self.halt(&format!("{node} {reason}"), touched, evidence.clone());
        self.decide(Fact::Failed { node: node.clone(), reason: reason.to_owned(), evidence });
    }

    /// Nothing goes on; said again only when it becomes a failure of the stage.
    fn halt(&mut self, reason: &str, stage_failed: bool, evidence: Vec<Evidence>) {
        let worse = self.state.halted.as_ref().is_none_or(|halt| stage_failed && !halt.stage_failed);
        if worse {
            self.decide(Fact::Halted { reason: reason.to_owned(), stage_failed, evidence });
        }
    }

    fn seconds_since(&self, at_ms: u64) -> u64 {
        self.now_ms.saturating_sub(at_ms) / 1000
    }
}
