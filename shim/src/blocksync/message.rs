//! The words of block sync: what is asked and answered on channel 0x40.
//!
//! ```text
//! StatusRequest 2200   StatusResponse {height 76, base 1} 2a04084c1001   BlockRequest {1} 0a020801
//! NoBlockResponse {99999999} 120508ffc1d72f   BlockResponse 1a ‖ len ‖ { 0a ‖ len ‖ Block, 12 ‖ len ‖ ExtendedCommit }
//! ```
//! Source: CometBFT `blocksync/msgs.go`, the same bytes from 0.34 on. Blocks and commits stay the bytes that they are.

use bytes::Bytes;
use prost::Message as _;
use proto::cometbft::blocksync::message::Sum;
use proto::cometbft::blocksync::{
    BlockRequest, BlockResponse, Message, NoBlockResponse, StatusRequest, StatusResponse,
};

use crate::source::Offer;

/// A message of block sync whose numbers are heights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Asks for heights.
    StatusRequest,
    /// The heights that the sender has; `None` for none.
    Status(Option<Offer>),
    /// Asks for a block.
    BlockRequest {
        /// The height.
        height: u64,
    },
    /// The block is not there.
    NoBlock {
        /// The height that was asked for.
        height: u64,
    },
    /// A block.
    Block {
        /// `tendermint.types.Block`.
        block: Bytes,
        /// `tendermint.types.ExtendedCommit`.
        extended_commit: Option<Bytes>,
    },
}

/// Why a payload is no message of block sync.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WordError {
    /// It cannot be read.
    #[error("malformed message of block sync: {source}")]
    Malformed {
        /// Where reading failed.
        #[from]
        source: prost::DecodeError,
    },
    /// It is none of the known messages.
    #[error("an unknown message of block sync")]
    Unknown,
    /// A height below 0.
    #[error("{what} of {actual}")]
    Negative {
        /// What has the number.
        what: &'static str,
        /// The number.
        actual: i64,
    },
    /// The heights of a status are upside down.
    #[error("a status from height {base} to {height}")]
    Backwards {
        /// The lowest.
        base: u64,
        /// The highest.
        height: u64,
    },
}

impl Word {
    /// Reads a payload of channel 0x40, as strictly as a node does.
    ///
    /// # Errors
    /// [`WordError`]: a node disconnects from who sends this.
    pub fn decode(payload: Bytes) -> Result<Self, WordError> {
        Ok(match Message::decode(payload)?.sum.ok_or(WordError::Unknown)? {
            Sum::StatusRequest(_) => Self::StatusRequest,
            Sum::StatusResponse(status) => Self::Status(status_of(&status)?),
            Sum::BlockRequest(request) => {
                Self::BlockRequest { height: natural("a request for height", request.height)? }
            }
            Sum::NoBlockResponse(answer) => Self::NoBlock { height: natural("no block at height", answer.height)? },
            Sum::BlockResponse(answer) => Self::Block { block: answer.block, extended_commit: answer.ext_commit },
        })
    }

    /// The payload.
    #[must_use]
    pub fn encode(self) -> Bytes {
        let sum = match self {
            Self::StatusRequest => Sum::StatusRequest(StatusRequest {}),
            Self::Status(offer) => {
                let Offer { base, top } = offer.unwrap_or(Offer { base: 0, top: 0 });
                Sum::StatusResponse(StatusResponse { height: top.cast_signed(), base: base.cast_signed() })
            }
            Self::BlockRequest { height } => Sum::BlockRequest(BlockRequest { height: height.cast_signed() }),
            Self::NoBlock { height } => Sum::NoBlockResponse(NoBlockResponse { height: height.cast_signed() }),
            Self::Block { block, extended_commit } => {
                Sum::BlockResponse(BlockResponse { block, ext_commit: extended_commit })
            }
        };
        Message { sum: Some(sum) }.encode_to_vec().into()
    }
}

fn natural(what: &'static str, actual: i64) -> Result<u64, WordError> {
    u64::try_from(actual).map_err(|_| WordError::Negative { what, actual })
}

fn status_of(status: &StatusResponse) -> Result<Option<Offer>, WordError> {
    let (base, height) = (natural("a base", status.base)?, natural("a height", status.height)?);
    if base > height {
        return Err(WordError::Backwards { base, height });
    }
    // Nodes without a base say 0, and mean that they have all.
    Ok((height > 0).then_some(Offer { base: base.max(1), top: height }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden() -> Vec<(Word, &'static str)> {
        vec![
            (Word::StatusRequest, "2200"),
            (Word::Status(Some(Offer { base: 1, top: 76 })), "2a04084c1001"),
            (Word::Status(None), "2a00"),
            (Word::BlockRequest { height: 1 }, "0a020801"),
            (Word::BlockRequest { height: 2 }, "0a020802"),
            (Word::NoBlock { height: 99_999_999 }, "120508ffc1d72f"),
        ]
    }

    #[test]
    fn words_are_the_bytes_of_real_nodes() {
        for (word, bytes) in golden() {
            assert_eq!(hex::encode(word.clone().encode()), bytes);
            assert_eq!(Word::decode(hex::decode(bytes).expect("hex").into()).expect("decodes"), word);
        }
        let block = Word::Block { block: Bytes::from_static(b"block"), extended_commit: Some(Bytes::new()) };
        assert_eq!(hex::encode(block.clone().encode()), "1a090a05626c6f636b1200");
        assert_eq!(Word::decode(block.clone().encode()).expect("decodes"), block);
    }

    #[test]
    fn what_a_node_disconnects_for_is_refused() {
        let refused = |bytes: &str| Word::decode(hex::decode(bytes).expect("hex").into()).expect_err(bytes).to_string();
        assert_eq!(refused(""), "an unknown message of block sync");
        assert_eq!(refused("3200"), "an unknown message of block sync");
        assert_eq!(refused("0a0b08ffffffffffffffffff01"), "a request for height of -1");
        assert_eq!(refused("120b0880808080808080808001"), "no block at height of -9223372036854775808");
        assert_eq!(refused("2a0408011002"), "a status from height 2 to 1");
        assert!(refused("0a05").starts_with("malformed"));
    }
}
