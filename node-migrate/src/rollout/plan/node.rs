//! A node of the plan: its name, its weight, where it stands, how it is reached.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Longest name of a node: it becomes part of file names.
const NAME_BYTES_MAX: usize = 64;

/// A node's name: letters, digits, `.`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

/// A name that no node may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is no name of a node: up to {NAME_BYTES_MAX} letters, digits, `.`, `_` and `-`, the first one a letter or digit"
)]
pub struct NameError {
    name: String,
}

impl TryFrom<String> for NodeName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        let fits = name.len() <= NAME_BYTES_MAX
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if fits { Ok(Self(name)) } else { Err(NameError { name }) }
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl NodeName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a node does in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It signs, with its power.
    Validator,
    /// It follows: full node, sentry, archive.
    Full,
}

/// A validator's address: 20 bytes, as commits name their signers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address(#[serde(with = "hex::serde")] pub [u8; 20]);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode_upper(self.0))
    }
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePlan {
    /// Its name.
    pub name: NodeName,
    /// What it does.
    pub role: Role,
    /// Its voting power; 0 for a node that does not sign.
    pub power: u64,
    /// What it shares with the nodes that may fail together with it: a machine, a rack, a region.
    pub failure_domain: String,
    /// A validator's address; asked of the node when it is not given.
    pub address: Option<Address>,
    /// How to reach it; a plan without this can be judged and simulated, not run.
    pub driver: Option<CommandNode>,
}

/// A node of this machine: its home is worked on by this program, its process by commands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandNode {
    /// Its folder, which holds `config/` and `data/`.
    pub home: PathBuf,
    /// Its RPC, `http://HOST:PORT`.
    pub rpc: String,
    /// Shell command that starts it and returns.
    pub start: String,
    /// Shell command that stops it and returns when it has ended.
    pub stop: String,
    /// Shell command that succeeds while its process is there, 30 s after `start` at the latest [default: whether its
    /// databases are locked].
    pub alive: Option<String>,
    /// Its log, in which errors are counted.
    pub log: Option<PathBuf>,
}
