//! Which name was agreed upon: the stream itself is handed on untouched.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;

use libp2p::Stream;
use libp2p::core::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};

use crate::own::protocol::Protocol;

/// Takes any of some protocols.
#[derive(Clone, Debug)]
pub struct Accept(pub(super) Arc<[Protocol]>);

/// Asks for one protocol.
#[derive(Clone, Copy, Debug)]
pub struct Ask(pub(super) Protocol);

impl UpgradeInfo for Accept {
    type Info = Protocol;
    type InfoIter = Vec<Protocol>;

    fn protocol_info(&self) -> Vec<Protocol> {
        self.0.to_vec()
    }
}

impl InboundUpgrade<Stream> for Accept {
    type Output = (Protocol, Stream);
    type Error = Infallible;
    type Future = Ready<Result<(Protocol, Stream), Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: Protocol) -> Self::Future {
        ready(Ok((protocol, stream)))
    }
}

impl UpgradeInfo for Ask {
    type Info = Protocol;
    type InfoIter = std::iter::Once<Protocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        std::iter::once(self.0)
    }
}

impl OutboundUpgrade<Stream> for Ask {
    type Output = Stream;
    type Error = Infallible;
    type Future = Ready<Result<Stream, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, _: Protocol) -> Self::Future {
        ready(Ok(stream))
    }
}
