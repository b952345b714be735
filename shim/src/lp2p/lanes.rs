//! Messages that wait for their streams: a queue for each channel, with pacing.
//!
//! No more than [`IN_FLIGHT_MAX`] messages of a channel are under way at once, because a node refuses more than 64 streams of
//! one protocol. When it refuses nevertheless, the channel pauses, longer each time, and the message goes first afterwards.
//! Channels do not wait for each other: votes overtake blocks.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::channel::{ChannelProtocol, PROTOCOLS, Place};
use crate::peering::SendError;

/// Messages of one channel that may be under way at once.
pub const IN_FLIGHT_MAX: usize = 32;

/// Messages of one session that may be under way at once; a node takes 256 streams of one peer.
pub const IN_FLIGHT_TOTAL_MAX: usize = 192;

/// Messages of one session that may wait.
const WAITING_MAX: usize = 1024;

/// Bytes of one session that may wait; a single larger message may wait alone.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// The first pause of a channel whose peer is busy, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(640));

/// A message on its way to the peer.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) protocol: ChannelProtocol,
    pub(super) place: Place,
    pub(super) payload: Bytes,
    /// When the caller is told that it failed.
    pub(super) deadline: Instant,
    pub(super) done: oneshot::Sender<Result<(), SendError>>,
}

#[derive(Debug)]
struct Lane {
    waiting: VecDeque<Outgoing>,
    in_flight: usize,
    paused_until: Option<Instant>,
    pause: Duration,
}

impl Lane {
    fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| until > now)
    }
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Next {
    /// Send this.
    Message(Outgoing),
    /// Tell the caller that its time is up.
    Expired(Outgoing),
    /// Nothing before this moment.
    At(Instant),
    /// Nothing until something changes.
    Idle,
}

/// The queues of one session.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: [Lane; PROTOCOLS.len()],
    /// The lane that is asked first: each in its turn.
    turn: usize,
    in_flight: usize,
    waiting: usize,
    waiting_bytes: usize,
}

impl Lanes {
    pub(super) fn new() -> Self {
        let lane = |_| Lane { waiting: VecDeque::new(), in_flight: 0, paused_until: None, pause: PAUSES.0 };
        Self { lanes: std::array::from_fn(lane), turn: 0, in_flight: 0, waiting: 0, waiting_bytes: 0 }
    }

    /// Appends a message; gives it back when too much is waiting.
    pub(super) fn push(&mut self, message: Outgoing) -> Result<(), Outgoing> {
        let bytes = self.waiting_bytes.saturating_add(message.payload.len());
        if self.waiting > 0 && (self.waiting >= WAITING_MAX || bytes > WAITING_BYTES_MAX) {
            return Err(message);
        }
        self.insert(message, VecDeque::push_back);
        Ok(())
    }

    fn insert(&mut self, message: Outgoing, insert: fn(&mut VecDeque<Outgoing>, Outgoing)) {
        let Some(lane) = self.lanes.get_mut(message.place.index()) else { return };
        self.waiting += 1;
        self.waiting_bytes += message.payload.len();
        insert(&mut lane.waiting, message);
    }

    /// The next message that may go, which then counts as under way.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        let mut wake_at: Option<Instant> = None;
        for step in 0..self.lanes.len() {
            let at = (self.turn + step) % self.lanes.len();
            let full = self.in_flight >= IN_FLIGHT_TOTAL_MAX;
            let Some(lane) = self.lanes.get_mut(at) else { continue };
            let Some(first) = lane.waiting.front() else { continue };
            let expired = first.deadline <= now;
            if !expired && (full || lane.in_flight >= IN_FLIGHT_MAX) {
                continue;
            }
            if !expired && lane.is_paused(now) {
                wake_at = wake_at.into_iter().chain(lane.paused_until).min();
                continue;
            }
            let Some(message) = lane.waiting.pop_front() else { continue };
            self.waiting -= 1;
            self.waiting_bytes -= message.payload.len();
            self.turn = at + 1;
            if expired {
                return Next::Expired(message);
            }
            lane.in_flight += 1;
            self.in_flight += 1;
            return Next::Message(message);
        }
        wake_at.map_or(Next::Idle, Next::At)
    }

    /// A message is under way no longer; `delivered` ends the pacing of its channel.
    pub(super) fn settled(&mut self, place: Place, delivered: bool) {
        let Some(lane) = self.lanes.get_mut(place.index()) else { return };
        lane.in_flight = lane.in_flight.saturating_sub(1);
        self.in_flight = self.in_flight.saturating_sub(1);
        if delivered {
            lane.pause = PAUSES.0;
        }
    }

    /// The peer was busy: the message goes first again, after a pause of its channel. One pause for all that were refused together.
    pub(super) fn again(&mut self, message: Outgoing, now: Instant) {
        self.settled(message.place, false);
        if let Some(lane) = self.lanes.get_mut(message.place.index())
            && !lane.is_paused(now)
        {
            lane.paused_until = Some(now + lane.pause);
            lane.pause = (lane.pause * 2).min(PAUSES.1);
        }
        self.insert(message, VecDeque::push_front);
    }

    /// Everything that is waiting, which will not be sent.
    pub(super) fn drain(&mut self) -> Vec<Outgoing> {
        self.waiting = 0;
        self.waiting_bytes = 0;
        self.lanes.iter_mut().flat_map(|lane| lane.waiting.drain(..)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peering::Channel;

    fn message(channel: Channel, bytes: usize, now: Instant) -> Outgoing {
        Outgoing {
            protocol: ChannelProtocol::of(channel).unwrap(),
            place: Place::of(channel).unwrap(),
            payload: Bytes::from(vec![0; bytes]),
            deadline: now + Duration::from_secs(10),
            done: oneshot::channel().0,
        }
    }

    fn taken(lanes: &mut Lanes, now: Instant) -> Vec<Outgoing> {
        std::iter::from_fn(|| match lanes.next(now) {
            Next::Message(message) => Some(message),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn a_full_channel_does_not_hold_up_another() {
        let now = Instant::now();
        let mut lanes = Lanes::new();
        for _ in 0..100 {
            lanes.push(message(Channel::BLOCKSYNC, 1, now)).unwrap();
        }
        lanes.push(message(Channel::VOTE, 1, now)).unwrap();
        let first = taken(&mut lanes, now);
        assert_eq!(first.len(), IN_FLIGHT_MAX + 1);
        assert!(matches!(lanes.next(now), Next::Idle));
        lanes.settled(Place::of(Channel::BLOCKSYNC).unwrap(), true);
        assert_eq!(taken(&mut lanes, now).len(), 1);
    }

    #[test]
    fn a_busy_peer_pauses_the_channel_and_the_message_goes_first() {
        let now = Instant::now();
        let mut lanes = Lanes::new();
        for bytes in [1, 2, 3] {
            lanes.push(message(Channel::VOTE, bytes, now)).unwrap();
        }
        let Next::Message(first) = lanes.next(now) else { panic!("there is one") };
        lanes.again(first, now);
        let Next::At(resume) = lanes.next(now) else { panic!("the channel pauses") };
        assert_eq!(resume, now + PAUSES.0);
        let sizes: Vec<_> = taken(&mut lanes, resume).iter().map(|each| each.payload.len()).collect();
        assert_eq!(sizes, [1, 2, 3]);
    }

    #[test]
    fn messages_refused_together_pause_once() {
        let now = Instant::now();
        let mut lanes = Lanes::new();
        for _ in 0..10 {
            lanes.push(message(Channel::VOTE, 1, now)).unwrap();
        }
        for refused in taken(&mut lanes, now) {
            lanes.again(refused, now);
        }
        assert!(matches!(lanes.next(now), Next::At(at) if at == now + PAUSES.0));
        let mut pauses = Vec::new();
        let mut moment = now;
        for _ in 0..10 {
            moment += PAUSES.1;
            let Next::Message(first) = lanes.next(moment) else { panic!("its pause is over") };
            lanes.again(first, moment);
            let Next::At(resume) = lanes.next(moment) else { panic!("it pauses") };
            pauses.push(resume - moment);
        }
        assert!(pauses.is_sorted() && pauses.last() == Some(&PAUSES.1));
    }

    #[test]
    fn what_waits_is_bounded_but_one_large_message_may() {
        let now = Instant::now();
        let mut lanes = Lanes::new();
        lanes.push(message(Channel::BLOCKSYNC, WAITING_BYTES_MAX + 1, now)).unwrap();
        assert!(lanes.push(message(Channel::VOTE, 1, now)).is_err());
        assert_eq!(lanes.drain().len(), 1);
        for _ in 0..WAITING_MAX {
            lanes.push(message(Channel::VOTE, 0, now)).unwrap();
        }
        assert!(lanes.push(message(Channel::VOTE, 0, now)).is_err());
    }

    #[test]
    fn an_expired_message_leaves_even_a_full_or_pausing_channel() {
        let now = Instant::now();
        let mut lanes = Lanes::new();
        for _ in 0..=IN_FLIGHT_MAX {
            lanes.push(message(Channel::VOTE, 1, now)).unwrap();
        }
        assert_eq!(taken(&mut lanes, now).len(), IN_FLIGHT_MAX);
        assert!(matches!(lanes.next(now + Duration::from_secs(10)), Next::Expired(_)));
    }
}
