//! From messages to packets: one message under way on each channel, and the channels take turns by their priority.
//!
//! The next packet is of the channel that has sent the least lately for its priority, as nodes choose; so no channel
//! waits for ever, and a large block does not hold up votes.

use bytes::Bytes;
use prost::Message;
use proto::cometbft::p2p::{Packet, PacketMsg, packet};

use super::spec::ChannelSpec;
use crate::peering::Channel;

/// Bytes of a message in a full packet; nodes take no more by default (`max_packet_msg_payload_size`).
const PAYLOAD_BYTES: usize = 1_024;
/// A packet that asks for a sign of life, behind its length.
pub const PING: [u8; 3] = [0x02, 0x0a, 0x00];
/// The answer to [`PING`], behind its length.
pub const PONG: [u8; 3] = [0x02, 0x12, 0x00];

/// Cuts messages into packets.
pub struct Packer {
    lanes: Vec<Lane>,
}

struct Lane {
    channel: Channel,
    priority: u64,
    /// What is left of the message under way.
    message: Option<Bytes>,
    /// Bytes sent, with those of long ago counting less.
    lately: u64,
}

/// A packet that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Its channel.
    pub channel: Channel,
    /// Whether it ends its message, so that the channel is free for the next one.
    pub is_last: bool,
}

impl Packer {
    /// Packs for `channels`.
    #[must_use]
    pub fn new(channels: &[ChannelSpec]) -> Self {
        let lane = |spec: &ChannelSpec| Lane {
            channel: spec.channel,
            priority: u64::from(spec.priority.max(1)),
            message: None,
            lately: 0,
        };
        Self { lanes: channels.iter().map(lane).collect() }
    }

    /// Whether a message is under way on a channel.
    #[must_use]
    pub fn is_busy(&self, channel: Channel) -> bool {
        self.lanes.iter().any(|lane| lane.channel == channel && lane.message.is_some())
    }

    /// Begins a message. Gives it back when one is under way on the channel, or there is no such channel.
    ///
    /// # Errors
    /// The message.
    pub fn load(&mut self, channel: Channel, message: Bytes) -> Result<(), Bytes> {
        match self.lanes.iter_mut().find(|lane| lane.channel == channel) {
            Some(lane) if lane.message.is_none() => {
                lane.message = Some(message);
                Ok(())
            }
            _ => Err(message),
        }
    }

    /// Appends the next packet behind its length; `None` when nothing is under way.
    pub fn next(&mut self, out: &mut Vec<u8>) -> Option<Packed> {
        let waiting = self.lanes.iter_mut().filter(|lane| lane.message.is_some());
        // The lower quotient of bytes and priority, without a division: a/b < c/d as a*d < c*b.
        let turn =
            waiting.reduce(|one, two| if two.lately * one.priority < one.lately * two.priority { two } else { one });
        let lane = turn?;
        let mut message = lane.message.take()?;
        let data = message.split_to(message.len().min(PAYLOAD_BYTES));
        let packed = Packed { channel: lane.channel, is_last: message.is_empty() };
        if !packed.is_last {
            lane.message = Some(message);
        }
        let packet = PacketMsg { channel_id: i32::from(lane.channel.0), eof: packed.is_last, data };
        let packet = Packet { sum: Some(packet::Sum::PacketMsg(packet)) };
        let bytes = packet.encoded_len();
        packet.encode_length_delimited(out).expect("a vector grows as needed");
        lane.lately = lane.lately.saturating_add(bytes as u64).min(LATELY_MAX);
        Some(packed)
    }

    /// Lets the past count less; to be called every two seconds, as nodes do.
    pub fn decay(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.lately = lane.lately / 5 * 4);
    }
}

/// Keeps the products of the comparison within 64 bits.
const LATELY_MAX: u64 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::super::unpack::{Incoming, Unpacker};
    use super::*;
    use crate::classic::delimited;

    fn channels() -> Vec<ChannelSpec> {
        Channel::ALL.map(ChannelSpec::of_a_node).to_vec()
    }

    #[test]
    fn a_small_message_is_the_packet_of_a_real_node() {
        let mut packer = Packer::new(&channels());
        let mut out = Vec::new();
        assert_eq!(packer.next(&mut out), None);
        packer.load(Channel::BLOCKSYNC, Bytes::from_static(&[0x22, 0x00])).expect("free");
        assert_eq!(packer.next(&mut out), Some(Packed { channel: Channel::BLOCKSYNC, is_last: true }));
        assert_eq!(hex::encode(&out), "0a1a08084010011a022200");
        assert_eq!(packer.next(&mut out), None, "nothing is left");
        assert_eq!(delimited::split(&PING, 2), Ok(Some((&[0x0a, 0x00][..], 3))));
    }

    #[test]
    fn messages_of_all_channels_come_out_whole_on_the_other_side() {
        let mut packer = Packer::new(&channels());
        let mut unpacker = Unpacker::new(&channels());
        let messages: Vec<(Channel, Bytes)> = Channel::ALL
            .into_iter()
            .zip([0, 1, 1_023, 1_024, 1_025, 2_048, 100_000, 3, 70_000])
            .map(|(channel, length)| (channel, Bytes::from(vec![channel.0; length])))
            .collect();
        for (channel, message) in &messages {
            packer.load(*channel, message.clone()).expect("free");
            assert_eq!(packer.load(*channel, Bytes::new()), Err(Bytes::new()), "one at a time");
        }
        assert_eq!(packer.load(Channel(0x77), Bytes::new()), Err(Bytes::new()), "no such channel");
        let mut arrived = Vec::new();
        let mut out = Vec::new();
        while packer.next(&mut out).is_some() {
            let (packet, _) = delimited::split(&out, 2_000).expect("fits").expect("whole");
            if let Some(Incoming::Message { channel, payload }) = unpacker.take(packet).expect("a packet") {
                arrived.push((channel, payload));
            }
            out.clear();
        }
        arrived.sort_by_key(|(channel, _)| *channel);
        assert_eq!(arrived, messages);
    }

    #[test]
    fn turns_go_by_priority_and_no_channel_starves() {
        let mut packer = Packer::new(&channels());
        // Priorities 10 and 1, and a channel that has sent much before.
        let [data, bits, blocks] = [Channel::DATA, Channel::VOTE_SET_BITS, Channel::BLOCKSYNC];
        let refill = |packer: &mut Packer, channel| {
            let _ = packer.load(channel, Bytes::from(vec![0; 1_024]));
        };
        for _ in 0..100 {
            refill(&mut packer, blocks);
            packer.next(&mut Vec::new());
        }
        let mut turns = std::collections::HashMap::<Channel, u32>::new();
        for _ in 0..600 {
            for channel in [data, bits, blocks] {
                refill(&mut packer, channel);
            }
            packer.next(&mut Vec::new());
            let busy =
                [data, bits, blocks].into_iter().find(|channel| !packer.is_busy(*channel)).expect("one was sent");
            *turns.entry(busy).or_default() += 1;
        }
        // 100 packets ahead at priority 5 are 200 at 10 and 20 at 1; then 16 turns share as 10 : 1 : 5.
        assert_eq!([turns[&data], turns[&bits], turns[&blocks]], [437, 44, 119]);
    }
}
