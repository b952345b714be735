//! Our own protocols over libp2p; docs/protocol.md is their specification.
//!
//! | room | what |
//! |---|---|
//! | [`protocol`] | their names on the wire |
//! | [`limits`] | every bound in one place |
//! | [`framing`] | messages on a stream |
//! | [`blocks`] | the block exchange, without a network |

pub mod blocks;
pub mod framing;
pub mod limits;
pub mod protocol;
