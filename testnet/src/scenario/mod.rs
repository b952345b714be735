//! What a network of processes is like: `scenario.toml`, read and judged.
//!
//! A [`Scenario`] exists only when nothing in it speaks against it; every key that is not known is an error, so that a misspelt
//! one never falls back to a default. `testnet/scenarios/seven.toml` is one, with a comment for each key.

mod file;
mod judge;
mod plan;
mod refusal;

use std::time::Duration;

use crate::consensus::Pace;
use crate::store::Format;

pub use plan::{NodeCommands, PlanFault};
pub use refusal::{Refusal, ScenarioError};

/// A network and what happens to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What people call it.
    pub name: String,
    /// Name of the chain; the keys of its validators follow from it and their names, and are worth nothing.
    pub chain_id: String,
    /// How fast its validators go.
    pub pace: Pace,
    /// Usual time between two blocks, by which the rollout reckons.
    pub block_time: Duration,
    /// The nodes, in the order of the file.
    pub nodes: Vec<NodeSpec>,
    /// How long messages are on their way.
    pub latency: Latency,
    /// Transactions.
    pub load: Load,
    /// What goes wrong in the network that has faults.
    pub faults: Vec<Fault>,
    /// The rollout's plan but for its nodes: see [`Scenario::plan`].
    rollout: toml::Table,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSpec {
    /// Its name.
    pub name: String,
    /// Voting power; 0 for a full node, which follows without voting.
    pub power: u64,
    /// The format in which it begins.
    pub format: Format,
    /// Its place in [`Latency`].
    pub region: usize,
    /// What it shares with nodes that may fail together with it.
    pub failure_domain: String,
}

/// How long a message is on its way between two regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latency(Vec<Vec<Duration>>);

/// Transactions that somebody sends to whichever node takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// How many a second.
    pub per_second: u32,
    /// Bytes of one at most; sizes are spread evenly below.
    pub bytes_max: usize,
    /// One in so many changes the power of a validator; 0 for none.
    pub power_change_every: u64,
}

/// Something that goes wrong, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub node: String,
    /// What.
    pub kind: FaultKind,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The node's new state database is damaged between its verification and its first start.
    DamagedAfterVerification,
}

impl Latency {
    /// From a region to a region.
    #[must_use]
    pub fn between(&self, from: usize, to: usize) -> Duration {
        self.0.get(from).and_then(|row| row.get(to)).copied().unwrap_or_default()
    }
}

impl Scenario {
    /// Reads `scenario.toml`.
    ///
    /// # Errors
    /// [`ScenarioError`] names every reason for which it is refused.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        file::parse(text)
    }

    /// A node by its name, and its place.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<(usize, &NodeSpec)> {
        self.nodes.iter().enumerate().find(|(_, node)| node.name == name)
    }

    /// The power of all.
    #[must_use]
    pub fn total_power(&self) -> u64 {
        self.nodes.iter().map(|node| node.power).sum()
    }
}

#[cfg(test)]
mod tests;
