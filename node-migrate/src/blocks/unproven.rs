//! Why a block is not known to be the chain's.

use ledger_formats::comet::{DecodeError, PartError, StoredBlockError, ValidatorSetError};
use ledger_formats::store::StoreError;
use proofs::commit::CommitError;
use proofs::merkle::Hash;

/// What stands between a block and its proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unproven {
    /// A row cannot be read.
    #[error("height {height}: {source}")]
    Store {
        /// The height.
        height: u64,
        /// What went wrong.
        source: StoreError,
    },
    /// A row is not there.
    #[error("height {height} has no {what}")]
    Missing {
        /// The height.
        height: u64,
        /// The row in words.
        what: &'static str,
    },
    /// A row cannot be understood.
    #[error("{what} of height {height}: {source}")]
    Decode {
        /// The height.
        height: u64,
        /// The row in words.
        what: &'static str,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// A part is not the block's.
    #[error("part {part} of height {height}: {source}")]
    Part {
        /// The height.
        height: u64,
        /// The part, from 0.
        part: u32,
        /// What does not fit.
        source: PartError,
    },
    /// The bytes are not a block.
    #[error("block of height {height}: {source}")]
    Block {
        /// The height.
        height: u64,
        /// What is wrong with them.
        source: StoredBlockError,
    },
    /// It is the block of another height.
    #[error("block of height {height} expected, one of height {actual} found")]
    OtherHeight {
        /// The height asked for.
        height: u64,
        /// The height in the header.
        actual: u64,
    },
    /// The header says another hash than what it is about has.
    #[error("header of height {height} says {expected} for its {what}, which has {actual}", actual = hex::encode(.actual))]
    Hash {
        /// The height.
        height: u64,
        /// What the hash is over.
        what: &'static str,
        /// In the header, hex.
        expected: String,
        /// Computed.
        actual: Hash,
    },
    /// The block meta names another block than its parts are.
    #[error("the parts of height {height} are block {expected}, its meta names {actual}")]
    Name {
        /// The height.
        height: u64,
        /// By the parts.
        expected: String,
        /// In the meta.
        actual: String,
    },
    /// There is a commit, but for no block.
    #[error("the commit of height {height} is for no block")]
    NoCommit {
        /// The height.
        height: u64,
    },
    /// The commit does not prove the block.
    #[error("commit of height {height}: {source}")]
    Commit {
        /// The height.
        height: u64,
        /// Why not.
        source: CommitError,
    },
    /// A vote extension is not signed by its validator.
    #[error("the vote extension in place {index} at height {height} is not signed by its validator")]
    Extension {
        /// The height.
        height: u64,
        /// Place in the commit, from 0.
        index: usize,
    },
    /// The state database does not say who the validators are.
    #[error("the state database has no full set of validators for height {height}")]
    NoValidators {
        /// The height.
        height: u64,
    },
    /// The signatures of this set cannot be checked.
    #[error("validators of height {height}: {source}")]
    Validators {
        /// The height.
        height: u64,
        /// Why not.
        source: ValidatorSetError,
    },
}

impl Unproven {
    pub(super) fn decode(height: u64, what: &'static str) -> impl Fn(DecodeError) -> Self {
        move |source| Self::Decode { height, what, source }
    }

    pub(super) fn hash(height: u64, what: &'static str, expected: &[u8], actual: &Hash) -> Self {
        Self::Hash { height, what, expected: hex::encode(expected), actual: *actual }
    }
}
