//! node-migrate: moves a node's databases between storage engines and proves that nothing changed.
//!
//! The operator's program as a library: plan, copy, seal, verify, cut over, roll back. It never
//! prints and never reads the clock or the environment; the binary lends those by [`context`].
//! No path in it writes, locks or renames anything in a source database before [`cutover`].

pub mod blocks;
pub mod checkpoint;
pub mod context;
pub mod copy;
pub mod cutover;
pub mod event;
#[cfg(feature = "shim")]
pub mod fetching;
pub mod formats;
pub mod home;
pub mod journal;
pub mod mending;
pub mod migration;
pub mod owner;
pub mod plan;
pub mod reading;
pub mod receipt;
pub mod rollout;
#[cfg(feature = "shim")]
pub mod serving;
pub mod shard_summary;
pub mod store_root;
pub mod tips;
pub mod trace;
pub mod verify;
pub mod workspace;
