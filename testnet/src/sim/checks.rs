//! What must hold in every run, whatever goes wrong in it.

use std::collections::BTreeMap;
use std::time::Duration;

use mbft_types::VoteType;

use crate::chain::{Address, BlockId, Time};
use crate::consensus::{Message, Step};

/// Within this time after the end of all faults every node is two heights further than the best one was then.
pub const LIVENESS_BOUND: Duration = Duration::from_secs(10);

/// Something that must never happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// Two nodes store different blocks at one height.
    #[error("fork at height {height}: node {node} stores {actual}, others store {expected}")]
    Fork {
        /// The height.
        height: u64,
        /// The node that differs.
        node: usize,
        /// What was stored first.
        expected: BlockId,
        /// What this node stores.
        actual: BlockId,
    },
    /// A node lacks a block that it had.
    #[error("node {node} had height {expected} and starts again at {actual}")]
    LostHeight {
        /// The node.
        node: usize,
        /// What it had.
        expected: u64,
        /// What it has.
        actual: u64,
    },
    /// A node cannot start from its own stores.
    #[error("node {node} cannot start: {reason}")]
    CannotStart {
        /// The node.
        node: usize,
        /// Why not.
        reason: String,
    },
    /// A validator sent two messages that contradict each other.
    #[error("validator {address} signed two {step:?} messages in round {round} of height {height}")]
    Equivocation {
        /// The validator.
        address: Address,
        /// The height.
        height: u64,
        /// The round.
        round: u32,
        /// Which message.
        step: Step,
    },
    /// A node made no progress after the faults.
    #[error("node {node} is at height {actual}, {bound:?} after the faults ended; {expected} expected")]
    Stalled {
        /// The node.
        node: usize,
        /// The bound.
        bound: Duration,
        /// The height that it should have.
        expected: u64,
        /// The height that it has.
        actual: u64,
    },
    /// A validator did what no healthy one does.
    #[error("node {node}: {complaint}")]
    Complaint {
        /// The node.
        node: usize,
        /// What it says.
        complaint: String,
    },
    /// The stores differ in the end.
    #[error("node {node} has the root {actual} over the heights to {height}, others have {expected}")]
    Root {
        /// The node.
        node: usize,
        /// Last common height.
        height: u64,
        /// The first node's root.
        expected: String,
        /// This node's.
        actual: String,
    },
    /// The run does not come to an end.
    #[error("{events} events without an end")]
    Endless {
        /// Events so far.
        events: u64,
    },
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}, {at} after the start: {violation}")]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// When.
    pub at: Elapsed,
    /// What.
    pub violation: Violation,
}

/// Time since the beginning of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(pub(super) Time);

impl std::fmt::Display for Elapsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.0.0 / 1_000;
        write!(f, "{}.{:06} s", micros / 1_000_000, micros % 1_000_000)
    }
}

/// What has been seen so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    blocks: BTreeMap<u64, BlockId>,
    signed: BTreeMap<(Address, u64, u32, Step), Option<BlockId>>,
}

impl Checks {
    /// A node stores a block.
    pub(super) fn stored(&mut self, node: usize, height: u64, actual: BlockId) -> Result<(), Violation> {
        let expected = *self.blocks.entry(height).or_insert(actual);
        if expected == actual { Ok(()) } else { Err(Violation::Fork { height, node, expected, actual }) }
    }

    /// A validator sends one of its own messages.
    pub(super) fn sent(&mut self, own: Address, message: &Message) -> Result<(), Violation> {
        let (address, height, round, step, value) = match message {
            Message::Vote(vote) => {
                let step = if vote.kind == VoteType::Prevote { Step::Prevote } else { Step::Precommit };
                (vote.address, vote.height.0, vote.round, step, vote.block().copied())
            }
            Message::Proposal(it) => (it.address, it.height.0, it.round, Step::Propose, Some(it.value)),
            _ => return Ok(()),
        };
        let round = round.as_u32().unwrap_or(0);
        if address != own || *self.signed.entry((address, height, round, step)).or_insert(value) == value {
            return Ok(());
        }
        Err(Violation::Equivocation { address, height, round, step })
    }
}
