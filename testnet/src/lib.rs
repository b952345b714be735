//! Networks that write real databases, migrate under load, and must go on.
//!
//! | room | what |
//! |---|---|
//! | [`chain`], [`consensus`], [`store`] | a validator: its rules, its state machine, its databases in CometBFT's formats |
//! | [`sim`] | many of them in one process under virtual time, seed by seed |
//! | [`node`], [`scenario`], [`local`] | one a process, over the shim: networks that are rolled out, left alone, and rolled out with a fault |
//! | [`unpack`], [`journey`], [`oracle`] | the shipped homes, from engine to engine by the real program |
//!
//! Networks of upstream's nodes are driven by `upstream/` (Go and Python). Nothing may depend on this crate.

pub mod chain;
pub mod consensus;
pub mod journey;
pub mod local;
pub mod node;
pub mod oracle;
pub mod scenario;
pub mod sim;
pub mod store;
pub mod unpack;
