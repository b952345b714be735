//! What a decision rests on: measurements with their limits, each readable by itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::plan::NodeName;

/// One measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "measure", rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the words of the text below, with their units")]
pub enum Evidence {
    /// How far a node is behind the network.
    HeightLag { node: NodeName, height: u64, network_height: u64, blocks_max: u64 },
    /// The last height that a validator signed, of those sampled.
    Signed { node: NodeName, height: u64, sampled_to_height: u64 },
    /// Signatures missed in the jail window.
    Missed { node: NodeName, blocks: u64, blocks_max: u64, jailed_blocks: u64 },
    /// Equal words of several nodes.
    Attested { height: u64, root: String, nodes: Vec<NodeName> },
    /// Errors logged after the migration.
    Errors { node: NodeName, errors: u64, errors_max: u64 },
    /// Bytes free.
    Disk { node: NodeName, free_bytes: u64, free_bytes_min: u64 },
    /// Time gone by.
    Elapsed { what: String, seconds: u64, seconds_max: u64 },
    /// Power that is or would be down.
    PowerDown { power: u64, below: u64, total: u64 },
    /// Heights that a stage went through.
    Soaked { from_height: u64, to_height: u64, heights_min: u64 },
    /// Nodes seen healthy in the new format.
    Population { healthy: usize, population_min: usize },
    /// What was seen or said, in words.
    Words { text: String },
}

impl Evidence {
    /// Words.
    pub(crate) fn words(text: impl Into<String>) -> Self {
        Self::Words { text: text.into() }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeightLag { node, height, network_height, blocks_max } => {
                let lag = network_height.saturating_sub(*height);
                write!(
                    f,
                    "{node} is at height {height}, {lag} behind the network's {network_height} (at most {blocks_max})"
                )
            }
            Self::Signed { node, height, sampled_to_height } => {
                write!(f, "{node} signed height {height} (commits seen up to {sampled_to_height})")
            }
            Self::Missed { node, blocks, blocks_max, jailed_blocks } => {
                write!(
                    f,
                    "{node} missed {blocks} blocks of the window (at most {blocks_max}; jailed above {jailed_blocks})"
                )
            }
            Self::Attested { height, root, nodes } => {
                write!(f, "at height {height} root {root} by {}", names(nodes))
            }
            Self::Errors { node, errors, errors_max } => {
                write!(f, "{node} logged {errors} errors (at most {errors_max})")
            }
            Self::Disk { node, free_bytes, free_bytes_min } => {
                write!(f, "{node} has {free_bytes} bytes of disk free (at least {free_bytes_min})")
            }
            Self::Elapsed { what, seconds, seconds_max } => write!(f, "{what}: {seconds} s (at most {seconds_max} s)"),
            Self::PowerDown { power, below, total } => {
                write!(f, "power {power} of {total} down (must stay below {below})")
            }
            Self::Soaked { from_height, to_height, heights_min } => {
                let heights = to_height.saturating_sub(*from_height);
                write!(f, "{heights} heights, {from_height} to {to_height} (at least {heights_min})")
            }
            Self::Population { healthy, population_min } => {
                write!(f, "{healthy} nodes healthy in the new format (at least {population_min})")
            }
            Self::Words { text } => f.write_str(text),
        }
    }
}

/// Names in a row.
pub(crate) fn names<'a>(nodes: impl IntoIterator<Item = &'a NodeName>) -> String {
    nodes.into_iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ")
}
