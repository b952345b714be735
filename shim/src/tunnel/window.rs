//! The messages that one direction of a tunnel holds: a window for each channel, bounded as a whole.
//!
//! No more than [`UNDER_WAY_MAX`] messages of a channel are with the far transport, as many as it queues; the rest waits
//! here, so that a channel that is stuck does not hold up the others until everything is full. Then the near node waits.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::peering::Channel;

/// Messages of one channel that are with the far transport.
pub(super) const UNDER_WAY_MAX: usize = 32;

/// Messages that are held, of all channels, and their bytes; a single larger message may be held.
const HELD_MAX: usize = 1024;
const HELD_BYTES_MAX: usize = 32 << 20;

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Bytes>,
    under_way: usize,
}

/// What one direction holds.
#[derive(Debug, Default)]
pub(super) struct Window {
    lanes: [Lane; Channel::ALL.len()],
    held: usize,
    held_bytes: usize,
}

impl Window {
    /// Whether another message may be read from the near node.
    pub(super) fn has_room(&self) -> bool {
        self.held < HELD_MAX && self.held_bytes < HELD_BYTES_MAX
    }

    fn lane(&mut self, channel: Channel) -> Option<&mut Lane> {
        let place = Channel::ALL.iter().position(|each| *each == channel)?;
        self.lanes.get_mut(place)
    }

    /// Holds a message; false for a channel that a tunnel does not carry.
    pub(super) fn push(&mut self, channel: Channel, payload: Bytes) -> bool {
        let bytes = payload.len();
        let Some(lane) = self.lane(channel) else { return false };
        lane.waiting.push_back(payload);
        self.held += 1;
        self.held_bytes += bytes;
        true
    }

    /// The next message of a channel, which then is under way; `None` while its window is full.
    pub(super) fn next(&mut self, channel: Channel) -> Option<Bytes> {
        let lane = self.lane(channel).filter(|lane| lane.under_way < UNDER_WAY_MAX)?;
        let payload = lane.waiting.pop_front()?;
        lane.under_way += 1;
        Some(payload)
    }

    /// A message is held no longer.
    pub(super) fn settled(&mut self, channel: Channel, bytes: usize) {
        if let Some(lane) = self.lane(channel) {
            lane.under_way -= 1;
            self.held -= 1;
            self.held_bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(length: usize) -> Bytes {
        vec![0; length].into()
    }

    #[test]
    fn a_channel_that_is_stuck_does_not_hold_up_another() {
        let mut window = Window::default();
        for _ in 0..100 {
            assert!(window.push(Channel(0x30), bytes(1)));
        }
        while window.next(Channel(0x30)).is_some() {}
        assert!(window.push(Channel::VOTE, bytes(1)) && window.next(Channel::VOTE).is_some());
        window.settled(Channel(0x30), 1);
        assert!(window.next(Channel(0x30)).is_some() && window.next(Channel(0x30)).is_none());
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut window = Window::default();
        while window.has_room() {
            window.push(Channel::VOTE, bytes(1));
        }
        assert_eq!(window.held, HELD_MAX);
        window.next(Channel::VOTE).unwrap();
        window.settled(Channel::VOTE, 1);
        assert!(window.has_room());
        window.push(Channel::BLOCKSYNC, bytes(HELD_BYTES_MAX));
        assert!(!window.has_room());
    }

    #[test]
    fn order_within_a_channel_is_kept_and_peer_exchange_is_not_carried() {
        let mut window = Window::default();
        for length in 1..4 {
            window.push(Channel::DATA, bytes(length));
        }
        let order: Vec<_> = std::iter::from_fn(|| window.next(Channel::DATA)).map(|payload| payload.len()).collect();
        assert_eq!(order, [1, 2, 3]);
        assert!(!window.push(Channel(0), bytes(1)));
    }
}
