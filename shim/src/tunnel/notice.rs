//! What a tunnel has to say to its operator.

use std::fmt::{self, Display};
use std::time::Duration;

use serde::Serialize;

use super::meters::Way;

/// An end of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The node on the classic transport.
    Classic,
    /// The node on libp2p.
    Lp2p,
}

impl Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Classic => "classic",
            Self::Lp2p => "libp2p",
        })
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Notice {
    /// Both ends are joined.
    Joined {
        /// The classic node's id.
        classic: String,
        /// What it says that it runs.
        agent: String,
        /// The libp2p node's id.
        lp2p: String,
        /// Our identity on libp2p in this session.
        identity: String,
    },
    /// An end could not be reached, or refused us. It is tried again.
    Refused {
        /// Which.
        end: End,
        /// Why.
        reason: String,
    },
    /// A node's claim does not fit what the operator stated.
    Doubt {
        /// What.
        reason: String,
    },
    /// A message did not get through: the first of its channel, direction and session. All are counted.
    Lost {
        /// In which direction.
        way: Way,
        /// On which channel.
        channel: String,
        /// Why.
        reason: String,
    },
    /// The session is over, at both ends.
    Ended {
        /// Who began it.
        end: End,
        /// Why.
        reason: String,
    },
    /// The next attempt follows.
    Pause {
        /// After this, in milliseconds.
        milliseconds: u64,
    },
    /// The tunnel has ended as it was told to.
    Stopped,
}

impl Notice {
    pub(super) fn pause(pause: Duration) -> Self {
        Self::Pause { milliseconds: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX) }
    }
}

/// Hears what a tunnel has to say.
pub type Tell<'a> = &'a (dyn Fn(Notice) + Send + Sync);
