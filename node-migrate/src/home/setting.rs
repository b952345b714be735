//! The two settings by which a node chooses its storage engines, and which database each governs.
//!
//! Sources: `CometBFT` `node/setup.go` and `config/config.go` (0.34 to 1.0) for `db_backend`; Cosmos SDK `server/util.go`
//! (`GetAppDBBackend`, from 0.46) for `app-db-backend`; ethermint and cosmos/evm `server/start.go` for `evmindexer`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A setting that names a storage engine. Ordered as the start guard must be put on: the application's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// `app-db-backend` in `config/app.toml`.
    AppDbBackend,
    /// `db_backend` in `config/config.toml`.
    DbBackend,
}

impl Setting {
    /// Both, in the order in which the start guard is put on.
    pub const ALL: [Self; 2] = [Self::AppDbBackend, Self::DbBackend];

    /// The key, at the top level of its file.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::DbBackend => "db_backend",
            Self::AppDbBackend => "app-db-backend",
        }
    }

    /// The file's name inside `config/`.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::DbBackend => "config.toml",
            Self::AppDbBackend => "app.toml",
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.key(), self.file_name())
    }
}

/// Which program opens a database, as told by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The consensus node, below `db_dir`.
    Node,
    /// The Cosmos SDK application, always below `<home>/data`.
    App,
    /// An application by rules of its own.
    Unknown,
}

/// What a database holds, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Blocks, their parts and commits.
    BlockStore,
    /// Validators, parameters and results by height.
    State,
    /// Pending and committed evidence.
    Evidence,
    /// Transactions and block events by search term.
    TxIndex,
    /// What a light client trusts. No full node opens it.
    LightStore,
    /// Anything else: moved byte for byte.
    Opaque,
}

/// Names of the node's databases.
pub(super) const NODE_NAMES: [&str; 4] = ["blockstore", "state", "evidence", "tx_index"];

/// Names of the application's databases that follow `app-db-backend`.
pub(super) const APP_NAMES: [&str; 3] = ["application", "snapshots/metadata", "evmindexer"];

/// Name of a light client's store, which lies in the light client's home itself.
pub(super) const LIGHT_NAME: &str = "light-client-db";

/// What the name of a database (without `.db`) tells about it.
pub(super) fn by_name(name: &str) -> (Role, Owner) {
    match name {
        "blockstore" => (Role::BlockStore, Owner::Node),
        "state" => (Role::State, Owner::Node),
        "evidence" => (Role::Evidence, Owner::Node),
        "tx_index" => (Role::TxIndex, Owner::Node),
        LIGHT_NAME => (Role::LightStore, Owner::Unknown),
        name if APP_NAMES.contains(&name) => (Role::Opaque, Owner::App),
        _ => (Role::Opaque, Owner::Unknown),
    }
}
