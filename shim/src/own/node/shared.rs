//! What the tasks of a node share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId, Stream};
use proto::hello::Hello;
use tokio::sync::{mpsc, oneshot, watch};

use crate::counters::Counters;
use crate::own::attest::Book;
use crate::own::hello::Allowance;
use crate::own::protocol::Protocol;
use crate::own::streams::OpenError;
use crate::source::BlockSource;

use super::event::{Event, Refused};
use super::relay::Relay;
use super::session::Session;

/// Events that strangers may bring about at once.
const STRANGERS_BURST: u32 = 200;

/// The time after which they may bring about one more.
const STRANGERS_INTERVAL: Duration = Duration::from_secs(1);

/// What the swarm's task is asked to do.
pub(super) enum Command {
    /// Open a stream.
    Open { connection: ConnectionId, protocol: Protocol, opened: oneshot::Sender<Result<Stream, OpenError>> },
    /// Dial a peer at these addresses, one after another.
    Dial { peer: PeerId, addresses: Vec<Multiaddr> },
    /// Keep a connection open though nothing happens on it, or let it end.
    Keep { connection: ConnectionId, is_kept: bool },
    /// Close a connection.
    Close { connection: ConnectionId },
    /// Accept the protocols of this hello.
    Accept { hello: Hello },
}

/// What a node works with.
pub(super) struct Given {
    pub(super) source: Arc<dyn BlockSource>,
    pub(super) counters: Arc<Counters>,
    pub(super) book: Option<Book>,
    pub(super) hello: Hello,
    /// Peers of the configuration.
    pub(super) always: Vec<PeerId>,
    pub(super) relay: Option<Relay>,
}

/// What the tasks of a node share.
pub(super) struct Shared {
    pub(super) source: Arc<dyn BlockSource>,
    pub(super) counters: Arc<Counters>,
    pub(super) commands: mpsc::Sender<Command>,
    /// Changes with every connection that begins.
    pub(super) connections: watch::Sender<()>,
    events: mpsc::Sender<Event>,
    started: Instant,
    /// Messages of the program above, if it relays.
    pub(super) relay: Option<Relay>,
    book: Option<Mutex<Book>>,
    hello: Mutex<Hello>,
    sessions: Mutex<HashMap<ConnectionId, Arc<Session>>>,
    always: Vec<PeerId>,
    /// Events that strangers may bring about.
    strangers: Mutex<Allowance>,
}

impl Shared {
    pub(super) fn new(given: Given, commands: mpsc::Sender<Command>, events: mpsc::Sender<Event>) -> Self {
        let Given { source, counters, book, hello, always, relay } = given;
        Self {
            source,
            counters,
            commands,
            connections: watch::Sender::new(()),
            events,
            started: Instant::now(),
            relay,
            book: book.map(Mutex::new),
            hello: Mutex::new(hello),
            sessions: Mutex::default(),
            always,
            strangers: Mutex::new(Allowance::new(STRANGERS_BURST, STRANGERS_INTERVAL, Duration::ZERO)),
        }
    }

    /// The time since the node was started.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// This node's own hello.
    pub(super) fn hello(&self) -> MutexGuard<'_, Hello> {
        lock(&self.hello)
    }

    /// This node's checkpoints, if it attests.
    pub(super) fn book(&self) -> Option<MutexGuard<'_, Book>> {
        self.book.as_ref().map(lock)
    }

    /// What is known of each connection.
    pub(super) fn sessions(&self) -> MutexGuard<'_, HashMap<ConnectionId, Arc<Session>>> {
        lock(&self.sessions)
    }

    /// The connections with a peer, those first that agreed.
    pub(super) fn sessions_of(&self, peer: PeerId) -> Vec<Arc<Session>> {
        let mut sessions: Vec<_> = self.sessions().values().filter(|session| session.peer == peer).cloned().collect();
        sessions.sort_by_key(|session| (!matches!(session.outcome(), Some(Ok(_))), session.connection));
        sessions
    }

    /// Tells an event. A full queue is counted, not waited for: the network goes on. So is what strangers bring about
    /// more often than a log can bear.
    pub(super) fn tell(&self, event: Event) {
        let stranger = event.repeatable_by().filter(|peer| !self.always.contains(peer));
        if stranger.is_some() && !lock(&self.strangers).take(self.now()) {
            return self.counters.count("events", "", "withheld");
        }
        if self.events.try_send(event).is_err() {
            self.counters.count("events", "", "lost");
        }
    }

    /// Counts a broken rule, tells it once for each kind, and closes the connection when there are too many.
    pub(super) async fn misbehaved(&self, session: &Session, protocol: Protocol, kind: &'static str, reason: String) {
        self.counters.count(protocol.short(), &session.agent(), kind);
        if session.is_news(protocol, kind) {
            self.tell(Event::Misbehaved { peer: session.peer, protocol, reason });
        }
        if session.misdeed() {
            self.order(Command::Close { connection: session.connection }).await;
        }
    }

    /// Counts a refusal and tells it once for each kind.
    pub(super) fn refused(
        &self,
        session: &Session,
        protocol: Protocol,
        by: Refused,
        kind: &'static str,
        reason: String,
    ) {
        self.counters.count(protocol.short(), &session.agent(), kind);
        if session.is_news(protocol, kind) {
            self.tell(Event::Refused { peer: session.peer, protocol, by, reason });
        }
    }

    /// Opens a stream on a connection.
    pub(super) async fn open(&self, connection: ConnectionId, protocol: Protocol) -> Result<Stream, OpenError> {
        let (opened, outcome) = oneshot::channel();
        self.order(Command::Open { connection, protocol, opened }).await;
        outcome.await.unwrap_or(Err(OpenError::Closed))
    }

    /// Asks the swarm's task for something; a node that is over does nothing more.
    pub(super) async fn order(&self, command: Command) {
        let _ = self.commands.send(command).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is locked is replaced whole or added to, so a panic elsewhere leaves nothing half-changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
