//! Commits: whether the validators of a height signed its block with more than two thirds of their power.
//!
//! The order of a check over many heights: [`Commit::queue`] refuses what needs no cryptography (heights,
//! addresses, power) and hands each signature to a [`SignatureBatch`], which checks thousands at once. A commit
//! is proven only when both said so. For one commit, [`Commit::verify`] does both.
//!
//! Ed25519 follows ZIP-215, as CometBFT does since 0.38; earlier releases accepted a subset of it.

mod batch;
mod key;
mod random;
mod set;
mod verdict;
mod vote;

pub use batch::{BadSignatures, SignatureBatch};
pub use key::{Address, KeyError, KeyType, PublicKey};
pub use set::{Validator, ValidatorSet, ValidatorSetError};
pub use verdict::{Commit, CommitError, CommitSignature, Flag, SignaturePlace, Tally, UnknownFlag};
pub use vote::{BlockId, Timestamp, VoteTemplate};
