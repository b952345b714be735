//! What must hold in every run, whatever goes wrong in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mbft_types::VoteType;

use crate::chain::{Address, BlockId, CommitSig, Time, Validator, ValidatorSet};
use crate::consensus::{DecidedBlock, Message, Step};

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
    /// Stores hold something else than the chain makes of them.
    #[error("the stores of node {node}: {reason}")]
    Stores {
        /// The node.
        node: usize,
        /// What is wrong.
        reason: String,
    },
    /// A verification says what is not so.
    #[error("the verification of node {node} is wrong: {reason}")]
    Verdict {
        /// The node.
        node: usize,
        /// What it says.
        reason: String,
    },
    /// Damaged databases have passed all gates.
    #[error("node {node} has damaged databases, and the rollout is complete")]
    Undetected {
        /// The node.
        node: usize,
    },
    /// A rollout neither ends nor halts.
    #[error("the rollout is still at work after {bound:?}")]
    Rollout {
        /// The bound.
        bound: Duration,
    },
    /// Two nodes cannot speak with each other.
    #[error("the wire: {reason}")]
    Wires {
        /// Why not.
        reason: String,
    },
    /// The network makes no blocks.
    #[error("the network is at height {actual}, {bound:?} after the faults ended; {expected} expected")]
    Standstill {
        /// The bound.
        bound: Duration,
        /// The height that it should have.
        expected: u64,
        /// The height that it has.
        actual: u64,
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

/// Time of a block, and who signed it.
type Final = (Time, Vec<(Address, bool)>);

/// What has been seen so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    blocks: BTreeMap<u64, BlockId>,
    commits: BTreeMap<u64, Final>,
    /// Height, time and validators of the last block.
    last: Option<(u64, Time, Arc<ValidatorSet>)>,
    signed: BTreeMap<(Address, u64, u32, Step), Option<BlockId>>,
}

impl Checks {
    /// A node stores a block.
    pub(super) fn stored(&mut self, node: usize, decided: &DecidedBlock) -> Result<(), Violation> {
        let (height, actual) = (decided.block.header.height, decided.id);
        let expected = *self.blocks.entry(height).or_insert(actual);
        if expected != actual {
            return Err(Violation::Fork { height, node, expected, actual });
        }
        if self.last.as_ref().is_none_or(|(last, ..)| height == last + 1) {
            self.finalise(decided);
            let validators = decided.state.last_validators.clone();
            self.last = validators.map(|validators| (height, decided.block.header.time, validators));
        }
        Ok(())
    }

    /// The block before a block is final by the commit in it.
    fn finalise(&mut self, decided: &DecidedBlock) {
        let (Some(commit), Some((height, time, validators))) = (&decided.block.last_commit, &self.last) else { return };
        let voted =
            |(signature, validator): (&CommitSig, &Validator)| (validator.address, *signature != CommitSig::Absent);
        let votes = commit.signatures.iter().zip(validators.members()).map(voted).collect();
        self.commits.insert(*height, (*time, votes));
    }

    /// Final heights.
    pub(super) const fn commits(&self) -> &BTreeMap<u64, Final> {
        &self.commits
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
