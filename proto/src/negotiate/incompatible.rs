//! Why two nodes can do nothing for each other: words that name both sides and the remedy.

use crate::hello::{ChainId, Terms, TimeRule, Version};

use super::Reason;

/// One of the two, as this node sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// This node.
    Local,
    /// The peer.
    Remote,
}

/// Why two nodes can do nothing for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incompatible {
    /// They are of different chains.
    Chain {
        /// The chain of this node.
        local: ChainId,
        /// The chain of the peer.
        remote: ChainId,
    },
    /// Their chains have the same id and different beginnings.
    Genesis {
        /// Genesis hash of this node.
        local: [u8; 32],
        /// Genesis hash of the peer.
        remote: [u8; 32],
    },
    /// They check the times of blocks by different rules at every height.
    TimeRule {
        /// The rule of this node.
        local: TimeRule,
        /// The rule of the peer.
        remote: TimeRule,
    },
    /// Neither can serve the other.
    Blocks {
        /// The versions of this node.
        local: Box<Terms>,
        /// The versions of the peer.
        remote: Box<Terms>,
        /// Why the peer cannot serve this node.
        fetch: Reason,
        /// Why this node cannot serve the peer.
        serve: Reason,
    },
}

impl Party {
    /// The same side as the peer sees it.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Local => Self::Remote,
            Self::Remote => Self::Local,
        }
    }
}

impl Incompatible {
    /// The same as the peer sees it.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Chain { local, remote } => Self::Chain { local: remote, remote: local },
            Self::Genesis { local, remote } => Self::Genesis { local: remote, remote: local },
            Self::TimeRule { local, remote } => Self::TimeRule { local: remote, remote: local },
            Self::Blocks { local, remote, fetch, serve } => {
                Self::Blocks { local: remote, remote: local, fetch: serve.mirrored(), serve: fetch.mirrored() }
            }
        }
    }

    /// A short name for logs and counters.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Chain { .. } => "wrong_chain",
            Self::Genesis { .. } => "wrong_genesis",
            Self::TimeRule { .. } => "time_rule",
            Self::Blocks { fetch, serve, .. } => decisive(*fetch, *serve).name(),
        }
    }
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Local => "this node",
            Self::Remote => "the peer",
        })
    }
}

impl std::fmt::Display for Incompatible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Chain { local, remote } => write!(
                f,
                "this node is on chain {local}, the peer on {remote}; remove the peer from the static peers, or point it to \
                 a home of this chain"
            ),
            Self::Genesis { local, remote } => write!(
                f,
                "the genesis hash of this node is {}, that of the peer {}; give both the same genesis document, as the \
                 chain distributes it",
                Hex(local),
                Hex(remote)
            ),
            Self::TimeRule { local, remote } => write!(
                f,
                "this node checks block times by the rule {local}, the peer by {remote}, at every height; give both the \
                 rule of the chain, with the height of its upgrade where it had one"
            ),
            Self::Blocks { local, remote, fetch, serve } => {
                if fetch == serve {
                    write!(f, "{fetch}")?;
                } else {
                    write!(f, "fetching: {fetch}; serving: {serve}")?;
                }
                write!(f, " (this node {local}; the peer {remote}); ")?;
                remedy(f, local, remote, decisive(*fetch, *serve))
            }
        }
    }
}

impl std::error::Error for Incompatible {}

/// The reason to act upon: the one that is less likely to pass by itself.
const fn decisive(fetch: Reason, serve: Reason) -> Reason {
    if serve.rank() < fetch.rank() { serve } else { fetch }
}

/// What the operators of the two can do.
fn remedy(f: &mut std::fmt::Formatter<'_>, local: &Terms, remote: &Terms, reason: Reason) -> std::fmt::Result {
    let (newest_local, newest_remote) = (newest(local), newest(remote));
    match reason {
        Reason::BelowMinimum { minimum, by, .. } => {
            write!(f, "upgrade {} to a release that speaks version {minimum} or newer", by.mirrored())
        }
        Reason::NoCommonVersion | Reason::Expired { .. } if newest_local < newest_remote => {
            write!(f, "upgrade {} to a release that speaks version {newest_remote}", Party::Local)
        }
        Reason::NoCommonVersion | Reason::Expired { .. } if newest_local > newest_remote => {
            write!(f, "upgrade {} to a release that speaks version {newest_local}", Party::Remote)
        }
        Reason::NoCommonVersion => f.write_str("let one side serve a version that the other accepts"),
        Reason::Expired { .. } => f.write_str("upgrade both to a release that speaks a newer version"),
        Reason::Unfit { .. } | Reason::NothingOffered { .. } => {
            f.write_str("nothing is wrong with the versions: this passes when one of them has a verified store")
        }
    }
}

fn newest(terms: &Terms) -> Version {
    terms.newest().unwrap_or_default()
}

/// A hash in lower-case hex.
struct Hex<'a>(&'a [u8; 32]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
