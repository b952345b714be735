//! `rollout.toml` as it is written, and its way into a [`Plan`].

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::check;
use super::{
    Address, CommandNode, Format, Gates, Jail, Limits, Network, NodeName, NodePlan, Plan, Promotion, Refusal, Role,
    Stage, WithNewHeights,
};

/// Why a file is no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// It is not TOML of this form.
    #[error("not a rollout plan: {reason}")]
    Parse {
        /// What is wrong, with its place.
        reason: String,
    },
    /// It can be read and must not be carried out.
    #[error("the plan is refused: {}", join(.reasons))]
    Refused {
        /// All reasons.
        reasons: Vec<Refusal>,
    },
}

fn join(reasons: &[Refusal]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    name: String,
    #[serde(default)]
    with_new_heights: WithNewHeights,
    format: Format,
    network: NetworkFile,
    jail: Jail,
    limits: Limits,
    gates: Gates,
    #[serde(default, rename = "node")]
    nodes: Vec<NodeFile>,
    #[serde(default, rename = "stage")]
    stages: Vec<StageFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFile {
    total_power: Option<u64>,
    block_time_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    name: NodeName,
    role: Role,
    #[serde(default)]
    power: u64,
    failure_domain: String,
    address: Option<Address>,
    command: Option<CommandNode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StageFile {
    name: String,
    nodes: Option<Vec<NodeName>>,
    share_percent: Option<u64>,
    rest: Option<bool>,
    population_min: usize,
    soak_heights: u64,
    promotion: Promotion,
}

/// Reads and judges a plan.
pub(super) fn parse(text: &str) -> Result<Plan, PlanError> {
    let file: PlanFile = toml::from_str(text).map_err(|error| PlanError::Parse { reason: error.to_string() })?;
    let mut reasons = Vec::new();
    let order: Vec<NodeName> = file.nodes.iter().map(|node| node.name.clone()).collect();
    let nodes = nodes_by_name(file.nodes, &mut reasons);
    let own_power = nodes.values().fold(0_u64, |sum, node| sum.saturating_add(node.power));
    let stages = stages(file.stages, &order, &mut reasons);
    let network = Network {
        total_power: file.network.total_power.unwrap_or(own_power),
        block_time_ms: file.network.block_time_ms,
    };
    let plan = Plan {
        name: file.name,
        format: file.format,
        network,
        jail: file.jail,
        limits: file.limits,
        gates: file.gates,
        with_new_heights: file.with_new_heights,
        stages,
        nodes,
    };
    reasons.extend(check::refusals(&plan, own_power));
    if reasons.is_empty() { Ok(plan) } else { Err(PlanError::Refused { reasons }) }
}

fn nodes_by_name(files: Vec<NodeFile>, reasons: &mut Vec<Refusal>) -> BTreeMap<NodeName, NodePlan> {
    let mut nodes = BTreeMap::new();
    for file in files {
        let NodeFile { name, role, power, failure_domain, address, command } = file;
        let node = NodePlan { name: name.clone(), role, power, failure_domain, address, driver: command };
        if nodes.insert(name.clone(), node).is_some() {
            reasons.push(Refusal::Twice { what: "nodes", name: name.into() });
        }
    }
    nodes
}

/// Resolves shares and rests: in the order of the file, of the nodes that no earlier stage has.
fn stages(files: Vec<StageFile>, order: &[NodeName], reasons: &mut Vec<Refusal>) -> Vec<Stage> {
    let mut taken = BTreeSet::new();
    let mut names = BTreeSet::new();
    let mut stages = Vec::new();
    for file in files {
        if !names.insert(file.name.clone()) {
            reasons.push(Refusal::Twice { what: "stages", name: file.name.clone() });
        }
        let left = || order.iter().filter(|node| !taken.contains(*node)).cloned();
        let members: Vec<NodeName> = match (file.nodes, file.share_percent, file.rest) {
            (Some(nodes), None, None) => nodes,
            (None, Some(percent), None) => left().take(share(order.len(), percent)).collect(),
            (None, None, Some(true)) => left().collect(),
            _ => {
                reasons.push(Refusal::Members { stage: file.name });
                continue;
            }
        };
        for node in &members {
            if !order.contains(node) {
                reasons.push(Refusal::UnknownNode { stage: file.name.clone(), node: node.clone() });
            } else if !taken.insert(node.clone()) {
                reasons.push(Refusal::NodeTwice { node: node.clone(), stage: file.name.clone() });
            }
        }
        stages.push(Stage {
            name: file.name,
            nodes: members,
            population_min: file.population_min,
            soak_heights: file.soak_heights,
            promotion: file.promotion,
        });
    }
    for node in order.iter().filter(|node| !taken.contains(*node)) {
        reasons.push(Refusal::NodeNowhere { node: node.clone() });
    }
    stages
}

/// So many of all nodes, rounded up.
fn share(nodes: usize, percent: u64) -> usize {
    usize::try_from(percent.min(100)).unwrap_or(100).saturating_mul(nodes).div_ceil(100)
}
