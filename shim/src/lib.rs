//! The shim: keeps nodes of old and new storage, wire formats and transports participating in one network.
//!
//! | room | what |
//! |---|---|
//! | [`blocksync`] | blocks given to nodes and fetched from them, on either transport |
//! | [`classic`] | CometBFT's classic peer protocol, releases 0.34 to 0.40 |
//! | [`counters`] | what happened how often, by protocol, peer and outcome |
//! | [`lp2p`] | CometBFT's libp2p transport |
//! | [`own`] | our own protocols over libp2p: hello, blocks, attestations, relayed messages |
//! | [`memory`] | what payloads may take until their service has let go of them |
//! | [`peering`] | what every transport looks like to the services above: sessions, channels, messages |
//! | [`source`] | what a service may offer: blocks that were verified |
//! | [`tunnel`] | a classic node and a libp2p node joined, every channel byte for byte |
//!
//! Only this crate and `testnet` name libp2p and tokio. Nothing here trusts a peer for content, bans one
//! for its version, opens a database or writes a file.

pub mod blocksync;
pub mod classic;
pub mod counters;
pub mod lp2p;
pub mod memory;
pub mod own;
pub mod peering;
pub mod source;
pub mod tunnel;
