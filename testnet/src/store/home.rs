//! A validator's home on a disk: configuration, genesis file and the two databases, as a node of CometBFT has them.
//!
//! ```text
//! config/config.toml       db_backend names the engine
//! config/genesis.json
//! data/blockstore.db  data/state.db
//! ```
//! Like a node, it opens the engine that `db_backend` names and the layout that the label in the database names, and
//! starts on nothing else: not while a migration has its start guard there.
//!
//! # Correctness
//! A home is made in the order databases, genesis file, configuration: without its configuration it is none yet. Each
//! row batch is one durable step of its engine ([`ledger_formats::engine::live`]).

use std::path::{Path, PathBuf};

use ledger_formats::durable::{self, DurableError};
use ledger_formats::engine::live::LiveStore;
use ledger_formats::engine::{EngineKind, TargetFormat, UnknownTarget, open_live};
use ledger_formats::store::{ReadStore, StoreError};

use super::format::Format;
use super::load::{LoadError, Stored, load, served};
use super::rows::{block_rows, genesis_rows, state_rows};
use crate::chain::{ChainState, Commit, Genesis, Rules, ValidatorSetFault};
use crate::consensus::DecidedBlock;

/// The databases of a validator, open.
pub struct Databases {
    format: Format,
    blocks: Box<dyn LiveStore>,
    states: Box<dyn LiveStore>,
}

/// Why a home cannot be made or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// A file or folder.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// A database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration cannot be read.
    #[error("cannot read {}: {reason}", .file.display())]
    Config {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The configuration names an engine that there is not: a migration's start guard does.
    #[error("unknown db_backend: {0}")]
    Backend(#[from] UnknownTarget),
    /// The genesis names no set of validators.
    #[error(transparent)]
    Genesis(#[from] ValidatorSetFault),
}

impl Databases {
    /// Makes the home of a validator that has not begun, and opens it.
    ///
    /// # Errors
    /// [`HomeError`].
    pub fn create(home: &Path, genesis: &Genesis, engine: EngineKind, format: Format) -> Result<Self, HomeError> {
        let state = ChainState::genesis(genesis)?;
        let (blocks, states) = genesis_rows(genesis, &state, format);
        Self::with_rows(home, genesis, (engine, format), &blocks, &states)
    }

    /// Makes a home that holds these rows of both databases, and opens it.
    ///
    /// # Errors
    /// [`HomeError`].
    pub fn with_rows(
        home: &Path,
        genesis: &Genesis,
        (engine, format): (EngineKind, Format),
        blocks: &[(Vec<u8>, Vec<u8>)],
        states: &[(Vec<u8>, Vec<u8>)],
    ) -> Result<Self, HomeError> {
        for folder in ["config", "data"] {
            durable::create_dir_all(&home.join(folder))?;
        }
        let mut databases = Self::open_with(home, engine, format)?;
        databases.blocks.put(blocks)?;
        databases.states.put(states)?;
        durable::write_file(&home.join("config/genesis.json"), genesis.to_json(format.dialect()).as_bytes())?;
        let config =
            format!("# A validator of a testnet.\ndb_backend = \"{}\"\ndb_dir = \"data\"\n", engine.config_name());
        durable::write_file(&home.join("config/config.toml"), config.as_bytes())?;
        Ok(databases)
    }

    /// Opens the databases of a home as its configuration and their label say.
    ///
    /// # Errors
    /// [`HomeError::Backend`] while a migration has its start guard there; others.
    pub fn open(home: &Path) -> Result<Self, HomeError> {
        let file = home.join("config/config.toml");
        let failed = |reason: String| HomeError::Config { file: file.clone(), reason };
        let text = std::fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| failed(error.to_string()))?;
        let backend = table.get("db_backend").and_then(toml::Value::as_str);
        let backend = backend.ok_or_else(|| failed("it does not say db_backend".to_owned()))?;
        let engine = backend.parse::<TargetFormat>()?.engine;
        let mut databases = Self::open_with(home, engine, Format::Old)?;
        databases.format = Format::of_label(databases.states.reader().get(b"version")?.as_deref());
        Ok(databases)
    }

    fn open_with(home: &Path, engine: EngineKind, format: Format) -> Result<Self, HomeError> {
        let blocks = open_live(&home.join("data/blockstore.db"), engine)?;
        let states = open_live(&home.join("data/state.db"), engine)?;
        Ok(Self { format, blocks, states })
    }

    /// The format in which it stores.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Stores a block.
    ///
    /// # Errors
    /// When the engine cannot.
    pub fn save_block(&mut self, decided: &DecidedBlock) -> Result<(), StoreError> {
        self.blocks.put(&block_rows(decided, self.format))
    }

    /// Stores the state after a block.
    ///
    /// # Errors
    /// When the engine cannot.
    pub fn save_state(&mut self, decided: &DecidedBlock) -> Result<(), StoreError> {
        self.states.put(&state_rows(decided, self.format))
    }

    /// What a validator starts from.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(&self, rules: Rules) -> Result<Stored, LoadError> {
        load(self.blocks.reader(), self.states.reader(), rules)
    }

    /// A stored block and a commit that proves it.
    ///
    /// # Errors
    /// As [`served`].
    pub fn served(&self, height: u64) -> Result<Option<(Vec<u8>, Commit)>, LoadError> {
        served(self.blocks.reader(), self.format, height)
    }

    /// The block store, for reading.
    #[must_use]
    pub fn blocks(&self) -> &dyn ReadStore {
        self.blocks.reader()
    }
}
