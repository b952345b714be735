//! `scenario.toml` as it is written, and its way into a [`Scenario`].

use std::time::Duration;

use mbft_types::LinearTimeouts;
use serde::Deserialize;

use super::{Fault, FaultKind, Latency, Load, NodeSpec, Refusal, Scenario, ScenarioError, judge};
use crate::consensus::Pace;
use crate::store::Format;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioFile {
    name: String,
    network: NetworkFile,
    latency: LatencyFile,
    load: LoadFile,
    #[serde(default, rename = "node")]
    nodes: Vec<NodeFile>,
    #[serde(default, rename = "fault")]
    faults: Vec<FaultFile>,
    rollout: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFile {
    chain_id: String,
    block_time_ms: u64,
    propose_ms: u64,
    vote_ms: u64,
    commit_ms: u64,
    catch_up_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LatencyFile {
    pub(super) regions: Vec<String>,
    pub(super) one_way_ms: Vec<Vec<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoadFile {
    transactions_per_second: u32,
    bytes_max: usize,
    power_change_every: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeFile {
    pub(super) name: String,
    pub(super) role: RoleFile,
    #[serde(default)]
    pub(super) power: u64,
    format: FormatFile,
    pub(super) region: String,
    failure_domain: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RoleFile {
    Validator,
    Full,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FormatFile {
    Old,
    New,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    node: String,
    kind: FaultKind,
}

/// Reads and judges a scenario.
pub(super) fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    let file: ScenarioFile =
        toml::from_str(text).map_err(|error| ScenarioError::Parse { reason: error.to_string() })?;
    let mut reasons = Vec::new();
    judge::network(&file.network.chain_id, &pace_numbers(&file.network), &mut reasons);
    judge::latency(&file.latency, &mut reasons);
    judge::nodes(&file.nodes, &file.latency.regions, &mut reasons);
    for fault in &file.faults {
        if !file.nodes.iter().any(|node| node.name == fault.node) {
            reasons.push(Refusal::UnknownNode { what: "a fault", node: fault.node.clone() });
        }
    }
    if !reasons.is_empty() {
        return Err(ScenarioError::Refused { reasons });
    }
    let scenario = scenario(file);
    // What a rollout may do with these nodes is for its own plan to judge.
    match scenario.plan(|_| super::NodeCommands::default()) {
        Ok(_) => Ok(scenario),
        Err(fault) => Err(ScenarioError::Refused { reasons: vec![Refusal::Rollout { reason: fault.to_string() }] }),
    }
}

fn pace_numbers(network: &NetworkFile) -> [(&'static str, u64); 5] {
    [
        ("network.block_time_ms", network.block_time_ms),
        ("network.propose_ms", network.propose_ms),
        ("network.vote_ms", network.vote_ms),
        ("network.commit_ms", network.commit_ms),
        ("network.catch_up_ms", network.catch_up_ms),
    ]
}

fn scenario(file: ScenarioFile) -> Scenario {
    let place = |region: &str| file.latency.regions.iter().position(|each| each == region).unwrap_or_default();
    let node = |node: NodeFile| NodeSpec {
        region: place(&node.region),
        name: node.name,
        power: node.power,
        format: match node.format {
            FormatFile::Old => Format::Old,
            FormatFile::New => Format::New,
        },
        failure_domain: node.failure_domain,
    };
    let nodes = file.nodes.into_iter().map(node).collect();
    let millis = |row: Vec<u64>| row.into_iter().map(Duration::from_millis).collect();
    Scenario {
        name: file.name,
        pace: pace(&file.network),
        block_time: Duration::from_millis(file.network.block_time_ms),
        chain_id: file.network.chain_id,
        nodes,
        latency: Latency(file.latency.one_way_ms.into_iter().map(millis).collect()),
        load: Load {
            per_second: file.load.transactions_per_second,
            bytes_max: file.load.bytes_max,
            power_change_every: file.load.power_change_every,
        },
        faults: file.faults.into_iter().map(|FaultFile { node, kind }| Fault { node, kind }).collect(),
        rollout: file.rollout,
    }
}

fn pace(network: &NetworkFile) -> Pace {
    let millis = Duration::from_millis;
    let delta = millis(network.vote_ms / 4);
    let rounds = LinearTimeouts {
        propose: millis(network.propose_ms),
        propose_delta: delta,
        prevote: millis(network.vote_ms),
        prevote_delta: delta,
        precommit: millis(network.vote_ms),
        precommit_delta: delta,
        // Own votes are said again only when a whole round should have been over.
        rebroadcast: millis(network.propose_ms + 2 * network.vote_ms),
        max_timeout: millis(10 * (network.propose_ms + 2 * network.vote_ms)),
    };
    Pace { rounds, commit: millis(network.commit_ms), catch_up: millis(network.catch_up_ms) }
}
