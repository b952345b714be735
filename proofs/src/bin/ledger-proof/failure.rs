//! Why a command did not do what it was asked to.

use std::path::PathBuf;

use proofs::checkpoint::{CheckpointError, GrowthFileError, LeafError, NextError, ProofFileError, SignError};
use proofs::note::{NoteError, NoteKeyError};
use proofs::receipt::ReceiptNoteError;

use super::reproduce::Fault;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{path} is longer than {bytes_max} bytes")]
    TooLong { path: PathBuf, bytes_max: u64 },
    #[error("another process uses {path}")]
    Locked { path: PathBuf },
    #[error("the operating system gives no randomness: {0}")]
    Randomness(getrandom::Error),
    #[error("the clock stands before 1970")]
    Clock,
    #[error("{path}: {source}")]
    Key { path: PathBuf, source: NoteKeyError },
    #[error("{path} has the state of a witness: leave out --first")]
    StateExists { path: PathBuf },
    #[error("{path} does not exist: a witness that lost its state must not go on; --first begins with a new log")]
    NoState { path: PathBuf },
    #[error("{path} is neither a checkpoint, a proof, a receipt nor a public key")]
    UnknownFile { path: PathBuf },
    #[error("{path} is a private key, which is not shown")]
    PrivateKey { path: PathBuf },
    #[error("{cosigned} of the witnesses cosigned, {quorum} are asked for")]
    Quorum { cosigned: usize, quorum: usize },
    #[error(transparent)]
    Name(#[from] NoteKeyError),
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Proof(#[from] ProofFileError),
    #[error(transparent)]
    Growth(#[from] GrowthFileError),
    #[error(transparent)]
    Next(#[from] NextError),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Leaf(#[from] LeafError),
    #[error(transparent)]
    Receipt(#[from] ReceiptNoteError),
    #[error(transparent)]
    Node(#[from] Fault),
}

impl Failure {
    /// The process's exit code.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Name(_) | Self::Key { .. } | Self::StateExists { .. } | Self::NoState { .. } => 2,
            Self::Read { .. }
            | Self::Write { .. }
            | Self::TooLong { .. }
            | Self::Locked { .. }
            | Self::Randomness(_)
            | Self::Clock => 7,
            Self::Node(fault) => fault.code(),
            _ => 6,
        }
    }
}
