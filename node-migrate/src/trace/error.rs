//! Why a record cannot be traced.

use ledger_formats::root::ProofError;
use ledger_formats::store::StoreError;

use super::Question;
use super::side::TracedSide;
use crate::checkpoint::ChainError;
use crate::migration::OpenError;
use crate::reading::ReadingError;
use crate::store_root::StoreRootError;
use crate::tips::TipError;

/// Why a record cannot be traced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// There is no such record.
    #[error("{what} is in no database that was looked into: {looked}")]
    NotFound {
        /// What was looked for.
        what: String,
        /// The databases, with the heights that they hold.
        looked: String,
    },
    /// More records than any height of any chain has.
    #[error("{database}: more than {limit} records of this height")]
    TooMany {
        /// The database.
        database: String,
        /// The limit.
        limit: usize,
    },
    /// Folders may have changed places, or not.
    #[error("a cut-over or rollback was interrupted half-way")]
    HalfDone,
    /// The migrations of the home.
    #[error(transparent)]
    Migration(#[from] OpenError),
    /// A database cannot be opened.
    #[error("{database}: {source}")]
    Open {
        /// The database.
        database: String,
        /// What is wrong.
        source: ReadingError,
    },
    /// A database cannot be read.
    #[error("{database}: {source}")]
    Store {
        /// The database.
        database: String,
        /// What is wrong.
        source: StoreError,
    },
    /// The height of a database cannot be told.
    #[error("{database}: {source}")]
    Tip {
        /// The database.
        database: String,
        /// What is wrong.
        source: TipError,
    },
    /// There is no root to prove a record against.
    #[error("{database}: {source}")]
    Root {
        /// The database.
        database: String,
        /// What is wrong.
        source: StoreRootError,
    },
    /// A path that this tool made does not hold.
    #[error("{database}: the proof does not hold, which is a fault of this tool: {source}")]
    Proof {
        /// The database.
        database: String,
        /// What is wrong.
        source: ProofError,
    },
    /// There is no tree of heights.
    #[error("the tree of heights: {0}")]
    Chain(#[from] ChainError),
}

/// That nothing was found.
pub(super) fn not_found(question: &Question, sides: &[TracedSide]) -> TraceError {
    let what = match question {
        Question::Height(height) => format!("height {height}"),
        Question::Key(key) => format!("the key {} ({})", hex::encode(key), key.escape_ascii()),
    };
    let looked = |side: &TracedSide| match &side.tip {
        Some(tip) => format!("{} ({tip})", side.database),
        None => side.database.clone(),
    };
    let mut looked: Vec<String> = sides.iter().map(looked).collect();
    looked.dedup();
    TraceError::NotFound { what, looked: looked.join(", ") }
}
