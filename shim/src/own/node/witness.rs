//! Attestations, over streams.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use libp2p::futures::AsyncWriteExt;
use libp2p::{PeerId, Stream};

use crate::own::attest::{Code, Judged, Reply, Verdict, attestation, read_attestation};
use crate::own::framing::{self, FramingError};
use crate::own::limits::ATTEST_BYTES_MAX;
use crate::own::protocol::Protocol;
use crate::own::streams::Permit;

use super::event::{Event, Refused};
use super::session::Session;
use super::shared::Shared;

/// How long an attestation or its reply may be in coming.
const IDLE: Duration = Duration::from_secs(10);

/// Sends the newest checkpoint of this node that is due to a peer, if there is one.
pub(super) async fn send_newest(shared: &Arc<Shared>, session: &Arc<Session>, every: NonZeroU64) {
    let newest = shared.book().and_then(|book| book.newest(every).map(str::to_owned));
    if let Some(note) = newest {
        send(shared, session, every, &note).await;
    }
}

async fn send(shared: &Shared, session: &Session, every: NonZeroU64, note: &str) {
    let exchange = async {
        let mut stream = shared.open(session.connection, Protocol::Attest).await.map_err(|error| error.to_string())?;
        let whole = async {
            framing::write(&mut stream, &attestation(note)).await?;
            framing::read(&mut stream, ATTEST_BYTES_MAX, IDLE).await
        };
        let reply = whole.await.map_err(|error: FramingError| error.to_string())?;
        Reply::decode(reply).map_err(|error| error.to_string())
    };
    match exchange.await {
        Ok(reply) => take_reply(shared, session, every, &reply).await,
        Err(reason) => shared.refused(session, Protocol::Attest, Refused::Us, "unanswered", reason),
    }
}

/// Takes a reply. What it claims counts only as far as the note in it shows it.
async fn take_reply(shared: &Shared, session: &Session, every: NonZeroU64, reply: &Reply) {
    match reply.code {
        Code::Different => {
            let judged = shared.book().map(|mut book| book.judge(&reply.note, every));
            tell(shared, session, judged).await;
        }
        Code::Refused => {
            shared.refused(session, Protocol::Attest, Refused::Us, "refused_by_peer", reply.reason.clone())
        }
        _ => shared.counters.count(Protocol::Attest.short(), &session.agent(), "sent"),
    }
}

/// Takes an attestation on a stream that the peer opened, and replies.
pub(super) async fn answer(shared: Arc<Shared>, session: Arc<Session>, mut stream: Stream, _place: Permit) {
    let bytes = match framing::read(&mut stream, ATTEST_BYTES_MAX, IDLE).await {
        Ok(bytes) => bytes,
        Err(error) if error.is_misbehaviour() => {
            return shared.misbehaved(&session, Protocol::Attest, "bad_message", error.to_string()).await;
        }
        Err(_) => return shared.counters.count(Protocol::Attest.short(), &session.agent(), "broken"),
    };
    let judged = match read_attestation(bytes) {
        Ok(note) => judge(&shared, &session, &note).await,
        Err(error) => return shared.misbehaved(&session, Protocol::Attest, "malformed", error.to_string()).await,
    };
    // A reply that does not arrive changes nothing: what was judged is kept.
    let _ = framing::write(&mut stream, &Reply::of(&judged.verdict).encode()).await;
    let _ = stream.close().await;
    tell(&shared, &session, Some(judged)).await;
}

async fn judge(shared: &Shared, session: &Session, note: &[u8]) -> Judged {
    let refused = |reason: &str| {
        let verdict = Verdict::Refused { reason: reason.to_owned() };
        Judged { verdict, signer: None, height: None }
    };
    let every = match session.negotiated().await {
        Some(Ok(agreement)) => agreement.attest_every,
        _ => return refused("the hellos did not agree"),
    };
    match (every, shared.book()) {
        (Some(every), Some(mut book)) => book.judge(note, every),
        _ => refused("the hellos agreed on no attestations"),
    }
}

async fn tell(shared: &Shared, session: &Session, judged: Option<Judged>) {
    match judged {
        Some(Judged { verdict: Verdict::Refused { reason }, .. }) => {
            shared.misbehaved(session, Protocol::Attest, "refused", reason).await;
        }
        Some(judged) => settle(shared, Some(session.peer), &session.agent(), judged),
        None => {}
    }
}

/// Counts and tells what comes of an attestation.
pub(super) fn settle(shared: &Shared, peer: Option<PeerId>, agent: &str, judged: Judged) {
    let Judged { verdict, signer, height } = judged;
    shared.counters.count(Protocol::Attest.short(), agent, verdict.name());
    if let Some(alarm) = verdict.alarm() {
        shared.tell(Event::Alarm { peer, alarm: Box::new(alarm.clone()) });
    }
    if let (Verdict::Equal, Some(signer), Some(height)) = (verdict, signer, height) {
        shared.tell(Event::Confirmed { peer, signer, height });
    }
}
