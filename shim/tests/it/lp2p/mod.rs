//! Two of our own libp2p transports with each other, and one against peers that do as they like.

mod hostile;
mod pair;
pub mod raw;
mod reset;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use libp2p::multiaddr::Protocol;
use shim::lp2p::{Accept, Config, Identity, Options, Release, Target, Transport};
use shim::peering::{Channel, Event, Outbox, Peer, Session};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A transport and the service above it, in the hands of a test.
pub struct End {
    pub transport: Transport,
    pub outbox: Outbox,
    pub events: mpsc::Receiver<Event>,
}

impl End {
    pub async fn start() -> Self {
        Self::with(Options { patience: PATIENCE, ..Options::new(Release::V0_40, Accept::Anyone) }).await
    }

    pub async fn with(options: Options) -> Self {
        let config = Config {
            identity: Identity::fresh(),
            listen: "127.0.0.1:0".parse().unwrap(),
            advertise: None,
            agent: "test".into(),
            inbound_connections_max: 64,
            options,
        };
        let (transport, outbox, events) = Transport::start(config).await.unwrap();
        Self { transport, outbox, events }
    }

    pub fn address(&self) -> SocketAddr {
        let parts: Vec<_> = self.transport.listeners()[0].iter().collect();
        match parts[..] {
            [Protocol::Ip4(ip), Protocol::Udp(port), Protocol::QuicV1] => (ip, port).into(),
            _ => panic!("{parts:?} is not a QUIC listener"),
        }
    }

    pub fn target(&self) -> Target {
        Target { host: "127.0.0.1".into(), port: self.address().port(), peer: self.transport.peer_id() }
    }

    pub async fn event(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv()).await.expect("an event in time").expect("the transport runs")
    }

    pub async fn connected(&mut self) -> (Session, Peer) {
        match self.event().await {
            Event::Connected { session, peer } => (session, peer),
            other => panic!("{other:?} instead of a session"),
        }
    }

    pub async fn message(&mut self) -> (Session, Channel, Bytes) {
        match self.event().await {
            Event::Message { session, channel, payload } => (session, channel, payload),
            other => panic!("{other:?} instead of a message"),
        }
    }

    pub async fn closed(&mut self) -> String {
        match self.event().await {
            Event::Closed { reason, .. } => reason,
            other => panic!("{other:?} instead of the end of a session"),
        }
    }

    pub async fn refused(&mut self) -> String {
        match self.event().await {
            Event::Refused { reason, .. } => reason,
            other => panic!("{other:?} instead of a refusal"),
        }
    }
}

/// Two ends with a session between them; the first dialled.
pub async fn pair() -> (End, Session, End, Session) {
    let (mut one, mut other) = (End::start().await, End::start().await);
    one.transport.dial(other.target()).await.unwrap();
    let (at_one, _) = one.connected().await;
    let (at_other, _) = other.connected().await;
    (one, at_one, other, at_other)
}
