//! Why a switch cannot go on.

use std::path::PathBuf;

use ledger_formats::durable::DurableError;
use ledger_formats::engine::detect::DetectError;
use ledger_formats::engine::lock::LockError;
use ledger_formats::store::StoreError;

use crate::home::guard::GuardError;
use crate::journal::JournalError;
use crate::reading::ReadingError;
use crate::tips::TipError;

/// Why a cut-over or rollback stopped. The same command continues it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// The genesis file is not the one that the plan edits.
    #[error("{path} has changed since the plan was made")]
    GenesisMoved {
        /// The file.
        path: PathBuf,
    },
    /// The migration is not where this switch begins.
    #[error("the migration is {phase}")]
    Phase {
        /// Where it stands.
        phase: &'static str,
    },
    /// The node has run since the snapshot.
    #[error("{database} has changed since it was copied: the node has run meanwhile")]
    SourceMoved {
        /// The database.
        database: String,
    },
    /// The new database is not what was verified.
    #[error("the new {database} has changed since it was sealed and verified")]
    TargetMoved {
        /// The database.
        database: String,
    },
    /// A rollback would lose what the node has written since the cut-over.
    #[error("the new {database} holds what the old one lacks: {lost}")]
    WouldLose {
        /// The database.
        database: String,
        /// What would be lost.
        lost: String,
    },
    /// A rollback cannot tell what the new database holds.
    #[error("it cannot be told what the new {database} holds that the old one lacks: {source}")]
    NewUnreadable {
        /// The database.
        database: String,
        /// Why it cannot be read.
        source: Box<SwitchError>,
    },
    /// A folder is not where either side of an exchange should be.
    #[error("{database}: neither {live} nor {waiting} is the folder that the journal names")]
    FolderUnknown {
        /// The database.
        database: String,
        /// Where the node looks.
        live: PathBuf,
        /// Where the other one should be.
        waiting: PathBuf,
    },
    /// A database is locked, or its lock cannot be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A database cannot be read.
    #[error("{database}: {source}")]
    Store {
        /// The database.
        database: String,
        /// What is wrong.
        source: StoreError,
    },
    /// The tip of a database cannot be told.
    #[error("{database}: {source}")]
    Tip {
        /// The database.
        database: String,
        /// What is wrong.
        source: TipError,
    },
    /// The engine of a folder cannot be told.
    #[error("{database}: {source}")]
    Detect {
        /// The database.
        database: String,
        /// What is wrong.
        source: DetectError,
    },
    /// A database cannot be opened to compare heights.
    #[error("{database}: {source}")]
    Reading {
        /// The database.
        database: String,
        /// What is wrong.
        source: ReadingError,
    },
    /// The start guard or the final configuration.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A durable step failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
