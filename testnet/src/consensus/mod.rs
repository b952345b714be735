//! A validator as a state machine without input or output of its own.
//!
//! Around the engine (Malachite's `core-consensus`, which decides) stands what a validator needs besides: blocks and
//! their parts, a signer that never signs twice, a write-ahead log, catching up, and the commits of CometBFT.
//!
//! ```text
//! Input (message, timer, transaction) ─► Validator::handle(now, input) ─► Outputs, in order
//! ```
//! # Correctness
//! The host carries out the outputs in their order, and makes each durable effect last before the next one: nothing is
//! sent before the log and the signer's state that it rests on are on the disk. A host that dies between two outputs
//! has done a prefix of them, from which [`Validator::start`] goes on. Time is an argument; there are no threads, no
//! randomness and no maps without order, so that equal inputs give equal outputs.

mod ballot;
mod certificates;
mod context;
mod signer;
mod validator;
pub mod wire;

pub use ballot::{Proposal, SignedProposal, SignedVote, Vote};
pub use context::{Electorate, Height, Testnet};
pub use signer::{LastSigned, Refusal, Signer, Step};
pub use validator::{
    Complaint, Config, DecidedBlock, Input, Output, Pace, Receiver, Recovered, TimerId, Unapplied, Validator,
};
pub use wire::{Message, WireError, WireVersion};
