//! The handshake on a socket, and why it failed in words.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Shared;
use crate::classic::checks::{Objection, objections};
use crate::classic::handshake::{Established, Handshake, HandshakeError, Identity};
use crate::classic::node_key::NodeId;

/// Why a connection did not become a session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The system could not open it or lost it.
    #[error("{source}")]
    Io {
        /// The system's words.
        #[from]
        source: io::Error,
    },
    /// It took too long.
    #[error("no connection within {seconds} s: is the port reachable?")]
    Dial {
        /// The limit.
        seconds: u64,
    },
    /// The handshake took too long.
    #[error("the handshake was not finished within {seconds} s")]
    Slow {
        /// The limit.
        seconds: u64,
    },
    /// The peer closed before it said anything.
    #[error(
        "the peer closed before the handshake: has it all the inbound peers it takes (max_num_inbound_peers), or filters \
         addresses (allow_duplicate_ip, filter_peers)?"
    )]
    ClosedAtOnce,
    /// The peer closed within the handshake.
    #[error("the peer closed within the handshake: does it expect another node id than ours?")]
    ClosedWithin,
    /// The peer broke the protocol, or is another one.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// We do not take it.
    #[error("refused: {}", list(.objections))]
    Refused {
        /// What we object to.
        objections: Vec<Objection>,
    },
    /// It does not take us; it closes without a word, so this was computed.
    #[error("the peer refuses us: {}", list(.objections))]
    RefusesUs {
        /// What it objects to.
        objections: Vec<Objection>,
    },
    /// There is a session with it already.
    #[error("a session with {id} is there already")]
    Duplicate {
        /// The peer.
        id: NodeId,
    },
}

fn list(objections: &[Objection]) -> String {
    objections.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Does the handshake and the checks of both sides.
pub(super) async fn shake(
    stream: &mut TcpStream,
    expected: Option<NodeId>,
    shared: &Shared,
) -> Result<Established, ConnectError> {
    stream.set_nodelay(true)?;
    let mut ephemeral = [0; 32];
    getrandom::fill(&mut ephemeral).map_err(io::Error::other)?;
    let identity = Identity { key: Arc::clone(&shared.key), info: Arc::clone(&shared.info), expected };
    let limit = shared.limits.handshake;
    let slow = |_| ConnectError::Slow { seconds: limit.as_secs() };
    let established = timeout(limit, drive(stream, Handshake::new(identity, ephemeral))).await.map_err(slow)??;

    let objections_of_ours = objections(&shared.info, &established.info, established.id);
    if !objections_of_ours.is_empty() {
        return Err(ConnectError::Refused { objections: objections_of_ours });
    }
    let objections_of_theirs = objections(&established.info, &shared.info, shared.key.id());
    if !objections_of_theirs.is_empty() {
        return Err(ConnectError::RefusesUs { objections: objections_of_theirs });
    }
    Ok(established)
}

async fn drive(stream: &mut TcpStream, mut handshake: Handshake) -> Result<Established, ConnectError> {
    let mut buffer = [0; 4_096];
    let mut is_first = true;
    loop {
        stream.write_all(&handshake.outgoing()).await?;
        let bytes = stream.read(&mut buffer).await?;
        if bytes == 0 {
            return Err(if is_first { ConnectError::ClosedAtOnce } else { ConnectError::ClosedWithin });
        }
        is_first = false;
        let finished = handshake.receive(buffer.get(..bytes).unwrap_or_default())?;
        if let Some(established) = finished {
            stream.write_all(&handshake.outgoing()).await?;
            return Ok(established);
        }
    }
}
