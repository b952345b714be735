//! One connection to a peer: opens a stream for every message that is to go, takes every stream that comes.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use libp2p::futures::future::BoxFuture;
use libp2p::futures::stream::FuturesUnordered;
use libp2p::futures::{FutureExt, StreamExt};
use libp2p::swarm::handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, ConnectionId, SubstreamProtocol};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep, sleep_until};

use super::channel::PROTOCOLS;
use super::link::{Link, UnderWay};
use super::receive::{Accepted, receive};
use super::refusal::Setback;
use super::send::Send;

/// The handler of one connection.
#[derive(Debug)]
pub struct Handler {
    connection: ConnectionId,
    link: Arc<Link>,
    /// Bytes that this connection may still claim with incoming messages: at least one of the largest.
    room: Arc<Semaphore>,
    /// Messages that are arriving: no more than QUIC allows the peer streams.
    incoming: FuturesUnordered<BoxFuture<'static, ()>>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Handler {
    pub(super) fn new(connection: ConnectionId, link: Arc<Link>) -> Self {
        let largest =
            PROTOCOLS.iter().map(|each| link.shared().receive_bytes_max(each.channel)).max().unwrap_or_default();
        Self {
            connection,
            link,
            room: Arc::new(Semaphore::new(largest)),
            incoming: FuturesUnordered::new(),
            pause: None,
        }
    }

    /// True when the moment has come; otherwise the task is woken then.
    fn is_over(&mut self, moment: Instant, cx: &mut Context<'_>) -> bool {
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep_until(moment)));
        if pause.deadline() != moment {
            pause.as_mut().reset(moment);
        }
        pause.as_mut().poll(cx).is_ready()
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Infallible;
    type InboundProtocol = Accepted;
    type OutboundProtocol = Send;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = UnderWay;

    fn listen_protocol(&self) -> SubstreamProtocol<Accepted> {
        SubstreamProtocol::new(Accepted, ())
    }

    fn connection_keep_alive(&self) -> bool {
        self.link.is_announced()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Send, UnderWay, Infallible>> {
        while let Poll::Ready(Some(())) = self.incoming.poll_next_unpin(cx) {}
        loop {
            let under_way = match self.link.next(self.connection, cx.waker()) {
                Ok(under_way) => under_way,
                Err(Some(moment)) if self.is_over(moment, cx) => continue,
                Err(_) => return Poll::Pending,
            };
            let Some(message) = under_way.message() else { continue };
            let send = Send { protocol: message.protocol, payload: message.payload.clone() };
            let timeout = message.deadline.saturating_duration_since(Instant::now());
            let protocol = SubstreamProtocol::new(send, under_way).with_timeout(timeout);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Accepted, Send, (), UnderWay>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: (stream, channel), .. }) => {
                let link = Arc::clone(&self.link);
                self.incoming.push(receive(link, Arc::clone(&self.room), stream, channel).boxed());
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { info, .. }) => info.delivered(),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error }) => info.failed(Setback::of(&error)),
            _ => {}
        }
    }
}
