//! Drives the state machines for every session of one transport.
//!
//! Each session has a task and a short queue. Reading a block is done where threads may block, a few at a time; blocks on
//! their way to peers share a budget of memory. A slow peer waits for itself alone, and is let go when it is too slow.

mod budget;
mod log;
mod session;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

pub use budget::Budget;
pub use log::{Log, Note, Served};

use super::catch_up::{CatchUp, Heard};
use crate::counters::Counters;
use crate::peering::{Channel, Event, Outbox, Peer, Session};
use crate::source::BlockSource;

/// Messages of block sync that may wait for one session; nodes ask for 20 blocks at a time at most.
const INBOX_MAX: usize = 64;

/// What the service needs, shared by all transports.
#[derive(Clone)]
pub struct Service {
    /// Name of the transport, for log and counters.
    pub transport: &'static str,
    /// What is given.
    pub source: Arc<dyn BlockSource>,
    /// What happened how often.
    pub counters: Arc<Counters>,
    /// Who hears of it.
    pub log: Arc<dyn Log>,
    /// Memory for blocks on their way.
    pub budget: Arc<Budget>,
}

/// A session as the dispatcher sees it.
struct Handle {
    peer: Arc<Peer>,
    inbox: mpsc::Sender<Bytes>,
    consensus: Arc<Consensus>,
}

/// What a peer says on the channels of consensus, and the bell for its task.
#[derive(Default)]
struct Consensus {
    state: Mutex<CatchUp>,
    bell: Notify,
}

impl Consensus {
    fn with<T>(&self, look: impl FnOnce(&mut CatchUp) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Serves the sessions of a transport until it ends.
pub async fn run(service: Service, mut events: mpsc::Receiver<Event>, outbox: Outbox) {
    let mut sessions = HashMap::<Session, Handle>::new();
    let mut tasks = JoinSet::new();
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            Some(_) = tasks.join_next() => continue,
        };
        match event {
            None => return,
            Some(Event::Connected { session, peer }) => {
                let peer = Arc::new(peer);
                service.count(&peer, "connected");
                service.log.note(&Note::Connected { transport: service.transport, peer: &peer });
                let (inbox, messages) = mpsc::channel(INBOX_MAX);
                let consensus = Arc::<Consensus>::default();
                let task = session::Task::new(&service, session, &peer, &outbox, &consensus);
                tasks.spawn(task.run(messages));
                sessions.insert(session, Handle { peer, inbox, consensus });
            }
            Some(Event::Message { session, channel, payload }) => {
                if let Some(handle) = sessions.get(&session)
                    && let Err(reason) = handle.take(channel, payload)
                {
                    service.count(&handle.peer, "misconduct");
                    outbox.close(session, reason).await;
                }
            }
            Some(Event::Closed { session, reason }) => {
                // Its task ends with its inbox, and tells what it served.
                if let Some(handle) = sessions.remove(&session) {
                    service.count(&handle.peer, "closed");
                    let note = Note::Closed { transport: service.transport, peer: &handle.peer, reason: &reason };
                    service.log.note(&note);
                }
            }
            Some(Event::Refused { address, direction, reason }) => {
                service.counters.count(service.transport, "", "refused");
                let transport = service.transport;
                service.log.note(&Note::Refused { transport, address: &address, direction, reason: &reason });
            }
        }
    }
}

impl Service {
    fn count(&self, peer: &Peer, outcome: &'static str) {
        self.counters.count(self.transport, &peer.agent, outcome);
    }
}

impl Handle {
    /// Takes a message without waiting; an error ends the session.
    fn take(&self, channel: Channel, payload: Bytes) -> Result<(), String> {
        match channel {
            Channel::BLOCKSYNC => match self.inbox.try_send(payload) {
                Err(mpsc::error::TrySendError::Full(_)) => {
                    Err(format!("it asks for more than {INBOX_MAX} things without taking the answers"))
                }
                // A task that has ended has asked for the end of the session.
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            },
            Channel::STATE => {
                let heard =
                    Heard::decode(payload).map_err(|error| format!("malformed message of consensus: {error}"))?;
                if let Some(heard) = heard {
                    self.consensus.with(|state| state.hear(heard));
                    self.consensus.bell.notify_one();
                }
                Ok(())
            }
            // We take part in nothing else.
            _ => Ok(()),
        }
    }
}
