//! The sessions that are there, one for each peer, and the way of commands to them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot};

use super::Shared;
use crate::classic::multiplex::ChannelSpec;
use crate::classic::node_key::NodeId;
use crate::peering::{Channel, Command, SendError, Session};

/// Messages that may wait for one channel of a session, beside the one under way.
const WAITING_MAX: usize = 32;

/// A message on its way to the writer of a session.
pub(super) struct Outgoing {
    pub payload: Bytes,
    pub done: oneshot::Sender<Result<(), SendError>>,
}

/// What the task of a session gets.
pub(super) struct Inlets {
    /// Its number.
    pub session: Session,
    /// A queue for each channel that both sides have.
    pub lanes: Vec<(Channel, mpsc::Receiver<Outgoing>)>,
    /// Rung when a queue may have something.
    pub bell: Arc<Notify>,
    /// The wish to end it, with the reason.
    pub close: mpsc::Receiver<String>,
}

struct Route {
    peer: NodeId,
    lanes: HashMap<Channel, mpsc::Sender<Outgoing>>,
    bell: Arc<Notify>,
    close: mpsc::Sender<String>,
}

/// The sessions of a transport.
pub(super) struct Table {
    limits: HashMap<Channel, usize>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    sessions: HashMap<Session, Route>,
    peers: HashMap<NodeId, Session>,
}

impl Table {
    pub(super) fn new(channels: &[ChannelSpec]) -> Self {
        let limits = channels.iter().map(|spec| (spec.channel, spec.send_bytes_max)).collect();
        Self { limits, state: Mutex::default() }
    }

    /// Opens a session with a peer that has `channels`; `None` when there is one already.
    pub(super) fn open(&self, peer: NodeId, channels: &[u8]) -> Option<Inlets> {
        let mut state = self.lock();
        if state.peers.contains_key(&peer) {
            return None;
        }
        let session = Session(state.next);
        state.next += 1;
        let (mut inlets, mut outlets) = (Vec::new(), HashMap::new());
        for channel in self.limits.keys().copied().filter(|channel| channels.contains(&channel.0)) {
            let (outlet, inlet) = mpsc::channel(WAITING_MAX);
            inlets.push((channel, inlet));
            outlets.insert(channel, outlet);
        }
        let (close, closing) = mpsc::channel(1);
        let bell = Arc::new(Notify::new());
        state.sessions.insert(session, Route { peer, lanes: outlets, bell: Arc::clone(&bell), close });
        state.peers.insert(peer, session);
        Some(Inlets { session, lanes: inlets, bell, close: closing })
    }

    /// Forgets a session.
    pub(super) fn end(&self, session: Session) {
        let mut state = self.lock();
        if let Some(route) = state.sessions.remove(&session) {
            state.peers.remove(&route.peer);
        }
    }

    fn send(&self, session: Session, channel: Channel, outgoing: Outgoing) {
        let refused = match self.lock().sessions.get(&session) {
            None => Some((outgoing.done, SendError::Closed)),
            Some(route) => self.queue(route, channel, outgoing),
        };
        if let Some((done, error)) = refused {
            // Who does not wait for the outcome does not want to know.
            let _ = done.send(Err(error));
        }
    }

    fn queue(
        &self,
        route: &Route,
        channel: Channel,
        outgoing: Outgoing,
    ) -> Option<(oneshot::Sender<Result<(), SendError>>, SendError)> {
        let (Some(lane), Some(&limit)) = (route.lanes.get(&channel), self.limits.get(&channel)) else {
            return Some((outgoing.done, SendError::NoChannel { channel }));
        };
        let bytes = outgoing.payload.len();
        if bytes > limit {
            return Some((outgoing.done, SendError::TooLarge { channel, bytes, limit }));
        }
        match lane.try_send(outgoing) {
            Ok(()) => {
                route.bell.notify_one();
                None
            }
            Err(TrySendError::Full(outgoing)) => Some((outgoing.done, SendError::TimedOut)),
            Err(TrySendError::Closed(outgoing)) => Some((outgoing.done, SendError::Closed)),
        }
    }

    fn close(&self, session: Session, reason: String) {
        if let Some(route) = self.lock().sessions.get(&session) {
            // A second wish changes nothing.
            let _ = route.close.try_send(reason);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands commands to the sessions until nobody can give any. Never waits for a session.
pub(super) async fn route(mut commands: mpsc::Receiver<Command>, shared: Arc<Shared>) {
    while let Some(command) = commands.recv().await {
        match command {
            Command::Send { session, channel, payload, done } => {
                shared.table.send(session, channel, Outgoing { payload, done });
            }
            Command::Close { session, reason } => shared.table.close(session, reason),
        }
    }
}
