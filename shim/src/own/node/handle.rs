//! How the rest of the program talks to a node.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use libp2p::{PeerId, Stream};
use proofs::note::Note;
use proto::hello::{Hello, Version};
use proto::negotiate::{Agreement, Incompatible};
use tokio::sync::watch;

use crate::own::attest::BookError;
use crate::own::blocks::Fault;
use crate::own::protocol::Protocol;
use crate::own::streams::OpenError;

use super::event::Refused;
use super::fetch::FetchError;
use super::relay::RelayError;
use super::session::Session;
use super::shared::{Command, Shared};
use super::{greet, witness};

/// A node that runs; when the last handle is dropped it ends, with its connections.
#[derive(Clone)]
pub struct Handle {
    pub(super) id: PeerId,
    pub(super) shared: Arc<Shared>,
    pub(super) _alive: Arc<watch::Sender<()>>,
}

/// What is known of a connection.
#[derive(Clone, Debug)]
pub struct PeerView {
    /// With whom.
    pub peer: PeerId,
    /// What it says that it runs; empty before it has said so.
    pub agent: String,
    /// Its newest hello.
    pub hello: Option<Hello>,
    /// What the hellos came to.
    pub outcome: Option<Result<Agreement, Incompatible>>,
}

impl Handle {
    /// This node's identity.
    #[must_use]
    pub const fn id(&self) -> PeerId {
        self.id
    }

    /// All connections, in the order of peers.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerView> {
        let sessions: Vec<Arc<Session>> = self.shared.sessions().values().cloned().collect();
        let view = |session: &Arc<Session>| PeerView {
            peer: session.peer,
            agent: session.agent(),
            hello: session.hello(),
            outcome: session.outcome(),
        };
        let mut views: Vec<PeerView> = sessions.iter().map(view).collect();
        views.sort_by_key(|view| view.peer);
        views
    }

    /// Changes this node's hello, and tells the peers: when heights were added, or the storage is in another state.
    pub async fn set_hello(&self, hello: Hello) {
        self.shared.hello().clone_from(&hello);
        self.shared.order(Command::Accept { hello: hello.clone() }).await;
        let sessions: Vec<Arc<Session>> = self.shared.sessions().values().cloned().collect();
        for session in sessions {
            let change = session.set_local(self.shared.now(), hello.clone());
            greet::tell(&self.shared, &session, change).await;
        }
    }

    /// Keeps a signed checkpoint of this node, and sends it to the peers with which its height was agreed.
    ///
    /// # Errors
    /// [`BookError`]; nothing happens on a node that does not attest.
    pub async fn attest(&self, note: &Note) -> Result<(), BookError> {
        let judged = match self.shared.book() {
            Some(mut book) => book.attest(note)?,
            None => return Ok(()),
        };
        judged.into_iter().for_each(|judged| witness::settle(&self.shared, None, "", judged));
        let sessions: Vec<Arc<Session>> = self.shared.sessions().values().cloned().collect();
        for session in sessions {
            if let Some(Ok(Agreement { attest_every: Some(every), .. })) = session.outcome() {
                let shared = Arc::clone(&self.shared);
                tokio::spawn(async move { witness::send_newest(&shared, &session, every).await });
            }
        }
        Ok(())
    }

    /// In which version messages go to a peer at present; `None` while there is no connection whose hellos allow it.
    #[must_use]
    pub fn relay_version(&self, peer: PeerId) -> Option<Version> {
        self.shared.relaying_session(peer).map(|(_, version)| version)
    }

    /// Puts a message for the program above into the queue of a peer of the configuration, and never waits. Where the queue is full the
    /// oldest message is given up; what is in hand when a connection ends is lost.
    ///
    /// # Errors
    /// [`RelayError`].
    pub fn relay(&self, peer: PeerId, message: Bytes) -> Result<(), RelayError> {
        let relay = self.shared.relay.as_ref().ok_or(RelayError::Off)?;
        relay.put(peer, message, &self.shared.counters)
    }

    /// Waits until there is a connection with a peer; whether there is one within `limit`.
    pub async fn connected(&self, peer: PeerId, limit: Duration) -> bool {
        let wait = async {
            loop {
                let mut changes = self.shared.connections.subscribe();
                if self.session(peer).is_some() || changes.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(limit, wait).await.is_ok()
    }

    pub(super) fn session(&self, peer: PeerId) -> Option<Arc<Session>> {
        self.shared.sessions_of(peer).into_iter().next()
    }

    pub(super) async fn open(&self, session: &Session, protocol: Protocol) -> Result<Stream, OpenError> {
        self.shared.open(session.connection, protocol).await
    }

    pub(super) fn count(&self, session: &Session, version: Version, outcome: &'static str) {
        let protocol = Protocol::of_blocks(version).unwrap_or(Protocol::Blocks2);
        self.shared.counters.count(protocol.short(), &session.agent(), outcome);
    }

    /// Counts a stream that failed, and tells what the peer did, once for each kind.
    pub(super) async fn failed(&self, session: &Session, version: Version, error: &FetchError) {
        let protocol = Protocol::of_blocks(version).unwrap_or(Protocol::Blocks2);
        match error {
            FetchError::Fault(Fault::Refused(refusal)) => {
                self.shared.refused(session, protocol, Refused::Us, refusal.name(), refusal.reason.clone());
            }
            FetchError::Fault(fault) => {
                self.shared.misbehaved(session, protocol, fault.name(), fault.to_string()).await;
            }
            FetchError::Stream(error) if error.is_misbehaviour() => {
                self.shared.misbehaved(session, protocol, "bad_message", error.to_string()).await;
            }
            _ => self.shared.counters.count(protocol.short(), &session.agent(), "broken"),
        }
    }
}
