//! What went through a tunnel, by channel and direction, over all its sessions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::lp2p::Traffic;
use crate::peering::Channel;

/// In which direction a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// From the classic node to the libp2p node.
    ToLp2p,
    /// From the libp2p node to the classic node.
    ToClassic,
}

#[derive(Debug, Default)]
struct Meter {
    messages: AtomicU64,
    bytes: AtomicU64,
    lost: AtomicU64,
}

/// Counters of a tunnel. They only go up.
#[derive(Debug, Default)]
pub struct Meters {
    sessions: AtomicU64,
    ways: [[Meter; Channel::ALL.len()]; 2],
    inbound: Mutex<Inbound>,
}

/// Messages of the libp2p node that its transport could not take, by channel.
#[derive(Debug, Default)]
struct Inbound {
    /// The transport of this session.
    now: Option<Arc<Traffic>>,
    /// Those of the sessions before it.
    before: [u64; Channel::ALL.len()],
}

impl Inbound {
    fn lost(&self, place: usize) -> u64 {
        let now = self.now.as_ref().zip(Channel::ALL.get(place));
        let now = now.map_or(0, |(traffic, channel)| traffic.channel(*channel).lost_inbound());
        now + self.before.get(place).copied().unwrap_or_default()
    }
}

/// A channel's counters in one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// In which direction.
    pub way: Way,
    /// The channel, as `0x22`.
    pub channel: String,
    /// Messages that the far node has.
    pub messages: u64,
    /// Their payload.
    pub bytes: u64,
    /// Messages that did not get through.
    pub lost: u64,
}

impl Meters {
    fn of(&self, way: Way, channel: Channel) -> Option<&Meter> {
        let place = Channel::ALL.iter().position(|each| *each == channel)?;
        self.ways.get(way as usize).and_then(|meters| meters.get(place))
    }

    pub(super) fn session(&self) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
    }

    /// A session over another libp2p transport begins.
    pub(super) fn follow(&self, traffic: &Arc<Traffic>) {
        let mut inbound = self.inbound();
        inbound.before = std::array::from_fn(|place| inbound.lost(place));
        inbound.now = Some(Arc::clone(traffic));
    }

    fn inbound(&self) -> MutexGuard<'_, Inbound> {
        self.inbound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn passed(&self, way: Way, channel: Channel, bytes: usize) {
        if let Some(meter) = self.of(way, channel) {
            meter.messages.fetch_add(1, Ordering::Relaxed);
            meter.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn lost(&self, way: Way, channel: Channel) {
        if let Some(meter) = self.of(way, channel) {
            meter.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often both ends were joined.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        self.sessions.load(Ordering::Relaxed)
    }

    /// Every channel that anything was to go through, in both directions.
    #[must_use]
    pub fn counts(&self) -> Vec<Count> {
        let both = [Way::ToLp2p, Way::ToClassic].into_iter().flat_map(|way| Channel::ALL.map(|channel| (way, channel)));
        let inbound = self.inbound();
        let read = |(way, channel): (Way, Channel)| {
            let meter = self.of(way, channel)?;
            let [messages, bytes, lost] =
                [&meter.messages, &meter.bytes, &meter.lost].map(|each| each.load(Ordering::Relaxed));
            let place = Channel::ALL.iter().position(|each| *each == channel)?;
            let lost = lost + if way == Way::ToClassic { inbound.lost(place) } else { 0 };
            Some(Count { way, channel: channel.to_string(), messages, bytes, lost })
        };
        both.filter_map(read).filter(|count| count.messages + count.lost > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lp2p::Loss;

    #[test]
    fn what_the_libp2p_transport_could_not_take_is_counted_over_all_sessions() {
        let meters = Meters::default();
        for losses in [[Loss::TooSlow, Loss::Malformed], [Loss::Truncated, Loss::CutOff]] {
            let traffic = Arc::<Traffic>::default();
            meters.follow(&traffic);
            for loss in losses {
                traffic.lost(Channel::VOTE, loss);
            }
        }
        // The last was cut off by the end of its session.
        assert_eq!(meters.counts()[0].lost, 3);
        assert_eq!((meters.counts()[0].way, meters.counts().len()), (Way::ToClassic, 1));
    }

    #[test]
    fn directions_and_channels_are_counted_apart() {
        let meters = Meters::default();
        meters.passed(Way::ToLp2p, Channel::VOTE, 10);
        meters.passed(Way::ToLp2p, Channel::VOTE, 5);
        meters.lost(Way::ToClassic, Channel::VOTE);
        // Never goes through a tunnel.
        meters.passed(Way::ToClassic, Channel(0), 1);
        let count = |way, messages, bytes, lost| Count { way, channel: "0x22".into(), messages, bytes, lost };
        assert_eq!(meters.counts(), [count(Way::ToLp2p, 2, 15, 0), count(Way::ToClassic, 0, 0, 1)]);
    }
}
