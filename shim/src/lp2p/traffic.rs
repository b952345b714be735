//! What a transport has done, in numbers: nothing is lost without one of these going up.

use std::sync::atomic::{AtomicU64, Ordering};

use super::channel::{PROTOCOLS, Place};
use crate::peering::Channel;

/// Why a message did not get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Loss {
    /// In: not a message, or larger than its channel carries.
    Malformed,
    /// In: the stream ended or was reset before the message did.
    Truncated,
    /// In: it came too slowly.
    TooSlow,
    /// In: the memory for messages was used up.
    NoRoom,
    /// In: the connection, or the service, ended before the message was handed over.
    CutOff,
    /// Out: the peer refused it.
    Refused,
    /// Out: no receipt in time.
    TimedOut,
    /// Out: the session ended first.
    Ended,
    /// Out: too many messages were waiting already.
    QueueFull,
    /// Out: the peer has no such channel, or the channel carries no such message.
    NotCarried,
}

/// Names of the losses, in the order of [`Loss`].
pub const LOSSES: [&str; 10] = [
    "in_malformed",
    "in_truncated",
    "in_too_slow",
    "in_no_room",
    "in_cut_off",
    "out_refused",
    "out_timed_out",
    "out_ended",
    "out_queue_full",
    "out_not_carried",
];

#[derive(Debug, Default)]
struct OfChannel {
    received: AtomicU64,
    received_bytes: AtomicU64,
    sent: AtomicU64,
    sent_bytes: AtomicU64,
    retries: AtomicU64,
    losses: [AtomicU64; LOSSES.len()],
}

/// Traffic of one transport. They only go up.
#[derive(Debug, Default)]
pub struct Traffic {
    channels: [OfChannel; PROTOCOLS.len()],
    refused_connections: AtomicU64,
}

/// The traffic of one channel at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelTraffic {
    /// Messages that the service got.
    pub received: u64,
    /// Their payload.
    pub received_bytes: u64,
    /// Messages with a receipt of the peer.
    pub sent: u64,
    /// Their payload.
    pub sent_bytes: u64,
    /// Attempts that were repeated because the peer was busy.
    pub retries: u64,
    /// Messages that were lost, by [`LOSSES`].
    pub losses: [u64; LOSSES.len()],
}

impl ChannelTraffic {
    /// How many of the peer's messages were lost while the session lived. Those that its end cut off are not among them.
    #[must_use]
    pub fn lost_inbound(&self) -> u64 {
        [Loss::Malformed, Loss::Truncated, Loss::TooSlow, Loss::NoRoom].map(|loss| self.lost(loss)).iter().sum()
    }

    /// How many were lost for one reason.
    #[must_use]
    pub fn lost(&self, loss: Loss) -> u64 {
        self.losses.get(loss as usize).copied().unwrap_or_default()
    }
}

impl Traffic {
    fn of(&self, channel: Channel) -> Option<&OfChannel> {
        Place::of(channel).and_then(|place| self.channels.get(place.index()))
    }

    pub(super) fn received(&self, channel: Channel, bytes: usize) {
        if let Some(of) = self.of(channel) {
            of.received.fetch_add(1, Ordering::Relaxed);
            of.received_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn sent(&self, channel: Channel, bytes: usize) {
        if let Some(of) = self.of(channel) {
            of.sent.fetch_add(1, Ordering::Relaxed);
            of.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn retried(&self, channel: Channel) {
        if let Some(of) = self.of(channel) {
            of.retries.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn lost(&self, channel: Channel, loss: Loss) {
        if let Some(count) = self.of(channel).and_then(|of| of.losses.get(loss as usize)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn refused_connection(&self) {
        self.refused_connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Connections that never became sessions: failed dials, and peers that were not wanted.
    #[must_use]
    pub fn refused_connections(&self) -> u64 {
        self.refused_connections.load(Ordering::Relaxed)
    }

    /// The traffic of a channel; all zero for a channel that libp2p does not carry.
    #[must_use]
    pub fn channel(&self, channel: Channel) -> ChannelTraffic {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.of(channel).map_or_else(ChannelTraffic::default, |of| ChannelTraffic {
            received: read(&of.received),
            received_bytes: read(&of.received_bytes),
            sent: read(&of.sent),
            sent_bytes: read(&of.sent_bytes),
            retries: read(&of.retries),
            losses: std::array::from_fn(|at| of.losses.get(at).map_or(0, read)),
        })
    }

    /// How many messages were lost for one reason, on all channels.
    #[must_use]
    pub fn lost_for(&self, loss: Loss) -> u64 {
        PROTOCOLS.iter().map(|each| self.channel(each.channel).lost(loss)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loss_has_a_name_of_its_own() {
        let traffic = Traffic::default();
        traffic.lost(Channel::VOTE, Loss::NotCarried);
        traffic.lost(Channel::DATA, Loss::NotCarried);
        assert_eq!(traffic.channel(Channel::VOTE).losses[LOSSES.len() - 1], 1);
        assert_eq!(LOSSES[Loss::NotCarried as usize], "out_not_carried");
        assert_eq!(LOSSES[Loss::CutOff as usize], "in_cut_off");
        assert_eq!(traffic.lost_for(Loss::NotCarried), 2);
    }
}
