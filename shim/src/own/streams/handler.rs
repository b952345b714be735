//! The streams of one connection.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use libp2p::Stream;
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound, StreamUpgradeError,
};
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol};
use tokio::sync::oneshot;

use crate::own::protocol::Protocol;

use super::slots::{ConnectionSlots, Permit};
use super::upgrade::{Accept, Ask};

/// Streams of ours that may wait to be opened.
const WAITING_MAX: usize = 64;

/// How long the agreement on a stream's protocol may take.
const OPEN_TIME: Duration = Duration::from_secs(10);

/// What a peer opened.
#[derive(Debug)]
pub enum Inbound {
    /// A stream that is served while the permit lives.
    Admitted(Protocol, Stream, Permit),
    /// A stream that is refused in words: too many are served.
    Refused(Protocol, Stream, Permit),
    /// A stream that was dropped: too many are being refused.
    Dropped(Protocol),
}

/// Why a stream could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The peer does not speak the protocol.
    #[error("the peer does not speak {}", protocol.name())]
    Unsupported {
        /// The protocol asked for.
        protocol: Protocol,
    },
    /// The peer did not answer in time.
    #[error("the peer did not open a stream for {} within {} s", protocol.name(), OPEN_TIME.as_secs())]
    TimedOut {
        /// The protocol asked for.
        protocol: Protocol,
    },
    /// Too many streams wait to be opened on the connection.
    #[error("{WAITING_MAX} streams wait to be opened on the connection")]
    TooMany,
    /// The connection is over.
    #[error("the connection is over")]
    Closed,
    /// The connection broke.
    #[error("the connection broke: {source}")]
    Broken {
        /// Why.
        source: io::Error,
    },
}

/// Hears whether a stream of ours was opened.
pub(super) type Opened = oneshot::Sender<Result<Stream, OpenError>>;

/// What the behaviour asks of a connection.
#[derive(Debug)]
pub enum Ordered {
    /// Open a stream.
    Open(Protocol, Opened),
    /// Accept these protocols from now on.
    Accept(Arc<[Protocol]>),
    /// Keep the connection though no stream is open, or do not.
    Keep(bool),
}

/// The streams of one connection.
#[derive(Debug)]
pub struct Handler {
    accepted: Arc<[Protocol]>,
    slots: ConnectionSlots,
    is_kept: bool,
    waiting: VecDeque<(Protocol, Opened)>,
    inbound: VecDeque<Inbound>,
    waker: Option<Waker>,
}

impl Handler {
    pub(super) const fn new(accepted: Arc<[Protocol]>, slots: ConnectionSlots) -> Self {
        Self { accepted, slots, is_kept: false, waiting: VecDeque::new(), inbound: VecDeque::new(), waker: None }
    }

    /// Decides about a stream at once: the queue holds what the next poll takes, and nothing is read from it here.
    fn receive(&mut self, protocol: Protocol, stream: Stream) {
        let inbound = if let Some(permit) = self.slots.admit(protocol) {
            Inbound::Admitted(protocol, stream, permit)
        } else if let Some(permit) = self.slots.refuse() {
            Inbound::Refused(protocol, stream, permit)
        } else {
            Inbound::Dropped(protocol)
        };
        self.inbound.push_back(inbound);
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Ordered;
    type ToBehaviour = Inbound;
    type InboundProtocol = Accept;
    type OutboundProtocol = Ask;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = (Protocol, Opened);

    fn listen_protocol(&self) -> SubstreamProtocol<Accept> {
        SubstreamProtocol::new(Accept(Arc::clone(&self.accepted)), ()).with_timeout(OPEN_TIME)
    }

    fn connection_keep_alive(&self) -> bool {
        self.is_kept
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Ask, (Protocol, Opened), Inbound>> {
        if let Some(inbound) = self.inbound.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(inbound));
        }
        if let Some((protocol, opened)) = self.waiting.pop_front() {
            let protocol = SubstreamProtocol::new(Ask(protocol), (protocol, opened)).with_timeout(OPEN_TIME);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, order: Ordered) {
        match order {
            Ordered::Open(_, opened) if self.waiting.len() >= WAITING_MAX => {
                // Whoever gave up asking does not need to hear of it.
                let _ = opened.send(Err(OpenError::TooMany));
            }
            Ordered::Open(protocol, opened) => self.waiting.push_back((protocol, opened)),
            Ordered::Accept(protocols) => self.accepted = protocols,
            Ordered::Keep(is_kept) => self.is_kept = is_kept,
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Accept, Ask, (), (Protocol, Opened)>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (protocol, stream), ..
            }) => {
                self.receive(protocol, stream);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, info: (_, opened) }) => {
                // A stream that nobody waits for any more ends here.
                let _ = opened.send(Ok(protocol));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: (protocol, opened), error }) => {
                let error = match error {
                    StreamUpgradeError::Timeout => OpenError::TimedOut { protocol },
                    StreamUpgradeError::NegotiationFailed => OpenError::Unsupported { protocol },
                    StreamUpgradeError::Io(source) => OpenError::Broken { source },
                    StreamUpgradeError::Apply(never) => match never {},
                };
                let _ = opened.send(Err(error));
            }
            _ => {}
        }
    }
}
