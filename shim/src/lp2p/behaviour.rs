//! CometBFT's channels as a behaviour of a libp2p swarm: sessions for the service above, one for each peer.
//!
//! It may stand beside other behaviours in one swarm. The swarm's owner passes on what identify learns
//! ([`Behaviour::identified`], [`Behaviour::introduced`]); peers without CometBFT's channels are left alone.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::futures::future::BoxFuture;
use libp2p::futures::stream::FuturesUnordered;
use libp2p::futures::{FutureExt, StreamExt};
use libp2p::swarm::behaviour::{ConnectionClosed, DialFailure, ListenFailure};
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionError, ConnectionId, FromSwarm, NetworkBehaviour, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, StreamProtocol};
use tokio::sync::mpsc;

use super::budget::{Budget, PATIENCE};
use super::channel::Release;
use super::handler::Handler;
use super::link::{Link, Shared};
use super::notices::Notices;
use super::peer::{Claims, PeerState, Stage};
use super::traffic::Traffic;
use crate::peering::{Command, Direction, Event, SendError, Session};

/// How long a peer has to take note of our introduction: it writes it down after it has read it.
const SETTLING: Duration = Duration::from_millis(250);

/// How long the introductions may take.
const INTRODUCTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Who may connect to us. Whom we dial is always welcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accept {
    /// Anybody.
    Anyone,
    /// These alone.
    Only(Vec<PeerId>),
}

/// A peer that is not among those who may connect.
#[derive(Debug, thiserror::Error)]
#[error("{peer} is not among the peers that may connect here")]
struct NotExpected {
    peer: PeerId,
}

/// What the behaviour tells the owner of its swarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The service has dropped its end: nobody will hear of anything again.
    ServiceGone,
    /// A connected peer will not be a session. The service is not told: the peer may be another behaviour's.
    Stranger {
        /// The peer.
        peer: PeerId,
        /// Where it is.
        address: Multiaddr,
        /// Who dialled.
        direction: Direction,
        /// Why, in words for the operator.
        reason: &'static str,
    },
}

/// How the behaviour is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the peers run: the larger of their limits where both are met.
    pub release: Release,
    /// Who may connect.
    pub accept: Accept,
    /// Bytes that messages may take in memory, of all peers together, until the service lets go of them.
    pub memory_bytes_max: usize,
    /// Incoming messages that are larger are refused, whatever their channel carries: for services that only answer questions.
    pub receive_bytes_max: usize,
    /// How long a message may take, beside what its bytes take; [`Options::new`] has what nodes have.
    pub patience: Duration,
}

impl Options {
    /// The options for peers of a release: 256 MiB of memory, and the patience of a node.
    #[must_use]
    pub fn new(release: Release, accept: Accept) -> Self {
        Self { release, accept, memory_bytes_max: 256 << 20, receive_bytes_max: usize::MAX, patience: PATIENCE }
    }
}

type Timer = BoxFuture<'static, (PeerId, Session)>;

/// The behaviour.
pub struct Behaviour {
    shared: Arc<Shared>,
    accept: Accept,
    commands: mpsc::Receiver<Command>,
    notices: Notices,
    peers: HashMap<PeerId, PeerState>,
    sessions: HashMap<Session, PeerId>,
    sessions_begun: u64,
    timers: FuturesUnordered<Timer>,
    actions: VecDeque<ToSwarm<Signal, Infallible>>,
    service_is_gone: bool,
}

impl Behaviour {
    /// A behaviour that tells `events` what happens and does what `commands` says.
    #[must_use]
    pub fn new(options: Options, events: mpsc::Sender<Event>, commands: mpsc::Receiver<Command>) -> Self {
        let shared = Shared {
            release: options.release,
            events: events.clone(),
            traffic: Arc::default(),
            budget: Budget::new(options.memory_bytes_max),
            receive_bytes_max: options.receive_bytes_max,
            patience: options.patience,
        };
        Self {
            shared: Arc::new(shared),
            accept: options.accept,
            commands,
            notices: Notices::new(events),
            peers: HashMap::new(),
            sessions: HashMap::new(),
            sessions_begun: 0,
            timers: FuturesUnordered::new(),
            actions: VecDeque::new(),
            service_is_gone: false,
        }
    }

    /// What was done, and lost.
    #[must_use]
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.shared.traffic)
    }

    /// A peer has said who it is.
    pub fn identified(&mut self, peer: PeerId, agent: &str, protocols: &[StreamProtocol]) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        let claims = Claims::new(agent, protocols);
        let has_channels = !claims.channels.is_empty();
        state.claims = Some(claims);
        if has_channels {
            self.advance(peer);
        } else {
            self.estrange(peer, "it offers none of CometBFT's channels on libp2p");
        }
    }

    /// A peer has asked who we are, and been told.
    pub fn introduced(&mut self, peer: PeerId) {
        if let Some(state) = self.peers.get_mut(&peer) {
            state.knows_us = true;
            self.advance(peer);
        }
    }

    /// Tells the service of a connection that failed before this behaviour saw it.
    pub fn refused(&mut self, address: &str, direction: Direction, reason: String) {
        self.shared.traffic.refused_connection();
        self.notices.refuse(Event::Refused { address: address.into(), direction, reason });
    }

    fn advance(&mut self, peer: PeerId) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        if state.stage != Stage::Introducing || !state.is_introduced() {
            return;
        }
        match state.direction() {
            Direction::Inbound => self.announce(peer),
            Direction::Outbound => {
                state.stage = Stage::Settling;
                let session = state.link.session();
                self.set_timer(SETTLING, peer, session);
            }
        }
    }

    fn announce(&mut self, peer: PeerId) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        state.stage = Stage::Announced;
        self.sessions.insert(state.link.session(), peer);
        self.notices.begin(state.connected(&peer.to_string()), Arc::clone(&state.link));
    }

    fn estrange(&mut self, peer: PeerId, reason: &'static str) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        if state.stage != Stage::Announced {
            state.stage = Stage::Stranger;
            let (address, direction) = (state.address().clone(), state.direction());
            self.actions.push_back(ToSwarm::GenerateEvent(Signal::Stranger { peer, address, direction, reason }));
        }
    }

    fn set_timer(&self, after: Duration, peer: PeerId, session: Session) {
        self.timers.push(tokio::time::sleep(after).map(move |()| (peer, session)).boxed());
    }

    fn on_timer(&mut self, peer: PeerId, session: Session) {
        let Some(state) = self.peers.get(&peer).filter(|state| state.link.session() == session) else { return };
        match state.stage {
            Stage::Settling => self.announce(peer),
            // It has not asked for our address: whoever does not need it may go on.
            Stage::Introducing if state.claims.is_some() => self.announce(peer),
            Stage::Introducing => self.estrange(peer, "it has not said what it is (libp2p identify) within 10 s"),
            Stage::Announced | Stage::Stranger => {}
        }
    }

    /// A handler for a connection, which may be the peer's first.
    fn admit(&mut self, connection: ConnectionId, peer: PeerId, direction: Direction, address: &Multiaddr) -> Handler {
        let is_new = !self.peers.contains_key(&peer);
        let state = self.peers.entry(peer).or_insert_with(|| {
            self.sessions_begun += 1;
            let link = Link::new(Session(self.sessions_begun), Arc::clone(&self.shared));
            PeerState::new(link, direction, address.clone())
        });
        state.connections.push(connection);
        let link = Arc::clone(&state.link);
        if is_new {
            self.set_timer(INTRODUCTION_TIMEOUT, peer, link.session());
        }
        Handler::new(connection, link)
    }

    /// A connection is no more, if it was one of ours; with the last one the session ends.
    fn forget(&mut self, peer: PeerId, connection: ConnectionId, reason: &str) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        state.connections.retain(|each| *each != connection);
        if !state.connections.is_empty() {
            return;
        }
        let Some(state) = self.peers.remove(&peer) else { return };
        state.link.close();
        self.sessions.remove(&state.link.session());
        let reason = state.closing.clone().unwrap_or_else(|| reason.into());
        match state.stage {
            Stage::Announced => self.notices.end(Event::Closed { session: state.link.session(), reason }),
            Stage::Introducing | Stage::Settling => {
                self.refused(&state.address().to_string(), state.direction(), reason)
            }
            Stage::Stranger => {}
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Send { session, channel, payload, done } => {
                match self.sessions.get(&session).and_then(|peer| self.peers.get(peer)) {
                    Some(state) => state.link.send(channel, payload, done),
                    None => {
                        // The sender may have stopped waiting.
                        let _ = done.send(Err(SendError::Closed));
                    }
                }
            }
            Command::Close { session, reason } => {
                if let Some(&peer) = self.sessions.get(&session)
                    && let Some(state) = self.peers.get_mut(&peer)
                {
                    state.closing.get_or_insert(reason);
                    self.actions
                        .push_back(ToSwarm::CloseConnection { peer_id: peer, connection: CloseConnection::All });
                }
            }
        }
    }

    fn leave(&mut self) -> Poll<ToSwarm<Signal, Infallible>> {
        self.service_is_gone = true;
        Poll::Ready(ToSwarm::GenerateEvent(Signal::ServiceGone))
    }
}

/// The cause of an error that libp2p has wrapped, several times as a rule.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |each| each.source()).last().unwrap_or(error).to_string()
}

/// Why a connection ended, for the operator.
fn words(cause: Option<&ConnectionError>) -> String {
    match cause {
        None => "closed".into(),
        Some(ConnectionError::KeepAliveTimeout) => "nothing was going on".into(),
        Some(ConnectionError::IO(error)) => match innermost(error) {
            // A node closes with code 0, and gives no reason.
            closed if closed.contains("closed by peer") => {
                "the peer closed the connection; its log says why (a node does so for a message that it cannot read)"
                    .into()
            }
            other => other,
        },
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Signal;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        match &self.accept {
            Accept::Only(peers) if !peers.contains(&peer) => Err(ConnectionDenied::new(NotExpected { peer })),
            _ => Ok(self.admit(connection, peer, Direction::Inbound, remote)),
        }
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.admit(connection, peer, Direction::Outbound, address))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, cause, .. }) => {
                self.forget(peer_id, connection_id, &words(cause));
            }
            // Admitted here, then denied by another behaviour.
            FromSwarm::DialFailure(DialFailure { peer_id: Some(peer), connection_id, .. })
            | FromSwarm::ListenFailure(ListenFailure { peer_id: Some(peer), connection_id, .. }) => {
                self.forget(peer, connection_id, "another rule denied the connection");
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        while let Poll::Ready(Some((peer, session))) = self.timers.poll_next_unpin(cx) {
            self.on_timer(peer, session);
        }
        if !self.service_is_gone {
            if self.notices.poll(cx).is_ready() {
                return self.leave();
            }
            while let Poll::Ready(command) = self.commands.poll_recv(cx) {
                let Some(command) = command else { return self.leave() };
                self.obey(command);
            }
        }
        self.actions.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}
