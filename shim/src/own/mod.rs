//! Our own protocols over libp2p; docs/protocol.md is their specification.
//!
//! | room | what |
//! |---|---|
//! | [`protocol`] | their names on the wire |
//! | [`limits`] | every bound in one place |
//! | [`framing`] | messages on a stream |
//! | [`mod@words`] | words of a peer, fit for a log line |
//! | [`hello`] | the exchange of hellos, without a network |
//! | [`blocks`] | the block exchange, without a network |
//! | [`attest`] | attestations, without a network |
//! | [`relay`] | messages of the program above, without a network |
//! | [`node`] | a node of our protocols: what it serves and what it fetches |
//! | [`streams`] | substreams on libp2p: admitted, refused in words, or counted |

pub mod attest;
pub mod blocks;
pub mod framing;
pub mod hello;
pub mod limits;
pub mod node;
pub mod protocol;
pub mod relay;
pub mod streams;
pub mod words;
