//! What the owner of a receiver decides about what comes.

use crate::source::OfferedBlock;

use super::BlockHead;

/// Judges blocks against what is known of the chain: neighbouring headers, commits, validator sets.
///
/// A peer is never trusted for content. By the time of [`Check::block`] its bytes are proven to be the parts that
/// the head names; whether that head is the chain's is for this to say. Both methods may use the processor, and
/// block the thread.
pub trait Check: Send {
    /// Judges a head before its parts are taken: where the block id of the height is known, nothing else is fetched.
    ///
    /// # Errors
    /// Why it is not the head of the chain's block.
    fn head(&mut self, head: &BlockHead) -> Result<(), Rejection>;

    /// Judges a whole block, and takes it. Blocks come in the order of heights.
    ///
    /// # Errors
    /// Why it is not the chain's block.
    fn block(&mut self, head: &BlockHead, block: OfferedBlock) -> Result<(), Rejection>;
}

/// Why something is not of the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Rejection {
    /// The reason in words.
    pub reason: String,
}

impl Rejection {
    /// A rejection for a reason.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self { reason: reason.to_string() }
    }
}
