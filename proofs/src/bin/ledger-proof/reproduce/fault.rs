//! Why a node's answers prove nothing, each lie with its own reason.

use std::path::PathBuf;

use proofs::chain::{JoinError, LinkError, SegmentError};
use proofs::commit::{BlockId, CommitError, KeyError, UnknownFlag, ValidatorSetError};
use proofs::merkle::Hash;

/// What went wrong between us and a node. `url` is the node, `path` what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{url} is not a plain http:// address: put a proxy that ends TLS in front, or use the node's own port")]
    Address { url: String },
    #[error("{url}{path}: no answer after {attempts} attempts: {reason}")]
    Silent { url: String, path: String, attempts: u32, reason: String },
    #[error("{url}{path}: the answer is longer than {bytes_max} bytes")]
    TooLong { url: String, path: String, bytes_max: u64 },
    #[error("{url}{path}: the answer is not what a node says: {reason}")]
    Malformed { url: String, path: String, reason: String },
    #[error("{url}{path}: the node refuses: {reason}")]
    Refused { url: String, path: String, reason: String },
    #[error("{url} serves chain {actual:?}, expected {expected:?}")]
    OtherChain { url: String, expected: String, actual: String },
    #[error("{url} serves a chain whose name has control characters: {name:?}")]
    ChainName { url: String, name: String },
    #[error("{url} is pruned: its first height is {base}, but {first} is needed")]
    Pruned { url: String, base: u64, first: u64 },
    #[error("{url} has heights up to {tip}, but {last} is needed")]
    Behind { url: String, tip: u64, last: u64 },
    #[error("{url}{path}: height {height} was not asked for")]
    NotAsked { url: String, path: String, height: u64 },
    #[error("{url}{path}: height {height} is there twice")]
    Twice { url: String, path: String, height: u64 },
    #[error("{url}{path}: none of the heights asked for is there")]
    Missing { url: String, path: String },
    #[error("{first} and {second} disagree at height {height}: {one} against {other}")]
    Disagree { first: String, second: String, height: u64, one: Box<BlockId>, other: Box<BlockId> },
    #[error("{url}: {source}")]
    Link { url: String, source: LinkError },
    #[error("the first block, of height {height}, is {actual}, expected {expected}",
        actual = hex::encode(.actual), expected = hex::encode(.expected))]
    FirstBlock { height: u64, expected: Hash, actual: Hash },
    #[error("{url}: validators of height {height} have the hash {actual}, the header says {expected}",
        actual = hex::encode(.actual), expected = hex::encode(.expected))]
    Validators { url: String, height: u64, expected: Vec<u8>, actual: Hash },
    #[error("{url}: validators of height {height}: the pages have {actual} of {expected}")]
    ValidatorCount { url: String, height: u64, expected: u64, actual: u64 },
    #[error("{url}: validator {index} of height {height}: {source}")]
    Key { url: String, height: u64, index: usize, source: KeyError },
    #[error("{url}: validators of height {height}: {source}")]
    Set { url: String, height: u64, source: ValidatorSetError },
    #[error("{url}: commit of height {height}: {source}")]
    Flag { url: String, height: u64, source: UnknownFlag },
    #[error("{url}: {source}")]
    Commit { url: String, source: CommitError },
    #[error("the chain has the root {actual} over {size} heights, the checkpoint says {expected}",
        actual = hex::encode(.actual), expected = hex::encode(.expected))]
    Root { size: u64, expected: Hash, actual: Hash },
    #[error("{path} is not the state of a walk: {reason}")]
    State { path: PathBuf, reason: String },
    #[error("{path} is the state of another walk: of chain {chain:?} from height {first}")]
    OtherWalk { path: PathBuf, chain: String, first: u64 },
    #[error("{path}, line {line}: {reason}")]
    Segment { path: PathBuf, line: usize, reason: String },
    #[error(transparent)]
    Join(#[from] JoinError),
    #[error("heights {from} to {to} are not a segment: {source}")]
    NotASegment { from: u64, to: u64, source: SegmentError },
}

impl Fault {
    /// The process's exit code: 7 where nothing was learnt, 2 for wrong words, 6 where something does not hold.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Silent { .. } | Self::Refused { .. } | Self::Behind { .. } | Self::Pruned { .. } => 7,
            Self::Address { .. } | Self::NotASegment { .. } | Self::OtherWalk { .. } => 2,
            _ => 6,
        }
    }
}
