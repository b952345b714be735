//! Networks that write real databases, migrate under load, and must go on.
//!
//! Today it unpacks the shipped homes for the scripts; the networks of real nodes are driven by `upstream/` (Go and Python), the staged
//! rollout brings its scenarios here. Nothing may depend on this crate.

pub mod unpack;
