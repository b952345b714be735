//! Why a plan is refused: one reason each, in words for the person who wrote it.

use super::NodeName;

/// One reason against a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing to do.
    #[error("the plan has no {what}")]
    None {
        /// Nodes or stages.
        what: &'static str,
    },
    /// Two of one name.
    #[error("two {what} are named {name}")]
    Twice {
        /// Nodes or stages.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A stage names a node that is not there.
    #[error("stage {stage} names {node}, which is no node of the plan")]
    UnknownNode {
        /// The stage.
        stage: String,
        /// The name.
        node: NodeName,
    },
    /// A node would be migrated twice.
    #[error("{node} is in stage {stage} and in an earlier one")]
    NodeTwice {
        /// The node.
        node: NodeName,
        /// The later stage.
        stage: String,
    },
    /// A node would be forgotten.
    #[error("{node} is in no stage: name it in one, or let the last stage say `rest = true`")]
    NodeNowhere {
        /// The node.
        node: NodeName,
    },
    /// A stage does not say which nodes it has.
    #[error("stage {stage} must say exactly one of nodes, share_percent, rest = true")]
    Members {
        /// The stage.
        stage: String,
    },
    /// A stage without nodes.
    #[error("stage {stage} has no nodes left to migrate")]
    EmptyStage {
        /// The stage.
        stage: String,
    },
    /// A stage could never end, or would end without evidence.
    #[error("stage {stage} has {nodes} nodes: population_min must be 1 to {nodes}, not {population_min}")]
    Population {
        /// The stage.
        stage: String,
        /// Nodes of the stage.
        nodes: usize,
        /// What the plan says.
        population_min: usize,
    },
    /// A soak without an attestation in it proves nothing.
    #[error(
        "stage {stage} soaks for {soak_heights} heights: at least {needed} are needed for an attestation every {interval} heights"
    )]
    Soak {
        /// The stage.
        stage: String,
        /// What the plan says.
        soak_heights: u64,
        /// What it must be at least.
        needed: u64,
        /// The interval of attestations.
        interval: u64,
    },
    /// The plan would take too much power down.
    #[error(
        "stage {stage} may take down {nodes} at once: power {power} of {total}, and only less than {limit} may be down (one third of the total, less {margin_percent} percent of it)"
    )]
    Power {
        /// The stage.
        stage: String,
        /// The nodes.
        nodes: String,
        /// Their power.
        power: u64,
        /// The network's.
        total: u64,
        /// The least power that may not be down.
        limit: u64,
        /// The margin.
        margin_percent: u64,
    },
    /// The margin leaves nothing.
    #[error("power_margin_percent is {margin_percent}: at most 33 leave anything to take down")]
    Margin {
        /// What the plan says.
        margin_percent: u64,
    },
    /// Role and power contradict each other.
    #[error("{node} is a {role} with power {power}: a validator has power, another node none")]
    RolePower {
        /// The node.
        node: NodeName,
        /// Its role.
        role: &'static str,
        /// Its power.
        power: u64,
    },
    /// The powers are more than the total.
    #[error("the nodes have power {nodes} together, more than the network's total_power {total}")]
    TotalPower {
        /// The sum.
        nodes: u64,
        /// What the plan says.
        total: u64,
    },
    /// A validator could be jailed before a gate closes.
    #[error(
        "{what} is {value}, not below jail.missed_blocks_max {jailed}: a validator could be jailed before the rollout halts"
    )]
    Jail {
        /// The setting, with what follows from it.
        what: &'static str,
        /// Blocks.
        value: u64,
        /// Blocks that jail.
        jailed: u64,
    },
    /// A number that cannot be meant.
    #[error("{what} is {value}, it must be {must}")]
    Number {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: u64,
        /// What it must be.
        must: &'static str,
    },
    /// Words that `--to` does not know.
    #[error("format.{key}: {reason}")]
    Format {
        /// `to` or `back`.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Nodes with new heights cannot be migrated back to nowhere.
    #[error("with_new_heights = \"migrate-back\" needs format.back, another format than format.to")]
    NoWayBack,
}
