//! CometBFT's classic peer protocol, releases 0.34 to 0.40: the default of every node that has not been moved to libp2p.
//!
//! ```text
//! TCP ─► secret connection ─► exchange of NodeInfo ─► packets of many channels
//!        (secret, handshake)  (node_info, checks)     (multiplex)
//! ```
//! The rooms named here are pure: bytes in, bytes out, no socket and no clock. A session on a socket is made of them
//! in `transport`. A peer is authenticated, never trusted: every length has a limit, every refusal a reason in words.

pub mod checks;
pub mod delimited;
pub mod handshake;
pub mod multiplex;
pub mod node_info;
pub mod node_key;
pub mod secret;
pub mod transport;
