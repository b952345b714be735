//! Messages of the program above, over streams: with peers of the configuration only, one stream a direction, for as long as it lasts.
//!
//! The newest connection carries them: of one whose peer has started again the older may be dead without a word.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use libp2p::{PeerId, Stream};
use proto::hello::Version;
use proto::negotiate::Party;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::timeout;

use crate::counters::Counters;
use crate::memory::Memory;
use crate::own::framing::{self, FramingError};
use crate::own::limits::{RELAY_BYTES_MAX, RELAY_TAKEN_BYTES_MAX};
use crate::own::protocol::Protocol;
use crate::own::relay::{Outbox, Received};
use crate::own::streams::Permit;

use super::event::Refused;
use super::session::Session;
use super::shared::Shared;

/// Between two looks for a connection that can carry a message.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Streams that are tried for one message.
const ATTEMPTS: usize = 2;

/// Why a message cannot be queued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// This node does not relay.
    #[error("the node was started without a place for messages, so it relays none")]
    Off,
    /// Not a peer of the configuration.
    #[error("{peer} is not a peer of the configuration")]
    Stranger {
        /// Who.
        peer: PeerId,
    },
    /// The message is too long.
    #[error("a message of {bytes} bytes; at most {RELAY_BYTES_MAX} are relayed")]
    TooLong {
        /// Its bytes.
        bytes: usize,
    },
}

/// What comes, and what waits to go.
#[derive(Debug)]
pub(super) struct Relay {
    inbox: mpsc::Sender<Received>,
    memory: Memory,
    outlets: HashMap<PeerId, Arc<Outlet>>,
}

/// The queue of one peer.
#[derive(Debug, Default)]
struct Outlet {
    outbox: Mutex<Outbox>,
    filled: Notify,
}

impl Outlet {
    async fn next(&self) -> Bytes {
        loop {
            let filled = self.filled.notified();
            if let Some(message) = self.outbox.lock().unwrap_or_else(PoisonError::into_inner).pop() {
                return message;
            }
            filled.await;
        }
    }
}

impl Relay {
    pub(super) fn new(inbox: mpsc::Sender<Received>, peers: &[PeerId]) -> Self {
        let outlets = peers.iter().map(|peer| (*peer, Arc::default())).collect();
        Self { inbox, memory: Memory::new(RELAY_TAKEN_BYTES_MAX), outlets }
    }

    pub(super) fn put(&self, peer: PeerId, message: Bytes, counters: &Counters) -> Result<(), RelayError> {
        let outlet = self.outlets.get(&peer).ok_or(RelayError::Stranger { peer })?;
        if message.len() > RELAY_BYTES_MAX {
            return Err(RelayError::TooLong { bytes: message.len() });
        }
        let given_up = outlet.outbox.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        outlet.filled.notify_one();
        if given_up > 0 {
            counters.add(Protocol::Relay.short(), "", "given_up", given_up);
        }
        Ok(())
    }
}

impl Shared {
    /// The newest connection with a peer on which this node may speak, and in which version.
    pub(super) fn relaying_session(&self, peer: PeerId) -> Option<(Arc<Session>, Version)> {
        let sessions = self.sessions_of(peer).into_iter();
        let spoken = sessions.filter_map(|session| session.spoken(Party::Local).map(|version| (session, version)));
        spoken.max_by_key(|(session, _)| session.connection)
    }
}

/// Sends what is queued until the node is over.
pub(super) fn start(shared: &Arc<Shared>, stopped: &watch::Receiver<()>) {
    let Some(relay) = &shared.relay else { return };
    for (peer, outlet) in &relay.outlets {
        let (shared, outlet, peer) = (Arc::clone(shared), Arc::clone(outlet), *peer);
        let mut stopped = stopped.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = send_all(&shared, peer, &outlet) => {}
                _ = stopped.changed() => {}
            }
        });
    }
}

async fn send_all(shared: &Shared, peer: PeerId, outlet: &Outlet) {
    let mut open = None;
    loop {
        let message = outlet.next().await;
        for _ in 0..ATTEMPTS {
            let outcome = send(shared, peer, &mut open, &message).await;
            let agent = open.as_ref().map(|(session, _): &(Arc<Session>, Stream)| session.agent()).unwrap_or_default();
            shared.counters.count(Protocol::Relay.short(), &agent, if outcome.is_ok() { "sent" } else { "broken" });
            if outcome.is_ok() {
                break;
            }
            open = None;
        }
    }
}

/// Sends a message on the stream that is open, or on a new one where a newer connection is there.
async fn send(
    shared: &Shared,
    peer: PeerId,
    open: &mut Option<(Arc<Session>, Stream)>,
    message: &Bytes,
) -> Result<(), String> {
    let session = wait_for_session(shared, peer).await;
    let is_open = open.as_ref().is_some_and(|(open, _)| open.connection == session.connection);
    if !is_open {
        let stream = shared.open(session.connection, Protocol::Relay).await.map_err(|error| error.to_string())?;
        *open = Some((session, stream));
    }
    let Some((session, stream)) = open else { return Ok(()) };
    tokio::select! {
        written = framing::write(stream, message) => written.map_err(|error| error.to_string()),
        () = superseded(shared, session) => Err("a newer connection is there".to_owned()),
    }
}

/// Waits until messages to the peer have to go on another connection.
async fn superseded(shared: &Shared, session: &Session) {
    loop {
        let mut changes = shared.connections.subscribe();
        if shared.relaying_session(session.peer).is_some_and(|(newest, _)| newest.connection != session.connection) {
            return;
        }
        let _ = timeout(LOOK_EVERY, changes.changed()).await;
    }
}

async fn wait_for_session(shared: &Shared, peer: PeerId) -> Arc<Session> {
    loop {
        let mut changes = shared.connections.subscribe();
        if let Some((session, _)) = shared.relaying_session(peer) {
            return session;
        }
        // A new connection says so, the end of an exchange of hellos does not.
        let _ = timeout(LOOK_EVERY, changes.changed()).await;
    }
}

/// Takes messages on a stream that the peer opened, until it ends.
pub(super) async fn receive(shared: Arc<Shared>, session: Arc<Session>, mut stream: Stream, _place: Permit) {
    let Some(relay) = &shared.relay else { return };
    if !relay.outlets.contains_key(&session.peer) {
        return refuse(&shared, &session, "refused_stranger", "it is not a peer of the configuration");
    }
    // The streams of a peer may be faster than its hello.
    let _ = session.negotiated().await;
    loop {
        // Whether the peer is still there is for the pings to say: a network may have nothing to say for long.
        let message = match framing::read(&mut stream, RELAY_BYTES_MAX, Duration::MAX).await {
            Ok(message) => relay.memory.hold(message).await,
            Err(error) => return end(&shared, &session, &error).await,
        };
        let Some(version) = session.spoken(Party::Remote) else {
            return refuse(&shared, &session, "refused_no_agreement", "the hellos agreed on no version");
        };
        shared.counters.count(Protocol::Relay.short(), &session.agent(), "received");
        if relay.inbox.send(Received { peer: session.peer, version, message }).await.is_err() {
            return;
        }
    }
}

fn refuse(shared: &Shared, session: &Session, kind: &'static str, reason: &str) {
    shared.refused(session, Protocol::Relay, Refused::Peer, kind, reason.to_owned());
}

async fn end(shared: &Shared, session: &Session, error: &FramingError) {
    match error {
        FramingError::Ended => {}
        error if error.is_misbehaviour() => {
            shared.misbehaved(session, Protocol::Relay, "bad_message", error.to_string()).await;
        }
        _ => shared.counters.count(Protocol::Relay.short(), &session.agent(), "broken"),
    }
}
