//! Our own protocols over libp2p; docs/protocol.md is their specification.
//!
//! | room | what |
//! |---|---|
//! | [`protocol`] | their names on the wire |
//! | [`limits`] | every bound in one place |
//! | [`framing`] | messages on a stream |
//! | [`hello`] | the exchange of hellos, without a network |
//! | [`blocks`] | the block exchange, without a network |
//! | [`attest`] | attestations, without a network |

pub mod attest;
pub mod blocks;
pub mod framing;
pub mod hello;
pub mod limits;
pub mod protocol;
