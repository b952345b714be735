//! The network behaviour: hands inbound streams to the node, and opens outbound ones.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::behaviour::ConnectionEstablished;
use libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, Stream};
use tokio::sync::oneshot;

use crate::own::protocol::Protocol;

use super::handler::{Handler, Inbound, OpenError, Ordered};
use super::slots::Slots;

/// A stream that a peer opened.
#[derive(Debug)]
pub struct Event {
    /// Whose.
    pub peer: PeerId,
    /// On which connection.
    pub connection: ConnectionId,
    /// The stream and what was decided about it.
    pub inbound: Inbound,
}

/// The streams of all connections.
#[derive(Debug)]
pub struct Behaviour {
    accepted: Arc<[Protocol]>,
    slots: Slots,
    connections: HashMap<ConnectionId, PeerId>,
    /// Taken by the swarm before it looks at the connections again.
    queue: VecDeque<ToSwarm<Event, Ordered>>,
}

impl Behaviour {
    /// A behaviour that accepts some protocols.
    pub fn new(accepted: impl Into<Arc<[Protocol]>>) -> Self {
        Self { accepted: accepted.into(), slots: Slots::default(), connections: HashMap::new(), queue: VecDeque::new() }
    }

    /// Accepts these protocols from now on, on all connections.
    pub fn set_accepted(&mut self, accepted: &[Protocol]) {
        if *self.accepted == *accepted {
            return;
        }
        self.accepted = accepted.into();
        let connections: Vec<ConnectionId> = self.connections.keys().copied().collect();
        for connection in connections {
            self.order(connection, Ordered::Accept(Arc::clone(&self.accepted)));
        }
    }

    /// Opens a stream; the outcome goes to `opened`.
    pub fn open(
        &mut self,
        connection: ConnectionId,
        protocol: Protocol,
        opened: oneshot::Sender<Result<Stream, OpenError>>,
    ) {
        // A connection that is over drops the sender, which tells as much.
        self.order(connection, Ordered::Open(protocol, opened));
    }

    /// Keeps a connection though no stream is open on it, or does not.
    pub fn keep(&mut self, connection: ConnectionId, is_kept: bool) {
        self.order(connection, Ordered::Keep(is_kept));
    }

    fn order(&mut self, connection: ConnectionId, event: Ordered) {
        if let Some(peer_id) = self.connections.get(&connection).copied() {
            self.queue.push_back(ToSwarm::NotifyHandler { peer_id, handler: NotifyHandler::One(connection), event });
        }
    }

    fn handler(&self) -> Handler {
        Handler::new(Arc::clone(&self.accepted), self.slots.of_connection())
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(self.handler())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(self.handler())
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, .. }) => {
                self.connections.insert(connection_id, peer_id);
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => {
                self.connections.remove(&connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, inbound: THandlerOutEvent<Self>) {
        self.queue.push_back(ToSwarm::GenerateEvent(Event { peer, connection, inbound }));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Event, THandlerInEvent<Self>>> {
        // Whoever fills the queue has the swarm polled afterwards: its connections, or the node between two polls.
        self.queue.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}
