//! Why the blocks of a home cannot be given.

use std::path::PathBuf;

use ledger_formats::comet::DecodeError;
use ledger_formats::durable::DurableError;
use ledger_formats::engine::detect::DetectError;
use ledger_formats::store::StoreError;

use crate::blocks::Unproven;
use crate::checkpoint::ChainError;
use crate::home::HomeError;
use crate::migration::OpenError;
use crate::reading::ReadingError;

/// Why the blocks of a home cannot be given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServingError {
    /// The home cannot be read.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// A migration of it cannot be read.
    #[error(transparent)]
    Migration(#[from] OpenError),
    /// The engine of a folder cannot be told.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// A database cannot be opened.
    #[error(transparent)]
    Reading(#[from] ReadingError),
    /// A database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No scratch folder could be made.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The block store does not say which heights it holds.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A block is not known to be the chain's.
    #[error(transparent)]
    Unproven(#[from] Unproven),
    /// The home lacks a database that is needed.
    #[error("{home} has no {role} database")]
    NoDatabase {
        /// The home.
        home: PathBuf,
        /// What it should hold.
        role: &'static str,
    },
    /// The state record cannot be read.
    #[error("the record of the state: {source}")]
    State {
        /// What is wrong with it.
        source: DecodeError,
    },
}
