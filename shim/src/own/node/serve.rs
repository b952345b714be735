//! Blocks for peers.

use std::sync::Arc;

use libp2p::Stream;
use libp2p::futures::AsyncWriteExt;
use proto::hello::Version;
use proto::wire::blocks2;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::own::blocks::{Code, Refusal, Sender, one, refusal_frame};
use crate::own::framing::{self, FramingError};
use crate::own::limits::{IDLE, REQUEST_BYTES_MAX};
use crate::own::protocol::Protocol;
use crate::own::streams::Permit;

use super::event::Refused;
use super::session::Session;
use super::shared::Shared;

/// Frames that are made ahead of the one that is being sent.
const FRAMES_AHEAD: usize = 2;

/// Serves a stream of a version of the block exchange while the permit lives.
pub(super) async fn serve(
    shared: Arc<Shared>,
    session: Arc<Session>,
    version: Version,
    stream: Stream,
    _place: Permit,
) {
    let outcome = match version {
        Version::ONE => serve_one(&shared, &session, stream).await,
        _ => serve_two(&shared, &session, stream).await,
    };
    let protocol = Protocol::of_blocks(version).unwrap_or(Protocol::Blocks2);
    match outcome {
        Ok(()) | Err(FramingError::Ended) => {}
        Err(error) if error.is_misbehaviour() => {
            shared.misbehaved(&session, protocol, "bad_message", error.to_string()).await;
        }
        Err(_) => shared.counters.count(protocol.short(), &session.agent(), "broken"),
    }
}

/// Says that too many streams are served.
pub(super) async fn busy(
    shared: Arc<Shared>,
    session: Arc<Session>,
    protocol: Protocol,
    stream: Stream,
    _place: Permit,
) {
    let refusal = Refusal::new(Code::Busy, "too many streams are served at present; ask again later, or use fewer");
    refuse(&shared, &session, protocol, stream, &refusal).await;
}

async fn refuse(shared: &Shared, session: &Session, protocol: Protocol, mut stream: Stream, refusal: &Refusal) {
    shared.refused(session, protocol, Refused::Peer, refusal.name(), refusal.reason.clone());
    let message = match protocol {
        Protocol::Blocks1 => one::refuse(refusal),
        Protocol::Blocks2 => refusal_frame(refusal),
        // These have no words for it; the end of the stream says it.
        Protocol::Hello | Protocol::Attest | Protocol::Relay => return,
    };
    // Whether a refused peer hears of it is its own affair.
    let _ = framing::write(&mut stream, &message).await;
    let _ = stream.close().await;
}

/// Why a version is not served to a peer, if it is not.
async fn check_agreement(session: &Session, version: Version) -> Result<(), Refusal> {
    let reason = match session.negotiated().await {
        Some(Ok(agreement)) => match agreement.serve {
            Ok(agreed) if agreed == version => return Ok(()),
            Ok(agreed) => format!("blocks/{version} was asked for, but the hellos agreed on blocks/{agreed}; use that"),
            Err(reason) => reason.to_string(),
        },
        Some(Err(incompatible)) => incompatible.mirrored().to_string(),
        None => format!("no hello came; greet by {} first", Protocol::Hello.name()),
    };
    Err(Refusal::new(Code::NoAgreement, reason))
}

async fn serve_one(shared: &Arc<Shared>, session: &Session, mut stream: Stream) -> Result<(), FramingError> {
    loop {
        let request = framing::read(&mut stream, REQUEST_BYTES_MAX, IDLE).await?;
        if let Err(refusal) = check_agreement(session, Version::ONE).await {
            refuse(shared, session, Protocol::Blocks1, stream, &refusal).await;
            return Ok(());
        }
        let source = Arc::clone(&shared.source);
        let answer = spawn_blocking(move || one::answer(&request, &*source)).await;
        let response = match answer.unwrap_or_else(|_| Err(panicked())) {
            Ok(response) => {
                shared.counters.count(Protocol::Blocks1.short(), &session.agent(), "blocks_served");
                response
            }
            Err((response, refusal)) => {
                shared.refused(session, Protocol::Blocks1, Refused::Peer, refusal.name(), refusal.reason);
                response
            }
        };
        framing::write(&mut stream, &response).await?;
    }
}

/// The response when reading a block ended in a panic, which is the source's fault and no other stream's.
fn panicked() -> (Vec<u8>, Refusal) {
    let refusal = Refusal::new(Code::Source, "the block could not be read");
    (one::refuse(&refusal), refusal)
}

async fn serve_two(shared: &Arc<Shared>, session: &Session, mut stream: Stream) -> Result<(), FramingError> {
    let request = framing::read(&mut stream, REQUEST_BYTES_MAX, IDLE).await?;
    let sender = match check_agreement(session, Version::TWO).await.and_then(|()| sender(shared, &request)) {
        Ok(sender) => sender,
        Err(refusal) => {
            refuse(shared, session, Protocol::Blocks2, stream, &refusal).await;
            return Ok(());
        }
    };
    let (frames, mut made) = mpsc::channel(FRAMES_AHEAD);
    let source = Arc::clone(&shared.source);
    let making = spawn_blocking(move || make_frames(sender, &*source, &frames));
    while let Some(frame) = made.recv().await {
        framing::write(&mut stream, &frame).await?;
    }
    let refusal = making.await.unwrap_or_else(|_| Some(panicked().1));
    match refusal {
        Some(refusal) => shared.refused(session, Protocol::Blocks2, Refused::Peer, refusal.name(), refusal.reason),
        None => shared.counters.count(Protocol::Blocks2.short(), &session.agent(), "streams_served"),
    }
    let closed = stream.close().await;
    closed.map_err(|source| FramingError::Broken { source })
}

fn sender(shared: &Shared, request: &[u8]) -> Result<Sender, Refusal> {
    let malformed = |_| Refusal::new(Code::BadRequest, "the request does not decode");
    let request = <blocks2::Request as prost::Message>::decode(request).map_err(malformed)?;
    Sender::new(&request, shared.source.offer())
}

/// Makes frames until all are made or nobody takes them any more; the refusal that ended them, if one did.
fn make_frames(
    mut sender: Sender,
    source: &dyn crate::source::BlockSource,
    frames: &mpsc::Sender<Vec<u8>>,
) -> Option<Refusal> {
    while let Some(frame) = sender.next_frame(source) {
        if frames.blocking_send(frame).is_err() {
            return None;
        }
    }
    sender.into_refusal()
}
