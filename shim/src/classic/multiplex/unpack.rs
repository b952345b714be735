//! From packets to messages. Memory is bounded by the limits of the channels, and grows only by bytes that came.

use bytes::Bytes;
use prost::Message;
use proto::cometbft::p2p::{Packet, packet};

use super::spec::{ChannelSpec, Receive};
use crate::peering::Channel;

/// Longest packet that is read: nodes send 1,024 bytes of a message unless somebody raised it.
pub const PACKET_BYTES_MAX: usize = 65_536 + 32;

/// Why a packet ends the connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// It is no packet.
    #[error("malformed packet: {source}")]
    Malformed {
        /// Where reading failed.
        #[from]
        source: prost::DecodeError,
    },
    /// It is none of the known kinds.
    #[error("a packet that is neither ping nor pong nor message")]
    UnknownKind,
    /// It is of a channel that was not agreed upon.
    #[error("a packet on channel {channel}, which was not agreed upon")]
    UnknownChannel {
        /// The number as given.
        channel: i32,
    },
    /// The message passes the limit of its channel.
    #[error("a message of more than {limit} bytes on channel {channel}")]
    TooLong {
        /// The channel.
        channel: Channel,
        /// Its limit.
        limit: usize,
    },
}

/// What a packet completes.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// The other side asks for a sign of life.
    Ping,
    /// The answer to ours.
    Pong,
    /// A whole message.
    Message {
        /// Its channel.
        channel: Channel,
        /// Its bytes.
        payload: Bytes,
    },
}

/// Puts messages together.
pub struct Unpacker {
    lanes: Vec<Lane>,
}

struct Lane {
    channel: Channel,
    receive: Receive,
    begin: Vec<u8>,
}

impl Unpacker {
    /// Unpacks for `channels`.
    #[must_use]
    pub fn new(channels: &[ChannelSpec]) -> Self {
        let lane = |spec: &ChannelSpec| Lane { channel: spec.channel, receive: spec.receive, begin: Vec::new() };
        Self { lanes: channels.iter().map(lane).collect() }
    }

    /// Takes a packet without its length. `None` when it is only a piece of a message.
    ///
    /// # Errors
    /// [`PacketError`]: the connection must end.
    pub fn take(&mut self, packet: &[u8]) -> Result<Option<Incoming>, PacketError> {
        let packet = match Packet::decode(packet)?.sum {
            Some(packet::Sum::PacketPing(_)) => return Ok(Some(Incoming::Ping)),
            Some(packet::Sum::PacketPong(_)) => return Ok(Some(Incoming::Pong)),
            Some(packet::Sum::PacketMsg(packet)) => packet,
            None => return Err(PacketError::UnknownKind),
        };
        let lane = self.lanes.iter_mut().find(|lane| i32::from(lane.channel.0) == packet.channel_id);
        let lane = lane.ok_or(PacketError::UnknownChannel { channel: packet.channel_id })?;
        let Receive::UpTo(limit) = lane.receive else { return Ok(None) };
        if lane.begin.len().saturating_add(packet.data.len()) > limit {
            return Err(PacketError::TooLong { channel: lane.channel, limit });
        }
        let payload = match (packet.eof, lane.begin.is_empty()) {
            (true, true) => packet.data,
            (is_last, _) => {
                lane.begin.extend_from_slice(&packet.data);
                if !is_last {
                    return Ok(None);
                }
                Bytes::from(std::mem::take(&mut lane.begin))
            }
        };
        Ok(Some(Incoming::Message { channel: lane.channel, payload }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacker() -> Unpacker {
        let block_sync = ChannelSpec::of_a_node(Channel::BLOCKSYNC).receiving(Receive::UpTo(4));
        let data = ChannelSpec::of_a_node(Channel::DATA).receiving(Receive::Discard);
        Unpacker::new(&[block_sync, data])
    }

    fn take(unpacker: &mut Unpacker, packet: &str) -> Result<Option<Incoming>, String> {
        unpacker.take(&hex::decode(packet).expect("hex")).map_err(|error| error.to_string())
    }

    #[test]
    fn messages_end_with_their_last_packet_up_to_the_limit_of_the_channel() {
        let mut unpacker = unpacker();
        let message = |bytes: &'static [u8]| {
            Ok(Some(Incoming::Message { channel: Channel::BLOCKSYNC, payload: Bytes::from_static(bytes) }))
        };
        assert_eq!(take(&mut unpacker, "1a08084010011a022200"), message(&[0x22, 0x00]));
        assert_eq!(take(&mut unpacker, "1a0408401001"), message(&[]), "an empty message");
        assert_eq!(take(&mut unpacker, "1a0608401a020102"), Ok(None));
        assert_eq!(take(&mut unpacker, "0a00"), Ok(Some(Incoming::Ping)), "pings come between packets");
        assert_eq!(take(&mut unpacker, "1200"), Ok(Some(Incoming::Pong)));
        assert_eq!(take(&mut unpacker, "1a0608401a020304"), Ok(None));
        assert_eq!(take(&mut unpacker, "1a0408401001"), message(&[1, 2, 3, 4]), "exactly the limit");
        assert_eq!(take(&mut unpacker, "1a0608401a020102"), Ok(None));
        let refused = take(&mut unpacker, "1a0708401a03030405");
        assert_eq!(refused, Err("a message of more than 4 bytes on channel 0x40".to_owned()));
    }

    #[test]
    fn a_discarded_channel_is_read_without_end_and_kept_nowhere() {
        let mut unpacker = unpacker();
        for packet in ["1a0608211a020102", "1a08082110011a020304"].repeat(1_000) {
            assert_eq!(take(&mut unpacker, packet), Ok(None));
        }
        assert!(unpacker.lanes.iter().all(|lane| lane.begin.capacity() == 0));
    }

    #[test]
    fn what_is_not_agreed_upon_ends_the_connection() {
        for (packet, reason) in [
            ("", "a packet that is neither ping nor pong nor message"),
            ("2200", "a packet that is neither ping nor pong nor message"),
            ("1a00", "a packet on channel 0, which was not agreed upon"),
            ("1a020841", "a packet on channel 65, which was not agreed upon"),
            ("1a0308c002", "a packet on channel 320, which was not agreed upon"),
            ("1a0b08c0ffffffffffffffff01", "a packet on channel -64, which was not agreed upon"),
        ] {
            assert_eq!(take(&mut unpacker(), packet), Err(reason.to_owned()), "{packet}");
        }
        assert!(take(&mut unpacker(), "1a05").expect_err("cut").starts_with("malformed packet"));
    }
}
