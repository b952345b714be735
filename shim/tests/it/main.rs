//! Tests of the shim over real sockets.
#![allow(missing_docs, clippy::unwrap_used, clippy::cast_possible_truncation)]

mod blocksync;
mod lp2p;
mod own;
mod tunnel;
