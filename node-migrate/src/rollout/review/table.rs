//! Tables of the review: nodes, and what was done to them.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{duration, one_line, time};
use crate::rollout::evidence::Evidence;
use crate::rollout::fact::{Action, Entry, Fact, Outcome};
use crate::rollout::observation::Side;
use crate::rollout::plan::{NodeName, Plan, Role};
use crate::rollout::state::State;

/// Longest report of an action in a table; the log has it whole.
const REPORT_CHARS_MAX: usize = 200;

/// How each node stands.
pub(super) fn of_nodes(text: &mut String, plan: &Plan, state: &State, entries: &[&Entry]) {
    text.push_str(
        "| node | role | power | failure domain | stage | format | out of service | caught up at | missed |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|---|---|\n");
    let services = services(entries);
    for (name, node) in &plan.nodes {
        let Some(known) = state.nodes.get(name) else { continue };
        let stage = plan.stage_of(name).and_then(|at| plan.stages.get(at)).map_or("", |stage| stage.name.as_str());
        let format = match known.side {
            Side::Old => "old",
            Side::Switching => "half switched",
            Side::New => plan.format.to.as_str(),
        };
        let role = if node.role == Role::Validator { "validator" } else { "full node" };
        let service = services.get(name).copied().unwrap_or_default();
        let out = if known.out_since_ms.is_some() { "now".to_owned() } else { duration(service.out_ms) };
        let _ = writeln!(
            text,
            "| {name} | {role} | {} | {} | {stage} | {format} | {out} | {} | {} |",
            node.power,
            one_line(&node.failure_domain),
            service.rate(),
            known.missed_blocks()
        );
    }
    text.push('\n');
}

/// How long a node was out, and how fast it came back.
#[derive(Clone, Copy, Debug, Default)]
struct Service {
    out_since_ms: Option<u64>,
    out_ms: u64,
    started_ms: Option<u64>,
    stopped_height: u64,
    caught_up: Option<(u64, u64)>,
}

impl Service {
    /// Heights a second between its start and its return.
    fn rate(self) -> String {
        match self.caught_up {
            Some((heights, ms)) if ms > 0 => {
                let tenths = u128::from(heights) * 10_000 / u128::from(ms);
                format!("{}.{} heights/s ({heights} in {})", tenths / 10, tenths % 10, duration(ms))
            }
            _ => "-".to_owned(),
        }
    }
}

fn services(entries: &[&Entry]) -> BTreeMap<NodeName, Service> {
    let mut services: BTreeMap<NodeName, Service> = BTreeMap::new();
    let mut sampled = 0;
    for entry in entries {
        match &entry.fact {
            Fact::Sampled { sample } => sampled = sample.to_height,
            Fact::Begun { node, action, .. } => {
                let service = services.entry(node.clone()).or_default();
                if service.out_since_ms.is_none() {
                    (service.out_since_ms, service.stopped_height) = (Some(entry.at_ms), sampled);
                }
                if *action == Action::Start {
                    service.started_ms = Some(entry.at_ms);
                }
            }
            Fact::InService { node, evidence } => {
                let service = services.entry(node.clone()).or_default();
                let since = service.out_since_ms.take().unwrap_or(entry.at_ms);
                service.out_ms += entry.at_ms.saturating_sub(since);
                let height = evidence.iter().find_map(|evidence| match evidence {
                    Evidence::HeightLag { height, .. } => Some(*height),
                    _ => None,
                });
                if let (Some(started_ms), Some(height)) = (service.started_ms.take(), height) {
                    let heights = height.saturating_sub(service.stopped_height);
                    service.caught_up = Some((heights, entry.at_ms.saturating_sub(started_ms)));
                }
            }
            _ => {}
        }
    }
    services
}

/// What was done, when, how long, with which end.
pub(super) fn of_actions(text: &mut String, entries: &[&Entry]) {
    let mut begun: BTreeMap<&NodeName, u64> = BTreeMap::new();
    let mut rows = Vec::new();
    for entry in entries {
        match &entry.fact {
            Fact::Begun { node, .. } => {
                begun.insert(node, entry.at_ms);
            }
            Fact::Ended { node, action, outcome } => {
                let (end, said) = match outcome {
                    Outcome::Done { report } => ("done", report),
                    Outcome::WouldLose { reason } => ("refused", reason),
                    Outcome::Failed { reason } => ("**failed**", reason),
                };
                let since = begun.remove(node).unwrap_or(entry.at_ms);
                let said: String = one_line(said).chars().take(REPORT_CHARS_MAX).collect();
                let took = duration(entry.at_ms.saturating_sub(since));
                rows.push(format!("| {} | {node} | {action} | {took} | {end} | {said} |", time(since)));
            }
            _ => {}
        }
    }
    if rows.is_empty() {
        return;
    }
    text.push_str("### What was done\n\n| begun | node | action | took | end | said |\n|---|---|---|---|---|---|\n");
    for row in rows {
        let _ = writeln!(text, "{row}");
    }
    text.push('\n');
}
