//! Hellos, over streams.

use std::sync::Arc;
use std::time::Duration;

use libp2p::Stream;
use libp2p::futures::AsyncWriteExt;
use proto::hello::GREETING_BYTES_MAX;
use proto::negotiate::Incompatible;

use crate::own::framing::{self, FramingError};
use crate::own::hello::{Change, Received};
use crate::own::protocol::Protocol;
use crate::own::streams::Permit;

use super::event::Event;
use super::session::Session;
use super::shared::{Command, Shared};
use super::witness;

/// How long a greeting may be in coming once the stream is open.
const IDLE: Duration = Duration::from_secs(10);

/// How long a peer of another chain has to take our reply before the connection is closed.
const FAREWELL: Duration = Duration::from_secs(2);

/// Sends a greeting on a new stream, and takes the reply.
pub(super) async fn greet(shared: Arc<Shared>, session: Arc<Session>, greeting: Vec<u8>) {
    let reply = exchange(&shared, &session, &greeting).await;
    let change = session.replied(shared.now(), reply.as_deref().map_err(Clone::clone));
    tell(&shared, &session, change).await;
}

async fn exchange(shared: &Shared, session: &Session, greeting: &[u8]) -> Result<Vec<u8>, String> {
    let mut stream = shared.open(session.connection, Protocol::Hello).await.map_err(|error| error.to_string())?;
    let whole = async {
        framing::write(&mut stream, greeting).await?;
        framing::read(&mut stream, GREETING_BYTES_MAX, IDLE).await
    };
    whole.await.map(Vec::from).map_err(|error: FramingError| error.to_string())
}

/// Takes a greeting on a stream that the peer opened, and replies.
pub(super) async fn answer(shared: Arc<Shared>, session: Arc<Session>, mut stream: Stream, place: Permit) {
    let greeting = match framing::read(&mut stream, GREETING_BYTES_MAX, IDLE).await {
        Ok(greeting) => greeting,
        Err(error) => return broken(&shared, &session, &error).await,
    };
    let Received { reply, change } = session.received(shared.now(), &greeting);
    match reply {
        Some(reply) => {
            // A reply that does not arrive makes the peer greet again.
            let _ = framing::write(&mut stream, &reply).await;
            let _ = stream.close().await;
        }
        None if change.is_none() => {
            let reason = "the peer greets too often".to_owned();
            shared.misbehaved(&session, Protocol::Hello, "too_often", reason).await;
        }
        None => {}
    }
    drop((stream, place));
    tell(&shared, &session, change).await;
}

async fn broken(shared: &Shared, session: &Session, error: &FramingError) {
    if error.is_misbehaviour() {
        shared.misbehaved(session, Protocol::Hello, "bad_message", error.to_string()).await;
    } else {
        shared.counters.count(Protocol::Hello.short(), &session.agent(), "broken");
    }
}

/// Tells what is new, and acts upon it.
pub(super) async fn tell(shared: &Arc<Shared>, session: &Arc<Session>, change: Option<Change>) {
    let (peer, agent, connection) = (session.peer, session.agent(), session.connection);
    let count = |outcome| shared.counters.count(Protocol::Hello.short(), &agent, outcome);
    match change {
        None => {}
        Some(Change::Agreed(agreement)) => {
            count("agreed");
            shared.order(Command::Keep { connection, is_kept: true }).await;
            let every = agreement.attest_every;
            shared.tell(Event::Agreed { peer, agent: agent.clone(), agreement });
            if let Some(every) = every {
                witness::send_newest(shared, session, every).await;
            }
        }
        Some(Change::Incompatible(reason)) => {
            count(reason.name());
            shared.order(Command::Keep { connection, is_kept: false }).await;
            let is_stranger = !matches!(reason, Incompatible::Blocks { .. });
            shared.tell(Event::Incompatible { peer, agent: agent.clone(), reason });
            if is_stranger {
                tokio::time::sleep(FAREWELL).await;
                shared.order(Command::Close { connection }).await;
            }
        }
        Some(Change::Forged(error)) => {
            shared.misbehaved(session, Protocol::Hello, "forged", error.to_string()).await;
        }
        Some(Change::Silent(reason)) => {
            count("silent");
            if session.is_news(Protocol::Hello, "silent") {
                shared.tell(Event::Misbehaved { peer, protocol: Protocol::Hello, reason });
            }
        }
    }
}
