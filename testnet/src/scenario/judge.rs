//! Whether a scenario is a network: every reason against it, not only the first.

use std::collections::BTreeSet;

use node_migrate::rollout::plan::NodeName;
use proto::hello::{ChainId, Printable};

use super::Refusal;
use super::file::{LatencyFile, NodeFile, RoleFile};
use crate::chain::POWER_MAX;

/// Nodes of one machine at most.
const NODES_MAX: usize = 40;

/// Longest time that anything may be set to.
const MILLIS_MAX: u64 = 60_000;

pub(super) fn network(chain_id: &str, numbers: &[(&'static str, u64)], reasons: &mut Vec<Refusal>) {
    let name: Result<ChainId, _> = Printable::new(chain_id);
    if name.is_err() {
        reasons.push(Refusal::ChainId { chain_id: chain_id.to_owned() });
    }
    for (what, value) in numbers.iter().copied().filter(|(_, value)| !(1..=MILLIS_MAX).contains(value)) {
        reasons.push(Refusal::Number { what, value, must: "1 to 60000" });
    }
}

pub(super) fn latency(latency: &LatencyFile, reasons: &mut Vec<Refusal>) {
    let regions = latency.regions.len();
    twice("regions", latency.regions.iter(), reasons);
    if latency.one_way_ms.len() != regions {
        reasons.push(Refusal::LatencyRows { regions, rows: latency.one_way_ms.len() });
    }
    for (row, numbers) in latency.one_way_ms.iter().enumerate() {
        if numbers.len() != regions {
            reasons.push(Refusal::LatencyColumns { row, regions, columns: numbers.len() });
        }
        for value in numbers.iter().copied().filter(|value| *value > MILLIS_MAX) {
            reasons.push(Refusal::Number { what: "a number of latency.one_way_ms", value, must: "0 to 60000" });
        }
    }
}

pub(super) fn nodes(nodes: &[NodeFile], regions: &[String], reasons: &mut Vec<Refusal>) {
    if nodes.len() > NODES_MAX {
        reasons.push(Refusal::TooMany { nodes: nodes.len(), limit: NODES_MAX });
    }
    if nodes.iter().all(|node| node.role == RoleFile::Full) {
        reasons.push(Refusal::NoValidator);
    }
    twice("nodes", nodes.iter().map(|node| &node.name), reasons);
    for node in nodes {
        let role = match node.role {
            RoleFile::Validator if node.power == 0 => Some("validator"),
            RoleFile::Full if node.power > 0 => Some("full node"),
            _ => None,
        };
        if let Some(role) = role {
            reasons.push(Refusal::RolePower { node: node.name.clone(), role, power: node.power });
        }
        if NodeName::try_from(node.name.clone()).is_err() {
            reasons.push(Refusal::Name { name: node.name.clone() });
        }
        if !regions.contains(&node.region) {
            reasons.push(Refusal::UnknownRegion { node: node.name.clone(), region: node.region.clone() });
        }
    }
    let total = nodes.iter().try_fold(0_u64, |total, node| total.checked_add(node.power));
    if total.is_none_or(|total| total > POWER_MAX) {
        reasons.push(Refusal::TotalPower { limit: POWER_MAX });
    }
}

fn twice<'a>(what: &'static str, names: impl Iterator<Item = &'a String>, reasons: &mut Vec<Refusal>) {
    let mut known = BTreeSet::new();
    for name in names {
        if !known.insert(name) {
            reasons.push(Refusal::Twice { what, name: name.clone() });
        }
    }
}
