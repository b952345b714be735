//! CometBFT's libp2p transport, as v0.39 and v0.40 speak it.
//!
//! A channel is a protocol, a message is a stream: the sender negotiates `/p2p/cometbft/1.0.0/channel/0xNN`, writes the length and the
//! payload and closes its half; the receiver reads the payload and closes its half empty, which is the sender's receipt. Nothing
//! orders streams among each other. Source: CometBFT v0.40.0, `lp2p/`; golden bytes in the tests were recorded from nodes.
//!
//! | file | idea |
//! |---|---|
//! | [`channel`] | protocol names and limits |
//! | [`frame`] | a message's bytes |
//! | `send`, `receive`, `refusal` | one message on its stream, out and in |
//! | `lanes`, `budget`, `traffic` | pacing, memory, and what is lost |
//! | `link`, `peer`, `handler`, [`behaviour`] | a session, its connections, all of them |
//! | [`identity`], [`target`] | who we are, whom we dial |
//! | [`transport`] | all of it, ready to run |
//!
//! Never looks into a payload, never loses a message without counting it, never bans a peer.

mod budget;
mod handler;
mod lanes;
mod link;
mod notices;
mod peer;
mod receive;
mod refusal;
mod send;
mod traffic;

pub mod behaviour;
pub mod channel;
pub mod frame;
pub mod identity;
pub mod target;
pub mod transport;

pub use behaviour::{Accept, Behaviour, Options, Signal};
pub use channel::Release;
pub use identity::Identity;
pub use target::Target;
pub use traffic::{ChannelTraffic, LOSSES, Loss, Traffic};
pub use transport::{Config, Transport};
