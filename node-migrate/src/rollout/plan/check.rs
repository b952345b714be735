//! Whether a plan may be carried out: every reason against it, not only the first.

use std::collections::BTreeSet;

use super::{NodePlan, Plan, Refusal, Role, Stage, WithNewHeights};
use crate::formats::TargetSpec;

/// The longest interval of attestations: nodes serve twenty headers at once.
const INTERVAL_HEIGHTS_MAX: u64 = 20;

/// All reasons against the plan.
pub(super) fn refusals(plan: &Plan, own_power: u64) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    if plan.nodes.is_empty() {
        reasons.push(Refusal::None { what: "nodes" });
    }
    if plan.stages.is_empty() {
        reasons.push(Refusal::None { what: "stages" });
    }
    numbers(plan, &mut reasons);
    formats(plan, &mut reasons);
    for node in plan.nodes.values() {
        role_power(node, &mut reasons);
    }
    if own_power > plan.network.total_power {
        reasons.push(Refusal::TotalPower { nodes: own_power, total: plan.network.total_power });
    }
    jail(plan, &mut reasons);
    for stage in &plan.stages {
        of_stage(plan, stage, &mut reasons);
    }
    reasons
}

fn numbers(plan: &Plan, reasons: &mut Vec<Refusal>) {
    let margin_percent = plan.limits.power_margin_percent;
    if margin_percent > 33 {
        reasons.push(Refusal::Margin { margin_percent });
    }
    let interval = plan.gates.attestation_interval_heights;
    if !(1..=INTERVAL_HEIGHTS_MAX).contains(&interval) {
        let what = "gates.attestation_interval_heights";
        reasons.push(Refusal::Number { what, value: interval, must: "1 to 20" });
    }
    for (what, value) in [
        ("network.block_time_ms", plan.network.block_time_ms),
        ("jail.window_blocks", plan.jail.window_blocks),
        ("limits.nodes_in_flight_max", plan.limits.nodes_in_flight_max as u64),
        ("limits.node_downtime_seconds_max", plan.limits.node_downtime_seconds_max),
        ("limits.command_seconds_max", plan.limits.command_seconds_max),
        ("limits.stage_seconds_max", plan.limits.stage_seconds_max),
        ("gates.stall_seconds_max", plan.gates.stall_seconds_max),
    ] {
        if value == 0 {
            reasons.push(Refusal::Number { what, value, must: "at least 1" });
        }
    }
}

fn formats(plan: &Plan, reasons: &mut Vec<Refusal>) {
    for (key, words) in [("to", Some(&plan.format.to)), ("back", plan.format.back.as_ref())] {
        let read = words.map(|words| words.parse::<TargetSpec>());
        if let Some(Err(error)) = read {
            reasons.push(Refusal::Format { key, reason: error.to_string() });
        }
    }
    let back = plan.format.back.as_ref().filter(|back| **back != plan.format.to);
    if plan.with_new_heights == WithNewHeights::MigrateBack && back.is_none() {
        reasons.push(Refusal::NoWayBack);
    }
}

fn role_power(node: &NodePlan, reasons: &mut Vec<Refusal>) {
    let role = match node.role {
        Role::Validator if node.power == 0 => "validator",
        Role::Full if node.power > 0 => "full node",
        _ => return,
    };
    reasons.push(Refusal::RolePower { node: node.name.clone(), role, power: node.power });
}

/// No gate may close later than the chain's own.
fn jail(plan: &Plan, reasons: &mut Vec<Refusal>) {
    if plan.nodes.values().all(|node| node.power == 0) {
        return;
    }
    let jailed = plan.jail.missed_blocks_max;
    for (what, value) in [
        ("gates.missed_blocks_max", plan.gates.missed_blocks_max),
        ("limits.node_downtime_seconds_max, in blocks of network.block_time_ms,", plan.downtime_blocks_max()),
    ] {
        if value >= jailed {
            reasons.push(Refusal::Jail { what, value, jailed });
        }
    }
}

fn of_stage(plan: &Plan, stage: &Stage, reasons: &mut Vec<Refusal>) {
    let (name, nodes) = (|| stage.name.clone(), stage.nodes.len());
    if nodes == 0 {
        reasons.push(Refusal::EmptyStage { stage: name() });
        return;
    }
    if !(1..=nodes).contains(&stage.population_min) {
        reasons.push(Refusal::Population { stage: name(), nodes, population_min: stage.population_min });
    }
    let interval = plan.gates.attestation_interval_heights;
    // Two intervals hold at least one whole one, whatever the height at which the soak begins.
    let needed = interval.saturating_mul(2);
    if stage.soak_heights < needed {
        reasons.push(Refusal::Soak { stage: name(), soak_heights: stage.soak_heights, needed, interval });
    }
    let worst = worst_in_flight(plan, stage);
    let power = worst.iter().fold(0_u64, |sum, node| sum.saturating_add(node.power));
    if power > 0 && !plan.allows_down(power) {
        reasons.push(Refusal::Power {
            stage: name(),
            nodes: worst.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", "),
            power,
            total: plan.network.total_power,
            limit: plan.power_limit(),
            margin_percent: plan.limits.power_margin_percent,
        });
    }
}

/// The most powerful nodes that the limits on number and failure domain let be in flight together.
fn worst_in_flight<'a>(plan: &'a Plan, stage: &Stage) -> Vec<&'a NodePlan> {
    let mut nodes: Vec<&NodePlan> = stage.nodes.iter().filter_map(|name| plan.nodes.get(name)).collect();
    nodes.sort_by(|a, b| b.power.cmp(&a.power).then_with(|| a.name.cmp(&b.name)));
    let mut domains = BTreeSet::new();
    nodes.retain(|node| domains.insert(node.failure_domain.as_str()));
    nodes.truncate(plan.limits.nodes_in_flight_max);
    nodes
}
