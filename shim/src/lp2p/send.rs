//! One message on its way out: a stream of its own, and the wait for the receipt.
//!
//! The receipt is the peer closing its half of the stream without a byte, which it does when it has read the payload.
//! Without the wait a part of a burst is lost unnoticed: the peer refuses streams that the sender has already
//! written and forgotten.

use std::iter;

use bytes::Bytes;
use libp2p::Stream;
use libp2p::core::upgrade::{OutboundUpgrade, UpgradeInfo};
use libp2p::futures::future::BoxFuture;
use libp2p::futures::{AsyncReadExt, AsyncWriteExt};

use super::channel::ChannelProtocol;
use super::frame;
use super::refusal::{Refusal, Setback};

/// Payloads up to this size go out in one write with their length.
const ONE_WRITE_BYTES_MAX: usize = 16 << 10;

/// Sends one message.
#[derive(Debug)]
pub struct Send {
    pub(super) protocol: ChannelProtocol,
    pub(super) payload: Bytes,
}

impl UpgradeInfo for Send {
    type Info = ChannelProtocol;
    type InfoIter = iter::Once<ChannelProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        iter::once(self.protocol)
    }
}

impl OutboundUpgrade<Stream> for Send {
    type Output = ();
    type Error = Setback;
    type Future = BoxFuture<'static, Result<(), Setback>>;

    fn upgrade_outbound(self, stream: Stream, _: ChannelProtocol) -> Self::Future {
        Box::pin(async move { self.run(stream).await })
    }
}

impl Send {
    async fn run(self, mut stream: Stream) -> Result<(), Setback> {
        let written = self.write(&mut stream).await.map_err(|error| Setback::from(&error));
        if written == Err(Setback::Lost) {
            return Err(Setback::Lost);
        }
        // A peer that stops reading in the middle may have said why.
        let mut answer = [0u8; 1];
        match stream.read(&mut answer).await {
            Ok(0) => written,
            Ok(_) if answer[0] == Refusal::NoRoom as u8 => Err(Setback::Busy),
            Ok(_) => Err(Setback::Refused),
            Err(error) => Err(Setback::from(&error)),
        }
    }

    async fn write(&self, stream: &mut Stream) -> std::io::Result<()> {
        let mut prefix = frame::prefix(self.payload.len());
        if self.payload.len() <= ONE_WRITE_BYTES_MAX {
            prefix.extend_from_slice(&self.payload);
            stream.write_all(&prefix).await?;
        } else {
            stream.write_all(&prefix).await?;
            stream.write_all(&self.payload).await?;
        }
        stream.close().await
    }
}
