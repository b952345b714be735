//! Networks that write real databases, migrate under load, and must go on.
//!
//! Today it unpacks the shipped homes and takes them from engine to engine by the real program; the networks of real nodes are driven
//! by `upstream/` (Go and Python), the staged rollout brings its scenarios here. Nothing may depend on this crate.

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
