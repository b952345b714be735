//! What speaks against a scenario, in words.

/// Why a file is no scenario.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// It is not TOML of this form.
    #[error("not a scenario: {reason}")]
    Parse {
        /// What is wrong, with its place.
        reason: String,
    },
    /// It can be read and is no network.
    #[error("the scenario is refused: {}", .reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Refused {
        /// All reasons.
        reasons: Vec<Refusal>,
    },
}

/// One reason against a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody is there.
    #[error("there is no validator")]
    NoValidator,
    /// More nodes than one machine bears.
    #[error("{nodes} nodes; at most {limit}")]
    TooMany {
        /// Nodes.
        nodes: usize,
        /// The limit.
        limit: usize,
    },
    /// The chain's name is none.
    #[error("network.chain_id `{chain_id}` must be 1 to 50 printable ASCII characters")]
    ChainId {
        /// The name.
        chain_id: String,
    },
    /// A number is out of range.
    #[error("{what} is {value}; it must be {must}")]
    Number {
        /// Which.
        what: &'static str,
        /// Its value.
        value: u64,
        /// What it must be.
        must: &'static str,
    },
    /// A name that no node may have: it becomes the name of a folder.
    #[error(
        "`{name}` is no name of a node: up to 64 letters, digits, `.`, `_` and `-`, the first one a letter or digit"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A name is given twice.
    #[error("two {what} are named {name}")]
    Twice {
        /// Nodes or regions.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Something names a node that there is not.
    #[error("{what} names the node {node}, which there is not")]
    UnknownNode {
        /// What.
        what: &'static str,
        /// The name.
        node: String,
    },
    /// A node is in a region that there is not.
    #[error("{node} is in the region {region}, which latency.regions does not name")]
    UnknownRegion {
        /// The node.
        node: String,
        /// The region.
        region: String,
    },
    /// The matrix has another shape.
    #[error("latency.one_way_ms has {rows} rows for {regions} regions")]
    LatencyRows {
        /// Regions.
        regions: usize,
        /// Rows.
        rows: usize,
    },
    /// A row of the matrix has another length.
    #[error("row {row} of latency.one_way_ms has {columns} numbers for {regions} regions")]
    LatencyColumns {
        /// Which, from 0.
        row: usize,
        /// Regions.
        regions: usize,
        /// Numbers.
        columns: usize,
    },
    /// A validator without power, or a full node with some.
    #[error("{node} is a {role} with power {power}")]
    RolePower {
        /// The node.
        node: String,
        /// What it is.
        role: &'static str,
        /// Its power.
        power: u64,
    },
    /// The powers are more than a chain can reckon with.
    #[error("the power of all validators exceeds {limit}")]
    TotalPower {
        /// The limit.
        limit: u64,
    },
    /// The rollout may not be carried out over these nodes.
    #[error("the rollout: {reason}")]
    Rollout {
        /// Its plan's words.
        reason: String,
    },
}
