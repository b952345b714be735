//! Many channels on one connection: messages cut into packets, packets put together again.
//!
//! ```text
//! packet  = length varint ‖ oneof { 1 ping {}, 2 pong {}, 3 message { 1 channel, 2 last (bool), 3 up to 1,024 bytes } }
//! ping 02 0a 00   pong 02 12 00   StatusRequest on channel 0x40 0a 1a 08 08 40 10 01 1a 02 22 00
//! ```
//! Source: CometBFT `p2p/conn/connection.go` (`MConnection`), the same from 0.34 to 0.40.

mod pace;
mod pack;
mod spec;
mod unpack;

pub use pace::Pace;
pub use pack::{PING, PONG, Packed, Packer};
pub use spec::{ChannelSpec, Receive};
pub use unpack::{Incoming, PACKET_BYTES_MAX, PacketError, Unpacker};
