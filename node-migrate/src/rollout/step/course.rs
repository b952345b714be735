//! Where a node is going, and what comes next on its way: from the plan and the state alone.

use crate::rollout::fact::Action;
use crate::rollout::observation::{Prepared, Side};
use crate::rollout::plan::{NodeName, Plan, WithNewHeights};
use crate::rollout::state::{NodeState, State};

/// Where a node is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Into service in the new format.
    New,
    /// Into service in the old format.
    Old,
    /// Into service wherever it stands: there is no safe way anywhere else.
    Here,
    /// Nowhere: it is not touched.
    Stay,
}

/// Where `name` is going.
pub(super) fn goal(plan: &Plan, state: &State, name: &NodeName) -> Goal {
    let (Some(node), Some(stage)) = (state.nodes.get(name), plan.stage_of(name)) else { return Goal::Stay };
    if stage > state.stage {
        return Goal::Stay;
    }
    if node.given_up.is_some() || (node.would_lose.is_some() && plan.with_new_heights == WithNewHeights::Hold) {
        return Goal::Here;
    }
    if node.failed.is_some() {
        return Goal::Old;
    }
    if stage < state.stage {
        return if node.side == Side::New { Goal::New } else { Goal::Stay };
    }
    match &state.halted {
        None => Goal::New,
        Some(halt) if !halt.stage_failed && node.side == Side::New => Goal::New,
        Some(_) => Goal::Old,
    }
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: it is there, or only time is missing.
    Nothing,
    /// This action.
    Act(Action),
    /// No action may be taken any more.
    Hold(String),
}

/// What comes next for `name`; its action under way, if any, must have ended.
pub(super) fn next(plan: &Plan, state: &State, name: &NodeName) -> Next {
    let Some(node) = state.nodes.get(name) else { return Next::Nothing };
    match goal(plan, state, name) {
        Goal::Stay => Next::Nothing,
        Goal::New => forward(node),
        Goal::Old if !node.is_touched() => Next::Nothing,
        Goal::Old => back(plan, node),
        Goal::Here => here(node),
    }
}

fn forward(node: &NodeState) -> Next {
    let action = match (node.side, node.prepared) {
        (Side::New, _) if node.running => return Next::Nothing,
        (Side::New, _) => Action::Start,
        (_, _) if node.running => Action::Stop,
        (Side::Switching, _) | (Side::Old, Prepared::Verified) => Action::CutOver,
        (Side::Old, Prepared::Copied) => Action::Verify,
        (Side::Old, Prepared::Nothing) => Action::Copy,
    };
    Next::Act(action)
}

fn back(plan: &Plan, node: &NodeState) -> Next {
    let has_new_heights = node.served_new || node.would_lose.is_some();
    let action = match node.side {
        Side::Old if node.running => return Next::Nothing,
        Side::Old => Action::Start,
        Side::New if has_new_heights && plan.with_new_heights == WithNewHeights::Hold => {
            return Next::Hold("its new databases hold heights that the old ones lack: it stays on them".to_owned());
        }
        _ if node.running => Action::Stop,
        Side::New if has_new_heights => Action::MigrateBack,
        Side::New | Side::Switching => Action::RollBack,
    };
    Next::Act(action)
}

fn here(node: &NodeState) -> Next {
    let why = node.given_up.as_ref().or(node.would_lose.as_ref()).cloned().unwrap_or_default();
    match node.side {
        Side::Switching => Next::Hold(format!("its switch is half done, and it cannot start: {why}")),
        _ if node.running => Next::Hold(format!("it runs where it stands: {why}")),
        _ => Next::Act(Action::Start),
    }
}

/// Whether anything is left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Something is under way or to be waited for.
    AtWork,
    /// The stage has passed and waits for a person.
    Awaiting,
    /// Nothing goes on, and every node is where it can be.
    Halted,
    /// All stages are over.
    Complete,
}

/// Whether anything is left to do for a controller.
#[must_use]
pub fn rest(plan: &Plan, state: &State) -> Rest {
    let quiet = |name: &NodeName, node: &NodeState| {
        let ended = node.open.is_none() && node.failure.is_none();
        let settled = node.out_since_ms.is_none() && (node.unsure || next(plan, state, name) == Next::Nothing);
        ended && (node.held.is_some() || settled)
    };
    let all_quiet = state.nodes.iter().all(|(name, node)| quiet(name, node));
    if state.completed {
        Rest::Complete
    } else if state.halted.is_some() && all_quiet {
        Rest::Halted
    } else if state.halted.is_none() && state.awaiting && state.approved_by.is_none() && all_quiet {
        Rest::Awaiting
    } else {
        Rest::AtWork
    }
}
