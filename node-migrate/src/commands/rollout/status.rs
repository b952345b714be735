//! `rollout status`: where a rollout stands, read without taking any lock.

use node_migrate::rollout::observation::Side;
use node_migrate::rollout::plan::Plan;
use node_migrate::rollout::state::{NodeState, State};
use node_migrate::rollout::step::{Rest, rest};
use serde_json::{Value, json};

use super::super::Surroundings;
use crate::cli::rollout::PlanFile;
use crate::error::AppError;
use crate::output::table;

/// Prints the state.
pub(super) fn run(command: &PlanFile, world: &Surroundings) -> Result<(), AppError> {
    let (log, plan) = super::read_log(&command.log())?;
    let state = State::of(&plan, log.records.iter().map(|record| &record.event));
    let mut value = value(&plan, &state);
    if let Value::Object(fields) = &mut value {
        fields.insert("log_head".to_owned(), json!(hex::encode(log.head)));
        fields.insert("log_records".to_owned(), json!(log.records.len()));
    }
    world.output.result(&value, || text(&plan, &state));
    Ok(())
}

/// The state for programs.
pub(super) fn value(plan: &Plan, state: &State) -> Value {
    let nodes: Vec<Value> = state
        .nodes
        .iter()
        .map(|(name, node)| {
            json!({
                "name": name, "stage": stage_of(plan, name), "format": side(node), "doing": doing(node),
                "in_service": node.out_since_ms.is_none() && node.symptom.is_none(), "missed_blocks": node.missed_blocks(),
                "failed": node.failed, "held": node.held,
            })
        })
        .collect();
    json!({
        "name": plan.name, "to": plan.format.to, "phase": phase(plan, state), "stage": stage(plan, state),
        "halted": state.halted.as_ref().map(|halt| &halt.reason), "height": state.sampled_to_height, "nodes": nodes,
        "next": next(plan, state),
    })
}

/// The state for people.
pub(super) fn text(plan: &Plan, state: &State) -> String {
    let mut text = format!("Rollout {} to {}: {}", plan.name, plan.format.to, phase(plan, state));
    match stage(plan, state) {
        Some(stage) => text.push_str(&format!(", stage {stage} ({} of {})\n", state.stage + 1, plan.stages.len())),
        None => text.push('\n'),
    }
    if let Some(halt) = &state.halted {
        text.push_str(&format!("  halted: {}\n", halt.reason));
    }
    if let Some(height) = state.soak_from_height {
        text.push_str(&format!("  soaking since height {height}, last seen height {}\n", state.sampled_to_height));
    }
    let mut rows = vec![["node", "stage", "format", "now", "missed"].map(str::to_owned).to_vec()];
    for (name, node) in &state.nodes {
        let stage = stage_of(plan, name).unwrap_or_default().to_owned();
        let missed = node.missed_blocks().to_string();
        rows.push(vec![name.to_string(), stage, side(node).to_owned(), doing(node), missed]);
    }
    text.push_str(&table(&rows));
    text.push_str(&format!("  next: {}\n", next(plan, state)));
    text
}

fn stage_of<'a>(plan: &'a Plan, node: &node_migrate::rollout::plan::NodeName) -> Option<&'a str> {
    plan.stages.get(plan.stage_of(node)?).map(|stage| stage.name.as_str())
}

fn stage<'a>(plan: &'a Plan, state: &State) -> Option<&'a str> {
    plan.stages.get(state.stage).map(|stage| stage.name.as_str())
}

fn side(node: &NodeState) -> &'static str {
    match node.side {
        Side::Old => "old",
        Side::Switching => "half switched",
        Side::New => "new",
    }
}

fn doing(node: &NodeState) -> String {
    if let Some(why) = &node.held {
        return format!("needs an operator: {why}");
    }
    if let Some((action, _)) = &node.open {
        return format!("under way: {action}");
    }
    match (&node.symptom, node.out_since_ms) {
        (Some((symptom, _)), _) => symptom.to_string(),
        (None, Some(_)) => "out of service".to_owned(),
        (None, None) => "in service".to_owned(),
    }
}

fn phase(plan: &Plan, state: &State) -> &'static str {
    match rest(plan, state) {
        Rest::Complete => "complete",
        Rest::Awaiting => "awaiting approval",
        Rest::Halted => "halted",
        Rest::AtWork if state.halted.is_some() => "going back",
        Rest::AtWork => "under way",
    }
}

fn next(plan: &Plan, state: &State) -> String {
    match rest(plan, state) {
        Rest::Complete => "nothing; later, node by node: node-migrate finalise HOME --execute".to_owned(),
        Rest::Awaiting => format!(
            "look at it with `rollout review`, then: rollout run --execute --approve {} --by NAME",
            stage(plan, state).unwrap_or_default()
        ),
        Rest::Halted => {
            "look at it with `rollout review`, mend it, then: rollout run --execute --resume REASON --by NAME"
                .to_owned()
        }
        Rest::AtWork => "rollout run --execute goes on, if no controller is at work".to_owned(),
    }
}
