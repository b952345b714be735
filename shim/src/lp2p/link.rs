//! One session as its connections see it: the way to the service, and the queue of what is to be sent.
//!
//! A peer may have several connections to us at once (both sides dialled); they share one link, so the limits hold for the
//! peer and a message goes by whichever connection has room.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use libp2p::swarm::ConnectionId;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::budget::{Budget, allowance};
use super::channel::{ChannelProtocol, Place, Release, message_bytes_max};
use super::lanes::{Lanes, Next, Outgoing};
use super::refusal::Setback;
use super::traffic::{Loss, Traffic};
use crate::peering::{Channel, Event, SendError, Session};

/// What all sessions of a transport share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) release: Release,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) budget: Arc<Budget>,
    pub(super) receive_bytes_max: usize,
    pub(super) patience: Duration,
}

impl Shared {
    /// How long it may take until `bytes` have moved.
    pub(super) fn allowance(&self, bytes: usize) -> Duration {
        allowance(self.patience, bytes)
    }

    fn send_bytes_max(&self, channel: Channel) -> usize {
        message_bytes_max(self.release, channel)
    }

    /// The largest message that is taken on a channel.
    pub(super) fn receive_bytes_max(&self, channel: Channel) -> usize {
        message_bytes_max(self.release, channel).min(self.receive_bytes_max)
    }
}

/// One session.
#[derive(Debug)]
pub(super) struct Link {
    session: Session,
    shared: Arc<Shared>,
    /// True once the service has been told of the session: no message reaches it before.
    announced: watch::Sender<bool>,
    outgoing: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    lanes: Lanes,
    /// Of each connection, to be woken when there is something to send.
    wakers: Vec<(ConnectionId, Waker)>,
    closed: bool,
}

impl Link {
    pub(super) fn new(session: Session, shared: Arc<Shared>) -> Arc<Self> {
        let queue = Queue { lanes: Lanes::new(), wakers: Vec::new(), closed: false };
        Arc::new(Self { session, shared, announced: watch::Sender::new(false), outgoing: Mutex::new(queue) })
    }

    pub(super) fn session(&self) -> Session {
        self.session
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The service knows of the session.
    pub(super) fn announce(&self) {
        self.announced.send_replace(true);
    }

    /// Whether the service knows of the session.
    pub(super) fn is_announced(&self) -> bool {
        *self.announced.borrow()
    }

    /// Hands a message to the service once it knows of the session; false when the service is gone.
    pub(super) async fn deliver(&self, channel: Channel, payload: Bytes) -> bool {
        let mut announced = self.announced.subscribe();
        if announced.wait_for(|announced| *announced).await.is_err() {
            return false;
        }
        self.shared.events.send(Event::Message { session: self.session, channel, payload }).await.is_ok()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // A panic elsewhere leaves the queue in order: it is changed by whole calls only.
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts a message for the peer; its sender hears of the outcome, now or later.
    pub(super) fn send(
        &self,
        channel: Channel,
        payload: Bytes,
        done: tokio::sync::oneshot::Sender<Result<(), SendError>>,
    ) {
        let limit = self.shared.send_bytes_max(channel);
        let (Some(protocol), Some(place)) = (ChannelProtocol::of(channel), Place::of(channel)) else {
            let _ = done.send(Err(SendError::NoChannel { channel }));
            return;
        };
        if payload.is_empty() || payload.len() > limit {
            self.shared.traffic.lost(channel, Loss::NotCarried);
            let bytes = payload.len();
            let _ = done.send(Err(if bytes == 0 {
                SendError::Empty
            } else {
                SendError::TooLarge { channel, bytes, limit }
            }));
            return;
        }
        let deadline = Instant::now() + self.shared.allowance(payload.len());
        let message = Outgoing { protocol, place, payload, deadline, done };
        let mut queue = self.queue();
        let refused = if queue.closed {
            Err((message, SendError::Closed))
        } else {
            queue.lanes.push(message).map_err(|message| (message, SendError::QueueFull))
        };
        match refused {
            Ok(()) => wake(&mut queue),
            Err((message, error)) => self.fail(message, error),
        }
    }

    /// Tells the sender of a message that it was lost, and counts it.
    fn fail(&self, message: Outgoing, error: SendError) {
        let loss = match error {
            SendError::TimedOut => Loss::TimedOut,
            SendError::QueueFull => Loss::QueueFull,
            SendError::Closed => Loss::Ended,
            SendError::NoChannel { .. } => Loss::NotCarried,
            _ => Loss::Refused,
        };
        self.shared.traffic.lost(message.protocol.channel, loss);
        // The sender may have stopped waiting.
        let _ = message.done.send(Err(error));
    }

    /// The next message for a connection, or when to ask again; its waker is kept for when there is one.
    pub(super) fn next(self: &Arc<Self>, connection: ConnectionId, waker: &Waker) -> Result<UnderWay, Option<Instant>> {
        loop {
            let mut queue = self.queue();
            let next = queue.lanes.next(Instant::now());
            if matches!(next, Next::At(_) | Next::Idle) {
                queue.wakers.retain(|(each, _)| *each != connection);
                queue.wakers.push((connection, waker.clone()));
            }
            drop(queue);
            match next {
                Next::Message(message) => return Ok(UnderWay { link: Arc::clone(self), message: Some(message) }),
                Next::Expired(message) => self.fail(message, SendError::TimedOut),
                Next::At(moment) => return Err(Some(moment)),
                Next::Idle => return Err(None),
            }
        }
    }

    /// Ends the session: whatever waits is not sent.
    pub(super) fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        let unsent = queue.lanes.drain();
        drop(queue);
        for message in unsent {
            self.fail(message, SendError::Closed);
        }
    }
}

fn wake(queue: &mut Queue) {
    for (_, waker) in queue.wakers.drain(..) {
        waker.wake();
    }
}

/// A message that one connection is sending. Dropped with its connection, it is lost: nobody knows whether the peer has it.
#[derive(Debug)]
pub struct UnderWay {
    link: Arc<Link>,
    message: Option<Outgoing>,
}

impl UnderWay {
    /// What to send, and until when.
    pub(super) fn message(&self) -> Option<&Outgoing> {
        self.message.as_ref()
    }

    /// The peer has read it.
    pub(super) fn delivered(mut self) {
        if let Some(message) = self.message.take() {
            self.link.shared.traffic.sent(message.protocol.channel, message.payload.len());
            self.release(|lanes| lanes.settled(message.place, true));
            // The sender may have stopped waiting.
            let _ = message.done.send(Ok(()));
        }
    }

    /// The attempt failed.
    pub(super) fn failed(mut self, setback: Setback) {
        let Some(message) = self.message.take() else { return };
        let channel = message.protocol.channel;
        let error = match setback {
            Setback::Busy if !self.link.queue().closed => {
                self.link.shared.traffic.retried(channel);
                return self.release(|lanes| lanes.again(message, Instant::now()));
            }
            Setback::Busy | Setback::Lost => SendError::Closed,
            Setback::NoChannel => SendError::NoChannel { channel },
            Setback::Refused => SendError::Refused { channel },
            Setback::TimedOut => SendError::TimedOut,
        };
        self.release(|lanes| lanes.settled(message.place, false));
        self.link.fail(message, error);
    }

    fn release(&self, change: impl FnOnce(&mut Lanes)) {
        let mut queue = self.link.queue();
        change(&mut queue.lanes);
        wake(&mut queue);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            self.release(|lanes| lanes.settled(message.place, false));
            self.link.fail(message, SendError::Closed);
        }
    }
}
