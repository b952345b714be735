//! Heights in order, each bound to the one below, and the tree over them.
//!
//! What a walk has taken is the chain's as far as the first header is, and the signatures hold: these the caller
//! checks, for the block ids that the walk took. A walk can be put aside as [`WalkState`] and taken up again.

use super::header::Header;
use super::state::WalkState;
use crate::checkpoint::Leaf;
use crate::commit::BlockId;
use crate::merkle::{Frontier, FrontierError, Hash, leaf_hash};

/// A walk over heights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    chain_id: String,
    first: u64,
    start: Option<Start>,
    below: Option<Border>,
    frontier: Frontier,
}

/// The first height that a walk took: what has to be believed, or to join the walk below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// What its header says is below it; `None` for the first block of a chain.
    pub below: Option<BlockId>,
    /// The block.
    pub block: BlockId,
    /// Hash of its validators.
    pub validators: Hash,
}

/// What the header above must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Border {
    /// The block.
    pub block: BlockId,
    /// Hash of the validators of the next height.
    pub next_validators: Hash,
}

/// Why a header does not follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// It is of another height.
    #[error("header of height {actual} given for height {expected}")]
    Height {
        /// The next height.
        expected: u64,
        /// The header's.
        actual: u64,
    },
    /// It is of another chain.
    #[error("header of height {height} is of chain {actual:?}, expected {expected:?}")]
    Chain {
        /// The height.
        height: u64,
        /// The chain that is walked.
        expected: String,
        /// The header's.
        actual: String,
    },
    /// It is not what its block id names.
    #[error("header of height {height} has the hash {actual}, but its block id says {expected}",
        actual = hex::encode(.actual), expected = hex::encode(.expected))]
    Hash {
        /// The height.
        height: u64,
        /// The hash in the block id.
        expected: Hash,
        /// The header's.
        actual: Hash,
    },
    /// It names another block below.
    #[error("header of height {height} does not name the block given for the height below, {below}")]
    Below {
        /// The height.
        height: u64,
        /// The block of the height below.
        below: Box<BlockId>,
    },
    /// Its validators are not those that the header below announced.
    #[error("header of height {height} has other validators than the header below announced")]
    Validators {
        /// The height.
        height: u64,
    },
    /// It does not name its validators, or announces none.
    #[error("header of height {height} has no hash of its validators or of the next ones")]
    NoValidators {
        /// The height.
        height: u64,
    },
}

impl Walk {
    /// A walk over the chain named `chain_id` that begins at height `first`.
    #[must_use]
    pub fn new(chain_id: &str, first: u64) -> Self {
        Self { chain_id: chain_id.to_owned(), first, start: None, below: None, frontier: Frontier::new() }
    }

    /// Takes up a walk.
    ///
    /// # Errors
    /// [`FrontierError::Nodes`] if the nodes do not fit the size.
    pub fn resume(state: WalkState) -> Result<Self, FrontierError> {
        let WalkState { chain_id, first, start, below, size, nodes } = state;
        Ok(Self { chain_id, first, start, below, frontier: Frontier::from_parts(size, nodes)? })
    }

    /// The walk, to be put aside.
    #[must_use]
    pub fn state(&self) -> WalkState {
        WalkState {
            chain_id: self.chain_id.clone(),
            first: self.first,
            start: self.start,
            below: self.below,
            size: self.frontier.size(),
            nodes: self.frontier.nodes().to_vec(),
        }
    }

    /// Name of the chain.
    #[must_use]
    pub fn chain_id(&self) -> &str {
        &self.chain_id
    }

    /// First height.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The first height taken; `None` before it.
    #[must_use]
    pub const fn start(&self) -> Option<&Start> {
        self.start.as_ref()
    }

    /// The next height.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.first.saturating_add(self.frontier.size())
    }

    /// The tree over the heights taken.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Takes the next height.
    ///
    /// # Errors
    /// [`LinkError`]; the walk is then as before.
    pub fn push(&mut self, header: &Header, block: &BlockId) -> Result<(), LinkError> {
        let height = self.next();
        if header.height != height {
            return Err(LinkError::Height { expected: height, actual: header.height });
        }
        if header.chain_id != self.chain_id {
            let (expected, actual) = (self.chain_id.clone(), header.chain_id.clone());
            return Err(LinkError::Chain { height, expected, actual });
        }
        let actual = header.hash();
        if actual != block.hash {
            return Err(LinkError::Hash { height, expected: block.hash, actual });
        }
        if let Some(below) = &self.below {
            if header.last_block != Some(below.block) {
                return Err(LinkError::Below { height, below: Box::new(below.block) });
            }
            if header.validators_hash != below.next_validators {
                return Err(LinkError::Validators { height });
            }
        }
        let named = |hash: &[u8]| hash.try_into().map_err(|_| LinkError::NoValidators { height });
        let (validators, next_validators) = (named(&header.validators_hash)?, named(&header.next_validators_hash)?);
        self.start = self.start.or(Some(Start { below: header.last_block, block: *block, validators }));
        self.below = Some(Border { block: *block, next_validators });
        self.frontier.push(leaf_hash(&Leaf { height, block: *block }.to_bytes()));
        Ok(())
    }
}
