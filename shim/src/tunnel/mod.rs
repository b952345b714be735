//! The tunnel: one classic node and one libp2p node, as if they were peers, so that the validators of a network can change their
//! transport one at a time.
//!
//! ```text
//! classic node ◄─ one session ─► tunnel ◄─ one session, fresh identity ─► libp2p node
//!                                every channel's messages, byte for byte (peer exchange, 0x00, is not on libp2p)
//! ```
//! It works because both transports carry the same payloads, and because validators sign what they say: who passes it on does not
//! matter. It is on the consensus path: run two or more, on different hosts.
//!
//! | file | idea |
//! |---|---|
//! | [`guard`] | which releases may be joined |
//! | [`join`] | two sessions made one, until either ends |
//! | `window` | what one direction holds |
//! | [`mod@run`] | reaching both nodes, again and again |
//! | [`meters`], [`notice`] | what the operator sees |
//!
//! Never changes, makes or holds back a message, never looks into one, and never joins releases whose validators would refuse each
//! other's blocks.

pub mod guard;
pub mod join;
pub mod meters;
pub mod notice;
pub mod run;
mod window;

pub use guard::{Claim, NotARelease, Pair, RefusedPair, Release};
pub use meters::{Count, Meters, Way};
pub use notice::{End, Notice, Tell};
pub use run::{Patience, Settings, TunnelError, run};
