//! What a validator is told, and what it wants done.

use std::sync::Arc;
use std::time::Duration;

use crate::chain::{Address, Block, BlockFault, BlockId, ChainState, Commit, CommitFault, Outcome, PartSet};
use crate::consensus::signer::{LastSigned, Refusal};
use crate::consensus::wire::Message;

/// Names one setting of a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub(super) u64);

/// What happens to a validator.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message arrived.
    Message {
        /// From whom, by the host's numbering.
        from: u32,
        /// The message.
        message: Message,
    },
    /// A timer fired.
    Timer(TimerId),
    /// Somebody wants this transaction in a block.
    Transaction(Vec<u8>),
}

/// To whom a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// All peers.
    All,
    /// One, by the host's numbering.
    Peer(u32),
}

/// What a validator wants done. The order counts: see [`crate::consensus`].
#[derive(Clone, Debug)]
pub enum Output {
    /// Send a message.
    Send {
        /// To whom.
        to: Receiver,
        /// The message.
        message: Message,
    },
    /// Come back with [`Input::Timer`] after a while. Timers that are set anew or cancelled are not taken back; what
    /// they fire is ignored.
    SetTimer {
        /// Its name.
        timer: TimerId,
        /// When to fire.
        after: Duration,
    },
    /// Add a record to the log; it need not last before [`Output::SyncWal`].
    AppendWal(Vec<u8>),
    /// Make all records of the log last.
    SyncWal,
    /// Throw the log away; the next records are of this height.
    ResetWal {
        /// The height.
        height: u64,
    },
    /// Make last what the signer signed last.
    SaveSigner(LastSigned),
    /// Store a block and its commit, in one durable step.
    SaveBlock(Arc<DecidedBlock>),
    /// Store the state after it, in one durable step.
    SaveState(Arc<DecidedBlock>),
    /// Send a stored block to a peer.
    ServeBlock {
        /// The peer.
        to: u32,
        /// Height of the block.
        height: u64,
    },
    /// Tell people.
    Complain(Complaint),
}

/// A block with all that is stored about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedBlock {
    /// The block.
    pub block: Block,
    /// Its name.
    pub id: BlockId,
    /// Its parts.
    pub parts: PartSet,
    /// Votes that prove it, as this validator saw them.
    pub seen_commit: Commit,
    /// The state after it.
    pub state: ChainState,
    /// What the application answered.
    pub outcome: Outcome,
}

/// Something that should not happen in a healthy network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Complaint {
    /// The signer refused to sign.
    #[error(transparent)]
    Refused(Refusal),
    /// The engine gave up on an input.
    #[error("the engine: {reason}")]
    Engine {
        /// Its words.
        reason: String,
    },
    /// A block that was decided is not here.
    #[error("block {block} of height {height} was decided and is not here")]
    MissingBlock {
        /// The height.
        height: u64,
        /// The block.
        block: BlockId,
    },
    /// A proposed block is not what it says, or may not follow.
    #[error("a proposed block is refused: {reason}")]
    BadBlock {
        /// Why.
        reason: String,
    },
    /// A peer answered with a block that is not the chain's.
    #[error("peer {peer} serves another block {height} than the chain's: {fault}")]
    BadAnswer {
        /// The peer.
        peer: u32,
        /// The height.
        height: u64,
        /// Why not.
        fault: AnswerFault,
    },
    /// A validator signed twice.
    #[error("validator {address} signed two things in one round of height {height}")]
    Equivocation {
        /// The validator.
        address: Address,
        /// The height.
        height: u64,
    },
}

/// Why a peer's answer is not the next block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerFault {
    /// Not a block.
    #[error(transparent)]
    Block(#[from] crate::chain::BlockError),
    /// It may not follow.
    #[error(transparent)]
    Invalid(#[from] BlockFault),
    /// Its commit does not prove it.
    #[error(transparent)]
    Commit(#[from] CommitFault),
}
