//! Messages between validators, in two wire versions.
//!
//! ```text
//! version 1:  01 ‖ message
//! version 2:  02 ‖ message compressed with Snappy (block format)
//!
//! message = one field: 1 vote · 2 proposal {1 proposal, 2 address} · 3 part {1 height, 2 round, 3 block_id, 4 part}
//!   4 polka certificate {1 height, 2 round, 3 block_id, 4 votes} · 5 round certificate {1 height, 2 round, 3 kind, 4 votes}
//!   6 block request {1 height} · 7 block {1 height, 2 block, 3 commit} · 8 transaction
//! ```
//! Votes, proposals, parts, blocks and commits are CometBFT's own messages. A vote has its time in its timestamp.
//! Decoding takes hostile bytes: what it returns is well-formed and no more; nothing in it is checked against the chain.

mod decode;
mod encode;
mod wal;

use ledger_formats::comet::DecodeError;
use mbft_types::{PolkaCertificate, RoundCertificate};

use super::ballot::{SignedProposal, SignedVote};
use super::context::Testnet;
use crate::chain::{BlockId, Commit, Part};

pub use wal::{WalRecord, WalValue};

/// Bytes of a message at most, uncompressed: a block of the greatest size, and some.
pub const MESSAGE_BYTES_MAX: usize = 24 << 20;

/// How messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WireVersion {
    /// Plain.
    V1,
    /// Compressed.
    V2,
}

/// A message between validators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A vote.
    Vote(SignedVote),
    /// A proposal; the block comes in parts.
    Proposal(SignedProposal),
    /// A part of a proposed block.
    Part {
        /// Height of the block.
        height: u64,
        /// Round in which it is sent.
        round: u32,
        /// The block.
        block: BlockId,
        /// The part.
        part: Part,
    },
    /// Prevotes that make a polka.
    PolkaCertificate(PolkaCertificate<Testnet>),
    /// Votes that let enter a round.
    RoundCertificate(RoundCertificate<Testnet>),
    /// Asks for a decided block.
    BlockRequest {
        /// Its height.
        height: u64,
    },
    /// A decided block.
    Block {
        /// Its height.
        height: u64,
        /// The block's bytes.
        block: Vec<u8>,
        /// Votes that prove it.
        commit: Commit,
    },
    /// A transaction.
    Transaction(Vec<u8>),
}

/// Why bytes are not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Of another version than those that are known.
    #[error("wire version {version} is not known")]
    Version {
        /// The first byte, 0 for no bytes.
        version: u8,
    },
    /// Not what the version says.
    #[error("not compressed with Snappy: {reason}")]
    Compression {
        /// The library's words.
        reason: String,
    },
    /// More bytes than a message may have.
    #[error("a message of {bytes} bytes; at most {MESSAGE_BYTES_MAX} are taken")]
    TooLarge {
        /// Its bytes.
        bytes: usize,
    },
    /// Not a message.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A field that no honest sender fills so.
    #[error("{field} is impossible")]
    Impossible {
        /// The field.
        field: &'static str,
    },
}

impl WireVersion {
    /// All of them, oldest first.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];

    const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }
}

impl Message {
    /// The message as bytes.
    #[must_use]
    pub fn encode(&self, version: WireVersion) -> Vec<u8> {
        let mut plain = vec![version.number()];
        encode::message(self, &mut plain);
        match version {
            WireVersion::V1 => plain,
            WireVersion::V2 => {
                let body = plain.get(1..).unwrap_or_default();
                let compressed = snap::raw::Encoder::new().compress_vec(body).expect("messages are below 4 GiB");
                [&[version.number()], compressed.as_slice()].concat()
            }
        }
    }

    /// The height that its sender is deciding, if it says so.
    #[must_use]
    pub const fn height_decided_on(&self) -> Option<u64> {
        match self {
            Self::Vote(vote) => Some(vote.message.height.0),
            Self::Proposal(proposal) => Some(proposal.message.height.0),
            Self::Part { height, .. } => Some(*height),
            _ => None,
        }
    }

    /// Reads a message of either version.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        match bytes.split_first() {
            Some((1, body)) if body.len() > MESSAGE_BYTES_MAX => Err(WireError::TooLarge { bytes: body.len() }),
            Some((1, body)) => decode::message(body),
            Some((2, body)) => decode::message(&uncompressed(body)?),
            other => Err(WireError::Version { version: other.map_or(0, |(version, _)| *version) }),
        }
    }
}

fn uncompressed(body: &[u8]) -> Result<Vec<u8>, WireError> {
    let failed = |error: snap::Error| WireError::Compression { reason: error.to_string() };
    let bytes = snap::raw::decompress_len(body).map_err(failed)?;
    if bytes > MESSAGE_BYTES_MAX {
        return Err(WireError::TooLarge { bytes });
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(failed)
}

#[cfg(test)]
mod tests;
