//! Stays connected with a peer: dials, and dials again when the session ends.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::connect::ConnectError;
use super::{Shared, connect, session};
use crate::classic::node_key::NodeId;
use crate::peering::{Direction, Event};

/// The pause grows to so many times of the first.
const RETRY_FACTOR_MAX: u32 = 16;
/// A session of this length ends the growth of the pause.
const LASTING: Duration = Duration::from_secs(60);

/// Whom to dial: `id@host:port`, as `persistent_peers` of a node has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Who must answer.
    pub id: NodeId,
    /// Name or address; an IPv6 address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// Not of the form `id@host:port`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not of the form <40 hex digits>@<host>:<port>")]
pub struct NotATarget {
    /// What was given.
    pub text: String,
}

impl FromStr for Target {
    type Err = NotATarget;

    fn from_str(text: &str) -> Result<Self, NotATarget> {
        let parse = || {
            let (id, address) = text.strip_prefix("tcp://").unwrap_or(text).split_once('@')?;
            let (host, port) = address.rsplit_once(':')?;
            let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
            let target = Self { id: id.parse().ok()?, host: host.to_owned(), port: port.parse().ok()? };
            (!target.host.is_empty()).then_some(target)
        };
        parse().ok_or_else(|| NotATarget { text: text.to_owned() })
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, host, port } = self;
        if host.contains(':') { write!(f, "{id}@[{host}]:{port}") } else { write!(f, "{id}@{host}:{port}") }
    }
}

/// Dials for ever.
pub(super) async fn run(target: Target, shared: Arc<Shared>) {
    let mut factor = 1;
    loop {
        let begin = Instant::now();
        if let Err(error) = once(&target, &shared).await {
            let address = target.to_string().into();
            let refused = Event::Refused { address, direction: Direction::Outbound, reason: error.to_string() };
            if shared.events.send(refused).await.is_err() {
                return;
            }
        }
        if begin.elapsed() >= LASTING {
            factor = 1;
        }
        sleep(shared.limits.retry * factor).await;
        factor = (factor * 2).min(RETRY_FACTOR_MAX);
    }
}

/// One connection from its first byte to its last.
async fn once(target: &Target, shared: &Arc<Shared>) -> Result<(), ConnectError> {
    let limit = shared.limits.dial;
    let slow = |_| ConnectError::Dial { seconds: limit.as_secs() };
    let mut stream = timeout(limit, TcpStream::connect((target.host.as_str(), target.port))).await.map_err(slow)??;
    let established = connect::shake(&mut stream, Some(target.id), shared).await?;
    session::run(stream, established, target.to_string().into(), Direction::Outbound, shared).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_spelled_as_nodes_spell_them() {
        let id = "9c2e7c7163686b5d05fc84a8f2697bb6cc9d1d63";
        for address in ["10.0.0.1:26656", "node.example.org:1", "[2001:db8::1]:65535"] {
            let text = format!("{id}@{address}");
            assert_eq!(text.parse::<Target>().expect("a target").to_string(), text);
        }
        assert_eq!(format!("tcp://{id}@h:1").parse::<Target>().expect("a target").to_string(), format!("{id}@h:1"));
        for wrong in ["h:1", "@h:1", &format!("{id}@h"), &format!("{id}@:1"), &format!("{id}@h:65536"), "ab@h:1"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
