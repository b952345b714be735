//! A chain of CometBFT blocks as its validators hold it: blocks, commits, validator sets, states, and the rules between them.
//!
//! Pure: no clock, no disk, no network, and nothing of the engine that decides. Everything that leaves a node or is
//! stored is in CometBFT's own bytes; hashes and block times come from `ledger-formats`, whose code real homes judge.
//! Left out wholly: evidence in blocks, vote extensions, changes of parameters.
//! Sources: spec/core/data_structures.md, spec/core/state.md, types/, state/execution.go of v0.38.

mod app;
mod block;
mod block_id;
mod commit;
mod dialect;
mod genesis;
mod header;
mod keys;
mod make;
mod part;
mod sign_bytes;
mod state;
mod time;
mod turns;
mod validate;
mod validators;

pub use app::{Outcome, TxResult, power_transaction};
pub use block::{Block, BlockError};
pub use block_id::BlockId;
pub use commit::{Commit, CommitFault, CommitSig, Quorum};
pub use dialect::Dialect;
pub use genesis::{Genesis, Params};
pub use header::Header;
pub use keys::{Address, Crypto, PrivateKey, PublicKey, Signature};
pub use part::{Part, PartSet, Parts};
pub use sign_bytes::{VoteKind, proposal_sign_bytes, vote_sign_bytes};
pub use state::{ChainState, Rules};
pub use time::Time;
pub use turns::Change;
pub use validate::BlockFault;
pub use validators::{POWER_MAX, Validator, ValidatorSet, ValidatorSetFault};
