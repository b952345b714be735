//! Why what came is not what was asked for.

use proofs::merkle::InclusionError;

use super::{Refusal, Rejection};

/// What is wrong with a message of the sending side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A message that does not decode, or is out of its place.
    #[error("the peer sent {what}")]
    Malformed {
        /// What it sent, in words.
        what: &'static str,
    },
    /// A block of another height than the next.
    #[error("the peer sent height {actual}, expected {expected}")]
    Height {
        /// The height whose turn it was.
        expected: u64,
        /// The height that came.
        actual: u64,
    },
    /// Sizes that no block has.
    #[error(
        "the peer announced height {height} with {part_count} parts, {block_bytes} bytes of block and {delivery_bytes} \
         bytes in all, which is no block"
    )]
    Size {
        /// The height.
        height: u64,
        /// Parts announced.
        part_count: u32,
        /// Bytes of the block announced.
        block_bytes: usize,
        /// Bytes of block and extended commit announced.
        delivery_bytes: usize,
    },
    /// Another head than the one whose parts were taken before; they are discarded.
    #[error("the peer has another block at height {height} than the one of which parts are here")]
    HeadChanged {
        /// The height.
        height: u64,
    },
    /// A part out of turn, or of a size that the part at its place cannot have.
    #[error(
        "the peer sent part {actual} of {bytes} bytes at height {height}, expected part {expected} of {expected_bytes}"
    )]
    Part {
        /// The height.
        height: u64,
        /// The part whose turn it was.
        expected: u32,
        /// The bytes of that part.
        expected_bytes: usize,
        /// The part that came.
        actual: u32,
        /// Its bytes.
        bytes: usize,
    },
    /// A part that is not shown to be one of the block.
    #[error("the peer sent part {index} of height {height}, which is not proven: {source}")]
    Proof {
        /// The height.
        height: u64,
        /// The part.
        index: u32,
        /// Why not.
        source: InclusionError,
    },
    /// More or fewer bytes of an extended commit than announced.
    #[error("the peer sent {actual} bytes of the extended commit of height {height}, announced {expected}")]
    ExtendedCommit {
        /// The height.
        height: u64,
        /// Bytes announced.
        expected: usize,
        /// Bytes that came, at least.
        actual: usize,
    },
    /// A head or block that is not the chain's.
    #[error("the peer sent a block of height {height} that is not the chain's: {source}")]
    Rejected {
        /// The height.
        height: u64,
        /// Why not.
        source: Rejection,
    },
    /// The peer refused.
    #[error("the peer refused: {0}")]
    Refused(Refusal),
}

impl Fault {
    /// A short name for counters.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::Height { .. } => "out_of_order",
            Self::Size { .. } => "bad_size",
            Self::HeadChanged { .. } => "head_changed",
            Self::Part { .. } => "bad_part",
            Self::Proof { .. } => "bad_proof",
            Self::ExtendedCommit { .. } => "bad_extended_commit",
            Self::Rejected { .. } => "rejected",
            Self::Refused(refusal) => refusal.name(),
        }
    }
}
