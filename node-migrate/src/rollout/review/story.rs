//! The decisions of the log in words, stage by stage.

use std::fmt::Write;

use super::{one_line, time};
use crate::rollout::evidence::Evidence;
use crate::rollout::fact::{Entry, Fact, Outcome, Way};
use crate::rollout::observation::Side;
use crate::rollout::plan::Plan;

/// A part of the log: one stage, or one attempt at it.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) title: String,
    pub(super) from_ms: u64,
    pub(super) to_ms: u64,
    pub(super) entries: Vec<&'a Entry>,
}

/// Cuts the log where a stage ends and where a person takes a halted one up.
pub(super) fn parts<'a>(plan: &Plan, entries: &[&'a Entry]) -> Vec<Part<'a>> {
    let (mut all, mut open, mut stage, mut attempt) = (Vec::new(), Vec::new(), 0, 1);
    for entry in entries {
        if matches!(entry.fact, Fact::Resumed { .. }) {
            all.extend(part(plan, stage, attempt, std::mem::take(&mut open)));
            attempt += 1;
        }
        open.push(*entry);
        if matches!(entry.fact, Fact::Promoted { .. }) {
            all.extend(part(plan, stage, attempt, std::mem::take(&mut open)));
            (stage, attempt) = (stage + 1, 1);
        }
    }
    all.extend(part(plan, stage, attempt, open));
    all
}

fn part<'a>(plan: &Plan, stage: usize, attempt: u32, entries: Vec<&'a Entry>) -> Option<Part<'a>> {
    let (first, last) = (entries.first()?, entries.last()?);
    let mut title = match plan.stages.get(stage) {
        Some(stage) => format!("Stage {} ({} nodes)", stage.name, stage.nodes.len()),
        None => "The end".to_owned(),
    };
    if attempt > 1 {
        title.push_str(&format!(", attempt {attempt}"));
    }
    Some(Part { title, from_ms: first.at_ms, to_ms: last.at_ms.max(first.at_ms), entries })
}

/// One decision as an item, its evidence below it; actions and samples stand in tables.
pub(super) fn decision(text: &mut String, entry: &Entry) {
    let evidence: &[Evidence] = match &entry.fact {
        Fact::Ended { .. } => return,
        Fact::Begun { evidence, .. } if evidence.is_empty() => return,
        Fact::Begun { evidence, .. }
        | Fact::InService { evidence, .. }
        | Fact::Suspected { evidence, .. }
        | Fact::Failed { evidence, .. }
        | Fact::SoakBegun { evidence, .. }
        | Fact::AwaitingApproval { evidence, .. }
        | Fact::Promoted { evidence, .. }
        | Fact::Halted { evidence, .. } => evidence,
        _ => &[],
    };
    let Some(said) = headline(entry) else { return };
    let _ = writeln!(text, "* {}: {said}.", time(entry.at_ms));
    for one in evidence {
        let _ = writeln!(text, "  * {}", one_line(&one.to_string()));
    }
}

/// A fact in one line; nothing for samples, of which there are many.
#[must_use]
pub fn headline(entry: &Entry) -> Option<String> {
    let said = match &entry.fact {
        Fact::Created { tool, .. } => format!("the rollout was begun by node-migrate {tool}"),
        Fact::TakenOver { controller } => format!("the controller {controller} took the rollout over"),
        Fact::Identified { node, address } => format!("{node} validates as {address}"),
        Fact::Sampled { .. } => return None,
        Fact::Found { node, side, running, detail, .. } => {
            let runs = if *running { "running" } else { "stopped" };
            format!("{node} was found {runs}, in the {} format ({})", side_name(*side), one_line(detail))
        }
        Fact::Begun { node, action, evidence, .. } if evidence.is_empty() => format!("{node}: {action}"),
        Fact::Begun { node, action, way, .. } => match way {
            Way::Forward => format!("{node} is taken out of service to be migrated: {action}"),
            Way::Back => format!("{node} is taken out of service to go back: {action}"),
        },
        Fact::Ended { node, action, outcome } => match outcome {
            Outcome::Done { .. } => format!("{node}: {action}: done"),
            Outcome::WouldLose { reason } => format!("{node}: {action}: refused: {}", one_line(reason)),
            Outcome::Failed { reason } => format!("{node}: {action}: failed: {}", one_line(reason)),
        },
        fact => return judgement(fact),
    };
    Some(said)
}

fn judgement(fact: &Fact) -> Option<String> {
    let said = match fact {
        Fact::InService { node, .. } => format!("{node} is back in service"),
        Fact::Suspected { node, symptom, .. } => format!("{node} {symptom}"),
        Fact::Cleared { node } => format!("{node} is well again"),
        Fact::Failed { node, reason, .. } => format!("**{node} failed**: it {}", one_line(reason)),
        Fact::GivenUp { node, reason } => format!("{node} goes on where it stands: its way back {}", one_line(reason)),
        Fact::Held { node, reason } => format!("**{node} is left to the operator**: {}", one_line(reason)),
        Fact::SoakBegun { stage, height, .. } => format!("the soak of stage {stage} begins at height {height}"),
        Fact::AwaitingApproval { stage, .. } => format!("stage {stage} has passed its gates and waits for a person"),
        Fact::Approved { stage, by } => format!("**{by}** approves stage {stage}"),
        Fact::Promoted { stage, by, .. } => {
            let by = by.as_ref().map_or("its gates", |by| by.as_str());
            format!("**stage {stage} is promoted** by {by}")
        }
        Fact::Completed => "**the rollout is complete**".to_owned(),
        Fact::Halted { reason, stage_failed, .. } => {
            let back = if *stage_failed { "; the stage goes back" } else { "" };
            format!("**the rollout halts**: {}{back}", one_line(reason))
        }
        Fact::Resumed { by, reason } => format!("**{by}** takes the rollout up again: {}", one_line(reason)),
        _ => return None,
    };
    Some(said)
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Old => "old",
        Side::Switching => "half-switched",
        Side::New => "new",
    }
}
