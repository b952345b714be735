//! The plan of a rollout: `rollout.toml`, read and judged.
//!
//! A [`Plan`] exists only when nothing in it speaks against it; see [`Refusal`]. Every number names its
//! unit; a key that is not known is an error, so that a misspelt limit never falls back to a default.

mod check;
mod file;
mod node;
mod refusal;

use std::collections::BTreeMap;

pub use file::PlanError;
pub use node::{Address, CommandNode, NameError, NodeName, NodePlan, Role};
pub use refusal::Refusal;
use serde::Deserialize;

/// A plan that may be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What people call the rollout.
    pub name: String,
    /// The format that is rolled out.
    pub format: Format,
    /// What is known of the network.
    pub network: Network,
    /// When the chain jails a validator.
    pub jail: Jail,
    /// How much may be in flight.
    pub limits: Limits,
    /// What must hold for the rollout to go on.
    pub gates: Gates,
    /// What becomes of a node that has made heights in the new format when its stage fails.
    pub with_new_heights: WithNewHeights,
    /// The stages in order; each node is in exactly one.
    pub stages: Vec<Stage>,
    /// The nodes by name.
    pub nodes: BTreeMap<NodeName, NodePlan>,
}

/// The format that is asked for, in the words of `--to`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// What the databases become.
    pub to: String,
    /// What they are now: needed for `with_new_heights = "migrate-back"`.
    pub back: Option<String>,
}

/// What is known of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Voting power of all validators, those outside of the plan included.
    pub total_power: u64,
    /// Usual time between two blocks.
    pub block_time_ms: u64,
}

/// When the chain jails a validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jail {
    /// Length of the window that is looked at, in blocks.
    pub window_blocks: u64,
    /// A validator that misses more of the window than this is jailed.
    pub missed_blocks_max: u64,
}

/// How much may be in flight at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Kept free below one third of the power, in percent of the total.
    pub power_margin_percent: u64,
    /// Nodes that may be out of service at once.
    pub nodes_in_flight_max: usize,
    /// Longest time of one node out of service.
    pub node_downtime_seconds_max: u64,
    /// Longest time of a command that starts or stops a node.
    pub command_seconds_max: u64,
    /// Longest time of one stage, waiting for a person's word excepted.
    pub stage_seconds_max: u64,
}

/// What must hold for the rollout to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gates {
    /// Blocks that a node in service may be behind the network.
    pub height_lag_blocks_max: u64,
    /// Blocks of the jail window that a validator may miss, its migration included.
    pub missed_blocks_max: u64,
    /// Errors that a node may log after its migration.
    pub errors_max: u64,
    /// Bytes that must stay free on the node's disk.
    pub disk_free_bytes_min: u64,
    /// Nodes attest to every height that is a multiple of this.
    pub attestation_interval_heights: u64,
    /// How long a node may be unreachable or behind before it counts as failed.
    pub grace_seconds: u64,
    /// How long the network may go without a new block.
    pub stall_seconds_max: u64,
}

/// What becomes of a healthy node of a failed stage whose new databases hold heights that the old ones
/// lack: a rollback would lose them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithNewHeights {
    /// It stays on the new format, and the operator is told.
    #[default]
    Hold,
    /// It is migrated back, new heights included: one more copy, verification and cut-over.
    MigrateBack,
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its name: canary, fraction, all, or what the plan says.
    pub name: String,
    /// Its nodes in the order in which they are migrated.
    pub nodes: Vec<NodeName>,
    /// Nodes that must be seen healthy in the new format when the stage ends.
    pub population_min: usize,
    /// Heights that all its nodes must go through together in the new format.
    pub soak_heights: u64,
    /// Who lets the rollout go on.
    pub promotion: Promotion,
}

/// Who lets the rollout go on after a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promotion {
    /// The gates alone.
    Automatic,
    /// A named person, after the gates.
    ByPerson,
}

impl Plan {
    /// Reads `rollout.toml`.
    ///
    /// # Errors
    /// [`PlanError`] names every reason for which the plan is refused.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        file::parse(text)
    }

    /// The number of the stage that a node is in.
    #[must_use]
    pub fn stage_of(&self, node: &NodeName) -> Option<usize> {
        self.stages.iter().position(|stage| stage.nodes.contains(node))
    }

    /// Blocks that a validator misses at most while it is out of service.
    #[must_use]
    pub fn downtime_blocks_max(&self) -> u64 {
        self.limits.node_downtime_seconds_max.saturating_mul(1000).div_ceil(self.network.block_time_ms.max(1))
    }

    /// Whether so much power may be down: below one third of the total, less the margin.
    #[must_use]
    pub fn allows_down(&self, power: u64) -> bool {
        300 * u128::from(power) < u128::from(self.network.total_power) * u128::from(self.free_percent_of_thirds())
    }

    /// The least power that may not be down.
    #[must_use]
    pub fn power_limit(&self) -> u64 {
        let limit = u128::from(self.network.total_power) * u128::from(self.free_percent_of_thirds());
        u64::try_from(limit.div_ceil(300)).unwrap_or(u64::MAX)
    }

    fn free_percent_of_thirds(&self) -> u64 {
        100_u64.saturating_sub(self.limits.power_margin_percent.saturating_mul(3))
    }
}
