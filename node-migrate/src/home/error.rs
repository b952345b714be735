//! Why a folder cannot be taken as a node's home.

use std::path::{Path, PathBuf};

use ledger_formats::engine::detect::DetectError;

use super::genesis::GenesisError;
use super::toml_text::TomlFault;

/// Why a folder cannot be taken as a node's home.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// The path leads nowhere.
    #[error("there is nothing at {path}")]
    Missing {
        /// The path given.
        path: PathBuf,
    },
    /// The folder has nothing that a home has.
    #[error("{path} is not a node's home: it has neither config/config.toml nor a folder data")]
    NotAHome {
        /// The path given.
        path: PathBuf,
    },
    /// The folder of the databases was given instead of the home above it.
    #[error("{path} is the folder of the databases, not the home: give {give}")]
    IsDataFolder {
        /// The path given.
        path: PathBuf,
        /// The home, or how to find it.
        give: String,
    },
    /// The folder of the configuration was given instead of the home above it.
    #[error("{path} is the folder of the configuration, not the home: give {give}")]
    IsConfigFolder {
        /// The path given.
        path: PathBuf,
        /// The home.
        give: PathBuf,
    },
    /// One database was given instead of the home.
    #[error("{path} is a single database, not a home: give {give}, and the database's name with --db")]
    IsDatabase {
        /// The path given.
        path: PathBuf,
        /// The home above it, or how to find it.
        give: String,
    },
    /// The home has no database.
    #[error(
        "the home {root} has no databases: looked in {looked_in} for {looked_for}, and for any folder whose files are a database's"
    )]
    NoDatabases {
        /// The home.
        root: PathBuf,
        /// The folders looked in, separated by commas.
        looked_in: String,
        /// The names looked for.
        looked_for: String,
    },
    /// A configuration file is not TOML, or a setting in it has a wrong type.
    #[error("{path}: {fault}")]
    BrokenConfig {
        /// The file.
        path: PathBuf,
        /// Line and reason.
        fault: TomlFault,
    },
    /// The genesis file is broken.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// A database of the node is of an engine that this tool does not read.
    #[error("{database} at {path} is of engine {engine}, which is not supported")]
    ForeignEngine {
        /// The database's name.
        database: String,
        /// Its file or folder.
        path: PathBuf,
        /// The engine's name as `db_backend` spells it.
        engine: &'static str,
    },
    /// The files of a database do not tell its engine.
    #[error("{database}: {source}")]
    Undetected {
        /// The database's name.
        database: String,
        /// What was found instead.
        source: DetectError,
    },
    /// Two databases are one folder on disk.
    #[error("{first} and {second} are the same folder, {real_path}")]
    SamePlace {
        /// One database.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// Where both lead.
        real_path: PathBuf,
    },
    /// The operating system refused a read.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

impl HomeError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), source }
    }
}
