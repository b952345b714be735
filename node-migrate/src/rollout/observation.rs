//! One round of looking at the network: what the nodes, their homes and the chain show now.
//!
//! An observation never fails: what cannot be seen is part of it. It says nothing of what should be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plan::{Address, NodeName};

/// One round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observations {
    /// Nodes by name; one that is missing could not be seen at all.
    pub nodes: BTreeMap<NodeName, NodeSeen>,
    /// New heights of the chain since the last sample; `None` when nobody could be asked or there is none.
    pub chain: Option<Sample>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSeen {
    /// Its process.
    pub process: Process,
    /// Its home, or why that cannot be read now.
    pub home: Result<HomeSeen, String>,
    /// Its RPC, or why that does not answer.
    pub rpc: Result<RpcSeen, String>,
    /// What it attests to, the last agreed heights; at most a few.
    pub attestations: Vec<Attestation>,
    /// Bytes free on its disk.
    pub disk_free_bytes: Option<u64>,
    /// Errors in its log since that began.
    pub errors_total: Option<u64>,
}

impl NodeSeen {
    /// A node of which nothing can be seen.
    #[must_use]
    pub fn unreachable(reason: &str) -> Self {
        Self {
            process: Process::Unknown,
            home: Err(reason.to_owned()),
            rpc: Err(reason.to_owned()),
            attestations: Vec::new(),
            disk_free_bytes: None,
            errors_total: None,
        }
    }
}

/// Whether a node's process is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    /// It runs.
    Running,
    /// It does not.
    Stopped,
    /// It cannot be told.
    Unknown,
}

/// Which databases a node opens when it is started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Those in the old format.
    #[default]
    Old,
    /// None: a switch is half done, and the start guard is on.
    Switching,
    /// Those in the new format.
    New,
}

/// How far a copy for the other side is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prepared {
    /// Not begun, not complete, or out of date.
    #[default]
    Nothing,
    /// Complete, not verified.
    Copied,
    /// Verified.
    Verified,
}

/// A home, by its migrations' journals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeSeen {
    /// What the node would open.
    pub side: Side,
    /// The copy beside it.
    pub prepared: Prepared,
    /// In words for the log: phase and journal head.
    pub detail: String,
}

/// What a node's RPC says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpcSeen {
    /// Its last height.
    pub height: u64,
    /// Whether it says itself that it is behind.
    pub catching_up: bool,
    /// Its validator's address.
    pub address: Option<Address>,
}

/// A node's word for the chain up to a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// The height, a multiple of the plan's interval.
    pub height: u64,
    /// Root over the blocks up to it, as the node's own databases have them.
    #[serde(with = "hex::serde")]
    pub root: [u8; 32],
}

/// New heights of the chain, and who did not sign them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The height before the first one.
    pub after_height: u64,
    /// The last one. Commits of all these are final.
    pub to_height: u64,
    /// Time of the block at `after_height`, of the next one when it [begins anew](Self::begins_anew); milliseconds since 1970.
    pub from_time_ms: u64,
    /// Time of the block at `to_height`.
    pub to_time_ms: u64,
    /// Blocks of these that a validator of the plan did not sign; those that signed all are left out.
    pub missed: BTreeMap<NodeName, u64>,
    /// The last of these heights that a validator of the plan signed; those that signed none are left out.
    pub signed: BTreeMap<NodeName, u64>,
    /// Heights before `after_height` that nobody looked at, because there were too many.
    #[serde(default)]
    pub skipped_heights: u64,
    /// Whether the block at `after_height` was not sampled before.
    #[serde(default)]
    pub begins_anew: bool,
}

impl Sample {
    /// How many block times lie between the two times: one less where the time before the first block is not known.
    #[must_use]
    pub fn blocks_timed(&self) -> u64 {
        let blocks = self.to_height.saturating_sub(self.after_height);
        if self.begins_anew { blocks.saturating_sub(1) } else { blocks }
    }
}
