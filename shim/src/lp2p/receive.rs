//! One message on its way in: read from its stream, handed to the service, and only then receipted.
//!
//! A stream is accepted at once, whatever the service is doing, because a node waits for that; it is read while the
//! connection has room; and its receipt waits until the service has the message. So a slow service makes its
//! peers run out of streams, which is how libp2p slows a sender down.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use libp2p::Stream;
use libp2p::core::upgrade::{InboundUpgrade, UpgradeInfo};
use libp2p::futures::future::{Ready, ready};
use libp2p::futures::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::budget::{Charge, charged};
use super::channel::{ChannelProtocol, PROTOCOLS};
use super::frame::{Incoming, Progress};
use super::link::{Link, Shared};
use super::refusal::Refusal;
use super::traffic::{Loss, Traffic};
use crate::peering::Channel;

/// How long a refusal may take to be written; it is one byte.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// Accepts a stream of a channel, and leaves the reading to the handler: agreeing on the protocol has its own, short, time limit.
#[derive(Clone, Copy, Debug)]
pub struct Accepted;

impl UpgradeInfo for Accepted {
    type Info = ChannelProtocol;
    type InfoIter = std::array::IntoIter<ChannelProtocol, 9>;

    fn protocol_info(&self) -> Self::InfoIter {
        PROTOCOLS.into_iter()
    }
}

impl InboundUpgrade<Stream> for Accepted {
    type Output = (Stream, Channel);
    type Error = Infallible;
    type Future = Ready<Result<(Stream, Channel), Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: ChannelProtocol) -> Self::Future {
        ready(Ok((stream, protocol.channel)))
    }
}

/// Receives one message from an accepted stream; its claim is held against `room`, the bytes that the connection may still claim.
pub(super) async fn receive(link: Arc<Link>, room: Arc<Semaphore>, mut stream: Stream, channel: Channel) {
    let shared = link.shared();
    let mut fate = Fate { traffic: &shared.traffic, channel, loss: Some(Loss::CutOff) };
    match read_message(&mut stream, shared.receive_bytes_max(channel), &room, shared).await {
        Ok(payload) => {
            let bytes = payload.len();
            if link.deliver(channel, payload).await {
                fate.loss = None;
                shared.traffic.received(channel, bytes);
                // The message is here; whether the receipt arrives is the sender's affair.
                let _ = stream.close().await;
            }
        }
        Err(loss) => {
            fate.loss = Some(loss);
            refuse(stream, loss).await;
        }
    }
}

/// Counts a message as lost unless it was handed over, even when the connection ends in the middle.
struct Fate<'a> {
    traffic: &'a Traffic,
    channel: Channel,
    loss: Option<Loss>,
}

impl Drop for Fate<'_> {
    fn drop(&mut self) {
        if let Some(loss) = self.loss {
            self.traffic.lost(self.channel, loss);
        }
    }
}

/// Reads one message of at most `limit` bytes. Its claim is held against `room` before its payload is read, so that messages of one
/// connection wait for each other; the budget is charged with what arrives, so that no claim takes memory from other peers.
async fn read_message(
    stream: &mut (impl AsyncRead + Unpin),
    limit: usize,
    room: &Arc<Semaphore>,
    shared: &Shared,
) -> Result<Bytes, Loss> {
    let mut incoming = Incoming::new(limit);
    let mut charge = Charge::none(&shared.budget);
    let mut permit: Option<OwnedSemaphorePermit> = None;
    let mut since = Instant::now();
    loop {
        let deadline = since + shared.allowance(incoming.arrived());
        let count = match timeout_at(deadline, stream.read(incoming.space())).await {
            Ok(Ok(0) | Err(_)) => return Err(Loss::Truncated),
            Ok(Ok(count)) => count,
            Err(_) => return Err(Loss::TooSlow),
        };
        let progress = incoming.advance(count).map_err(|_| Loss::Malformed)?;
        if let (None, Some(claimed)) = (&permit, incoming.claimed()) {
            let claimed = u32::try_from(claimed).map_err(|_| Loss::Malformed)?;
            permit = Some(Arc::clone(room).acquire_many_owned(claimed).await.map_err(|_| Loss::CutOff)?);
            // Waiting for room was not the sender's fault.
            since = Instant::now();
        }
        // Room for what comes next, before it is read.
        incoming.space();
        if !charge.raise(incoming.held()) {
            return Err(Loss::NoRoom);
        }
        if progress == Progress::Whole
            && let Some(permit) = permit.take()
        {
            let (buffer, payload) = incoming.finish().map_err(|_| Loss::Truncated)?;
            return Ok(charged(buffer, payload, charge, permit));
        }
    }
}

/// Says why a message was not taken: an empty close would be a receipt.
async fn refuse(mut stream: Stream, loss: Loss) {
    let refusal = match loss {
        Loss::TooSlow => Refusal::TooSlow,
        Loss::NoRoom => Refusal::NoRoom,
        _ => Refusal::Unacceptable,
    };
    let said = async {
        stream.write_all(&[refusal as u8]).await?;
        stream.close().await
    };
    // A sender that does not hear it has stopped listening, or is gone.
    let _ = timeout(REFUSAL_TIMEOUT, said).await;
}
