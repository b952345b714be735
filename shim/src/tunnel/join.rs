//! Two sessions made one: what comes at one end goes out at the other, byte for byte, until either ends.
//!
//! A node that is slow to take messages stops the reading at the far end, and so its sender: each direction holds a bounded
//! number of messages. Messages that a node refuses are counted and left out, as if its own transport had
//! refused them.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use libp2p::futures::stream::FuturesUnordered;
use libp2p::futures::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::meters::{Meters, Way};
use super::notice::{End, Notice, Tell};
use super::window::Window;
use crate::peering::{Channel, Event, Outbox, SendError, Session};

/// Messages that may be lost without one getting through in between.
const LOSSES_IN_A_ROW_MAX: usize = 64;

/// A session at one end.
pub struct Side<'a> {
    /// Which.
    pub end: End,
    /// Its number.
    pub session: Session,
    /// The way to its transport.
    pub outbox: &'a Outbox,
    /// What its transport tells.
    pub events: &'a mut mpsc::Receiver<Event>,
}

/// Why a session ended, and at which end that began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// At which end.
    pub end: End,
    /// Why.
    pub reason: String,
}

/// Joins two sessions until one of them ends. Neither is closed by this: the caller does that.
///
/// A node that has said nothing after `first_word` has no use for us: one that knows its peer tells it its state at once, and one that
/// does not will never know us in this session.
pub async fn join(classic: Side<'_>, lp2p: Side<'_>, first_word: Duration, meters: &Meters, tell: Tell<'_>) -> Ended {
    let heard = [AtomicBool::new(false), AtomicBool::new(false)];
    let to_lp2p = Pump {
        way: Way::ToLp2p,
        from: classic.session,
        from_end: classic.end,
        to: lp2p.session,
        to_end: lp2p.end,
        outbox: lp2p.outbox,
        heard: &heard[0],
        meters,
        tell,
    };
    let to_classic = Pump {
        way: Way::ToClassic,
        from: lp2p.session,
        from_end: lp2p.end,
        to: classic.session,
        to_end: classic.end,
        outbox: classic.outbox,
        heard: &heard[1],
        meters,
        tell,
    };
    tokio::select! {
        ended = to_lp2p.run(classic.events) => ended,
        ended = to_classic.run(lp2p.events) => ended,
        ended = silence(&heard, first_word) => ended,
    }
}

/// Ends only when a node has said nothing for too long.
async fn silence(heard: &[AtomicBool; 2], first_word: Duration) -> Ended {
    sleep(first_word).await;
    let silent = [End::Classic, End::Lp2p].into_iter().zip(heard).find(|(_, heard)| !heard.load(Ordering::Relaxed));
    match silent {
        Some((end, _)) => Ended { end, reason: format!("the node has said nothing for {} s", first_word.as_secs()) },
        None => std::future::pending().await,
    }
}

/// One direction.
struct Pump<'a> {
    way: Way,
    from: Session,
    from_end: End,
    to: Session,
    to_end: End,
    outbox: &'a Outbox,
    heard: &'a AtomicBool,
    meters: &'a Meters,
    tell: Tell<'a>,
}

/// What became of a message.
struct Settled {
    channel: Channel,
    bytes: usize,
    outcome: Result<(), SendError>,
}

/// What an event means for a direction.
enum Heard {
    Message(Channel, Bytes),
    Other,
    End(Ended),
}

/// Losses since the last message that got through, and of which channels the operator knows.
#[derive(Default)]
struct Losses {
    in_a_row: usize,
    told: HashSet<Channel>,
}

impl Pump<'_> {
    async fn run(&self, events: &mut mpsc::Receiver<Event>) -> Ended {
        let mut window = Window::default();
        let mut under_way = FuturesUnordered::new();
        let mut losses = Losses::default();
        loop {
            let channel = tokio::select! {
                event = events.recv(), if window.has_room() => match self.hear(event) {
                    Heard::Message(channel, payload) => {
                        if !window.push(channel, payload) {
                            continue;
                        }
                        channel
                    }
                    Heard::Other => continue,
                    Heard::End(ended) => return ended,
                },
                Some(settled) = under_way.next() => {
                    let Settled { channel, bytes, outcome } = settled;
                    window.settled(channel, bytes);
                    if let Some(ended) = self.settle(channel, bytes, outcome, &mut losses) {
                        return ended;
                    }
                    channel
                }
            };
            while let Some(payload) = window.next(channel) {
                let bytes = payload.len();
                let Ok(outcome) = self.outbox.hand_over(self.to, channel, payload).await else {
                    return gone(self.to_end);
                };
                under_way.push(outcome.map(move |outcome| Settled { channel, bytes, outcome }));
            }
        }
    }

    fn hear(&self, event: Option<Event>) -> Heard {
        match event {
            Some(Event::Message { session, channel, payload }) if session == self.from => {
                self.heard.store(true, Ordering::Relaxed);
                Heard::Message(channel, payload)
            }
            Some(Event::Closed { session, reason }) if session == self.from => {
                Heard::End(Ended { end: self.from_end, reason })
            }
            Some(Event::Refused { reason, .. }) => {
                (self.tell)(Notice::Refused { end: self.from_end, reason });
                Heard::Other
            }
            // Of a session before this one.
            Some(_) => Heard::Other,
            None => Heard::End(gone(self.from_end)),
        }
    }

    fn settle(
        &self,
        channel: Channel,
        bytes: usize,
        outcome: Result<(), SendError>,
        losses: &mut Losses,
    ) -> Option<Ended> {
        let error = match outcome {
            Ok(()) => {
                losses.in_a_row = 0;
                self.meters.passed(self.way, channel, bytes);
                return None;
            }
            Err(error) => error,
        };
        self.meters.lost(self.way, channel);
        losses.in_a_row += 1;
        if error == SendError::Closed {
            // Its transport says why, to the other direction; this one has nothing more to do until then.
            return None;
        }
        if losses.told.insert(channel) {
            (self.tell)(Notice::Lost { way: self.way, channel: channel.to_string(), reason: error.to_string() });
        }
        let is_enough = losses.in_a_row >= LOSSES_IN_A_ROW_MAX;
        is_enough.then(|| Ended {
            end: self.to_end,
            reason: format!("{LOSSES_IN_A_ROW_MAX} messages in a row were lost, the last because {error}"),
        })
    }
}

fn gone(end: End) -> Ended {
    Ended { end, reason: "its transport has ended".into() }
}
