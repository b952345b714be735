//! What a channel carries, by its number.

use crate::peering::Channel;

/// What becomes of messages that arrive on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receive {
    /// They are put together and handed on, up to so many bytes; a longer one ends the connection.
    UpTo(usize),
    /// They are read and dropped packet by packet, without being put together.
    Discard,
}

/// A channel as both ends must see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelSpec {
    /// Its number.
    pub channel: Channel,
    /// Its share when several channels have something to send.
    pub priority: u32,
    /// Longest message that a node takes on it, in bytes.
    pub send_bytes_max: usize,
    /// What becomes of messages that arrive.
    pub receive: Receive,
}

/// Longest message of a channel that is not in the table; upstream's default (`defaultRecvMessageCapacity`).
const OTHER_BYTES_MAX: usize = 22_020_096;

impl ChannelSpec {
    /// The channel as nodes of 0.34 to 0.40 have it (each reactor's `GetChannels`): everything is taken that a node takes.
    #[must_use]
    pub const fn of_a_node(channel: Channel) -> Self {
        let (priority, bytes) = match channel.0 {
            0x20 | 0x38 => (6, 1_048_576),
            0x21 => (10, 1_048_576),
            0x22 => (7, 1_048_576),
            0x23 => (1, 1_048_576),
            // Nodes derive it from `max_tx_bytes`, 1 MiB unless somebody changed it.
            0x30 => (5, 22_020_096),
            0x40 => (5, 104_857_605),
            0x60 => (5, 4_000_000),
            0x61 => (3, 16_000_000),
            _ => (1, OTHER_BYTES_MAX),
        };
        Self { channel, priority, send_bytes_max: bytes, receive: Receive::UpTo(bytes) }
    }

    /// The same channel with other rules for what arrives.
    #[must_use]
    pub const fn receiving(self, receive: Receive) -> Self {
        Self { receive, ..self }
    }
}
