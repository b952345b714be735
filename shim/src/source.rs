//! What a service may offer: blocks that were verified.
//!
//! A node that gets one wrong block disconnects, and one release stops altogether; a height that was
//! announced and is not there leaves it stuck (lp2p.md, section 5). So a source announces only
//! what it has checked against the chain's own commitments and can deliver at once.

use bytes::Bytes;

/// The heights that a source can deliver, both ends included. Over the life of a source neither end ever goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The lowest height.
    pub base: u64,
    /// The highest height.
    pub top: u64,
}

/// A block that was verified, byte for byte as the chain's own encoding has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedBlock {
    /// Its height.
    pub height: u64,
    /// Its hash: the root over its header.
    pub hash: [u8; 32],
    /// `tendermint.types.Block`.
    pub block: Bytes,
    /// `tendermint.types.ExtendedCommit` of this height: present exactly where vote extensions were enabled.
    pub extended_commit: Option<Bytes>,
}

/// Why a block that is in the offer cannot be delivered.
#[derive(Debug, thiserror::Error)]
#[error("height {height} cannot be offered: {reason}")]
pub struct SourceError {
    /// The height.
    pub height: u64,
    /// What is wrong, in words.
    pub reason: String,
}

/// Verified blocks of one chain.
pub trait BlockSource: Send + Sync {
    /// The chain's id.
    fn chain_id(&self) -> &str;

    /// What can be delivered now; `None` while there is nothing.
    fn offer(&self) -> Option<Offer>;

    /// The block at `height`, checked anew while it is read; `None` outside of the offer.
    ///
    /// Blocks the thread: call it where that is allowed.
    ///
    /// # Errors
    /// When the stored bytes are not the chain's, or cannot be read.
    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError>;
}

/// A source that never has a block: of one who only asks.
#[derive(Clone, Debug)]
pub struct NoBlocks {
    /// The chain's id.
    pub chain_id: String,
}

impl BlockSource for NoBlocks {
    fn chain_id(&self) -> &str {
        &self.chain_id
    }

    fn offer(&self) -> Option<Offer> {
        None
    }

    fn block(&self, _: u64) -> Result<Option<OfferedBlock>, SourceError> {
        Ok(None)
    }
}
