//! Why there is no tree, no signature or no export.

use std::path::PathBuf;

use ledger_formats::comet::DecodeError;
use ledger_formats::comet::key::BlockKey;
use ledger_formats::durable::DurableError;
use ledger_formats::store::StoreError;
use proofs::checkpoint::{Checkpoint, CheckpointError, LeafError, NextError, SignError};
use proofs::merkle::Hash;
use proofs::note::{NoteError, NoteKeyError};
use proofs::tiles::{ResumeError, WriteError};

use crate::context::Interrupted;

/// Why a store does not give the leaves of its heights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The database has no blocks.
    #[error("the block store holds no blocks")]
    NoBlocks,
    /// The record of base and height cannot be understood.
    #[error("blockStore: {source}")]
    StoreState {
        /// What is wrong with it.
        source: DecodeError,
    },
    /// A height between base and tip has no block meta.
    #[error("height {height} has no block meta, though the store says that it holds {base} to {tip}")]
    Missing {
        /// The height.
        height: u64,
        /// Lowest height that the store should hold.
        base: u64,
        /// Highest one.
        tip: u64,
    },
    /// A block meta cannot be understood.
    #[error("block meta of height {height}: {source}")]
    Meta {
        /// The height in its key.
        height: u64,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// A block meta is of another height than its key says.
    #[error("block meta of height {height} has a header of height {actual}")]
    OtherHeight {
        /// The height in its key.
        height: u64,
        /// The height in its header.
        actual: u64,
    },
    /// A block meta names no block.
    #[error("block meta of height {height} has no block id of two hashes")]
    NoBlockId {
        /// The height.
        height: u64,
    },
    /// The header is not the one that the block id names.
    #[error("header of height {height} has the hash {actual}, its block id says {expected}",
        actual = .actual.map_or_else(|| "of nothing".to_owned(), hex::encode), expected = hex::encode(.expected))]
    HeaderHash {
        /// The height.
        height: u64,
        /// The hash in the block id.
        expected: Hash,
        /// The hash of the header; `None` when it cannot have one.
        actual: Option<Hash>,
    },
    /// The header does not name the block below as its last one.
    #[error("header of height {height} names another block below than the store has at height {below}")]
    BrokenLink {
        /// The height.
        height: u64,
        /// The height below.
        below: u64,
    },
    /// The last block of a tree is not the one that is named above it.
    #[error("block meta of height {height} names another block than {above:?} does")]
    Unbound {
        /// The height.
        height: u64,
        /// What names it.
        above: BlockKey,
    },
    /// The store's last height has no commit.
    #[error("height {height} has no seen commit, so nothing says which block was decided there")]
    NoCommit {
        /// The height.
        height: u64,
    },
    /// A commit cannot be understood.
    #[error("seen commit of height {height}: {source}")]
    Commit {
        /// The height in its key.
        height: u64,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The tree begins below the store's first height: the heights between were pruned, or were never there.
    #[error("the tree begins at height {first}, but the store holds heights {base} to {tip}")]
    Pruned {
        /// First height of the tree.
        first: u64,
        /// Lowest height of the store.
        base: u64,
        /// Highest one.
        tip: u64,
    },
    /// A height, or a tree, that the store does not hold.
    #[error("{what}, but the store holds heights {base} to {tip}")]
    Outside {
        /// What was asked for.
        what: String,
        /// Lowest height of the store.
        base: u64,
        /// Highest one.
        tip: u64,
    },
    /// A checkpoint says another root than the store gives.
    #[error("checkpoint of {size} leaves says the root {claimed}, the store gives {actual}",
        size = .checkpoint.size(), claimed = hex::encode(.checkpoint.root()), actual = hex::encode(.actual))]
    OtherRoot {
        /// The checkpoint.
        checkpoint: Box<Checkpoint>,
        /// The root over as many leaves of the store.
        actual: Hash,
    },
    /// The origin of a checkpoint does not name a tree of heights.
    #[error(transparent)]
    Origin(#[from] LeafError),
}

/// Why a checkpoint was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The leaves could not be had.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A file of the signer cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Another process signs with the key.
    #[error("another process signs with {path}")]
    Busy {
        /// The key file.
        path: PathBuf,
    },
    /// The key file holds no key.
    #[error("{path} is not a signing key: {source}")]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        source: NoteKeyError,
    },
    /// The file with the last checkpoint is damaged.
    #[error("{path}, the last checkpoint signed: {source}")]
    Last {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: LastError,
    },
    /// The new tree is not the last one, grown.
    #[error("refused to sign: {0}")]
    Inconsistent(#[from] NextError),
    /// The head is none.
    #[error(transparent)]
    Head(#[from] CheckpointError),
    /// The key does not sign this.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The checkpoint cannot be kept; it is then not given out either.
    #[error(transparent)]
    Write(#[from] DurableError),
}

/// Why the last checkpoint is not what this key signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LastError {
    /// Not a note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not signed by the key, or not a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Why a tree was not exported as tiles.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TileFolderError {
    /// The leaves could not be had.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The checkpoint that is there cannot be read.
    #[error("{path}: {reason}")]
    Published {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The tiles that are there cannot be added to.
    #[error("{folder}: {source}")]
    Resume {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        source: ResumeError<std::io::Error>,
    },
    /// A tile was not written.
    #[error(transparent)]
    Tile(#[from] WriteError<DurableError>),
    /// The checkpoint or a folder was not written.
    #[error(transparent)]
    Write(#[from] DurableError),
    /// The tiles have another root than the checkpoint.
    #[error("{folder}: the tiles have the root {tiles}, the checkpoint says {claimed}",
        tiles = hex::encode(.tiles), claimed = hex::encode(.claimed))]
    Root {
        /// The folder.
        folder: PathBuf,
        /// Root of the tiles.
        tiles: Hash,
        /// Root of the checkpoint.
        claimed: Hash,
    },
}

/// Why a tree was not exported as Parquet.
#[cfg(feature = "parquet")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParquetFolderError {
    /// The leaves could not be had.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Something is in the folder already.
    #[error("{folder} is not empty")]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// The library could not make a file.
    #[error("cannot make a Parquet file: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A file was not written.
    #[error(transparent)]
    Write(#[from] DurableError),
    /// What was written has another root than the checkpoint.
    #[error("{folder}: the leaves written have the root {written}, the checkpoint says {claimed}",
        written = hex::encode(.written), claimed = hex::encode(.claimed))]
    Root {
        /// The folder.
        folder: PathBuf,
        /// Root of the leaves written.
        written: Hash,
        /// Root of the checkpoint.
        claimed: Hash,
    },
}
