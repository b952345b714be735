//! The proofs crate from outside: published vectors, hostile input, other implementations.

mod checkpoint;
mod commit;
#[cfg(feature = "cli")]
mod forged;
#[cfg(feature = "cli")]
mod program;
mod published;
mod real_commits;
mod receipt;
#[cfg(feature = "cli")]
mod reproduce;
#[cfg(feature = "cli")]
mod rpc;
mod signatures;
mod tiles;
mod trees;
