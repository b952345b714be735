//! What is said between nodes: wire messages and the version negotiation.
//!
//! This crate has nothing to do yet: the shim brings its messages. It will never do IO.
