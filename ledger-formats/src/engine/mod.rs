//! Storage engines: which one a folder holds, how it is read, how a new one is written.
//!
//! The only `match` over engines is here; no other module may know them by name.

mod ascending;
pub mod batch;
pub mod block;
pub mod block_cache;
pub mod block_codec;
pub mod block_fault;
pub mod block_writer;
pub mod checksum;
pub mod detect;
pub mod entry_point;
pub mod fingerprint;
pub mod footer;
mod index_cursor;
mod index_writer;
pub mod internal_key;
pub mod live;
pub mod lock;
pub mod log;
mod log_search;
mod log_table;
pub mod log_writer;
mod lru;
pub mod lsm;
mod lsm_seal;
pub mod lsm_target;
pub mod lsm_writer;
pub mod manifest;
pub mod manifest_writer;
pub mod memory;
mod merge;
pub mod names;
mod open;
mod open_tables;
pub mod options;
pub mod properties;
pub mod replay;
#[cfg(feature = "rocks")]
pub mod rocks;
mod runs;
pub mod separator;
#[cfg(feature = "sled")]
pub mod sled;
pub mod snapshot;
pub mod table;
mod table_cursor;
mod table_file;
pub mod table_writer;
pub mod varint;

pub use open::{folder_stats, open_copy, open_in_place, open_live, writer};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A storage engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// goleveldb, and C++ LevelDB, whose bytes are the same.
    #[serde(rename = "goleveldb")]
    LevelDb,
    /// Pebble.
    #[serde(rename = "pebbledb")]
    Pebble,
    /// RocksDB, one column family named `default`.
    RocksDb,
    /// sled 0.34.
    Sled,
}

impl EngineKind {
    /// The name that `db_backend` in `config.toml` uses.
    #[must_use]
    pub fn config_name(self) -> &'static str {
        match self {
            Self::LevelDb => "goleveldb",
            Self::Pebble => "pebbledb",
            Self::RocksDb => "rocksdb",
            Self::Sled => "sled",
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.config_name())
    }
}

/// What a database is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetFormat {
    /// The engine.
    pub engine: EngineKind,
    /// Pebble's format major version: 1 for nodes on Pebble v1, 13 for Pebble v2; 0 for other engines.
    pub pebble_format: u32,
}

/// A name of an engine or format that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a target: use goleveldb, pebbledb, rocksdb or sled; pebbledb,format=13 for a Pebble v2 node")]
pub struct UnknownTarget(String);

impl FromStr for TargetFormat {
    type Err = UnknownTarget;

    fn from_str(text: &str) -> Result<Self, UnknownTarget> {
        let unknown = || UnknownTarget(text.to_owned());
        let (name, options) = text.split_once(',').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let engine = match name {
            "goleveldb" | "leveldb" | "cleveldb" => EngineKind::LevelDb,
            "pebbledb" | "pebble" => EngineKind::Pebble,
            "rocksdb" | "rocks" => EngineKind::RocksDb,
            "sled" => EngineKind::Sled,
            _ => return Err(unknown()),
        };
        let pebble_format = match (engine, options) {
            (EngineKind::Pebble, None | Some("format=1")) => 1,
            (EngineKind::Pebble, Some("format=13")) => 13,
            (_, None) => 0,
            _ => return Err(unknown()),
        };
        Ok(Self { engine, pebble_format })
    }
}

impl fmt::Display for TargetFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pebble_format {
            0 | 1 => write!(f, "{}", self.engine),
            format => write!(f, "{},format={format}", self.engine),
        }
    }
}
