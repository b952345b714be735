//! In which version one side can serve the other.

use crate::hello::{Hello, Storage, Version};

use super::Party;

/// Why one side cannot serve the other. What needs another release comes first, what passes by itself last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The server serves no version that the other accepts.
    NoCommonVersion,
    /// One side speaks none of the versions in common any more.
    BelowMinimum {
        /// The newest version in common.
        newest: Version,
        /// The lowest that is spoken.
        minimum: Version,
        /// By whom.
        by: Party,
    },
    /// The chain has grown past the last height at which the newest version in common is spoken.
    Expired {
        /// That version.
        version: Version,
        /// The last height at which it is spoken.
        last_height: u64,
        /// The higher tip of the two.
        height: u64,
        /// Who gave it up.
        by: Party,
    },
    /// The storage of the server is in no state to serve from.
    Unfit {
        /// Whose storage.
        server: Party,
        /// Its state.
        storage: Storage,
    },
    /// The server has nothing to offer yet.
    NothingOffered {
        /// Which side.
        server: Party,
    },
}

impl Reason {
    /// The same as the peer sees it.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::NoCommonVersion => Self::NoCommonVersion,
            Self::BelowMinimum { newest, minimum, by } => Self::BelowMinimum { newest, minimum, by: by.mirrored() },
            Self::Expired { version, last_height, height, by } => {
                Self::Expired { version, last_height, height, by: by.mirrored() }
            }
            Self::Unfit { server, storage } => Self::Unfit { server: server.mirrored(), storage },
            Self::NothingOffered { server } => Self::NothingOffered { server: server.mirrored() },
        }
    }
}

impl Reason {
    /// Lower for what needs more to be done about.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::NoCommonVersion => 0,
            Self::BelowMinimum { .. } => 1,
            Self::Expired { .. } => 2,
            Self::Unfit { .. } => 3,
            Self::NothingOffered { .. } => 4,
        }
    }

    /// A short name for logs and counters.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoCommonVersion => "no_common_version",
            Self::BelowMinimum { .. } => "below_minimum",
            Self::Expired { .. } => "expired",
            Self::Unfit { .. } => "unfit_storage",
            Self::NothingOffered { .. } => "nothing_offered",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoCommonVersion => f.write_str("no common version of the block exchange"),
            Self::BelowMinimum { newest, minimum, by } => {
                write!(f, "version {newest} is the newest in common, but {by} speaks none below {minimum}")
            }
            Self::Expired { version, last_height, height, by } => write!(
                f,
                "version {version} is the newest in common, but {by} gave it up past height {last_height}; the chain is \
                 at {height}"
            ),
            Self::Unfit { server, storage } => write!(f, "the storage of {server} is in the state \"{storage}\""),
            Self::NothingOffered { server } => write!(f, "{server} has no verified heights to offer yet"),
        }
    }
}

/// The newest version in which `server` can serve the other side.
pub(super) fn version(server: Party, local: &Hello, remote: &Hello) -> Result<Version, Reason> {
    let version = spoken(server, local, remote)?;
    let status = match server {
        Party::Local => &local.status,
        Party::Remote => &remote.status,
    };
    match (status.storage, status.offer()) {
        (storage @ Storage::Unknown, _) => Err(Reason::Unfit { server, storage }),
        (_, None) => Err(Reason::NothingOffered { server }),
        (_, Some(_)) => Ok(version),
    }
}

/// The newest version in which `server` speaks to the other side, whatever it has to offer.
pub(super) fn spoken(server: Party, local: &Hello, remote: &Hello) -> Result<Version, Reason> {
    let (serving, taking) = match server {
        Party::Local => (local, remote),
        Party::Remote => (remote, local),
    };
    let common = || serving.terms.served.iter().filter(|version| taking.terms.accepted.contains(*version));
    let newest = common().next().ok_or(Reason::NoCommonVersion)?;
    let (minimum, by) = stricter(server, serving.terms.minimum, taking.terms.minimum);
    if newest < minimum {
        return Err(Reason::BelowMinimum { newest, minimum, by });
    }
    let height = local.status.tip().max(remote.status.tip());
    let expiry = |version: Version| {
        let by_server = serving.terms.last_height(version).unwrap_or(u64::MAX);
        let by_other = taking.terms.last_height(version).unwrap_or(u64::MAX);
        let by = if by_other < by_server { server.mirrored() } else { server };
        (by_server.min(by_other), by)
    };
    let spoken = common().take_while(|version| *version >= minimum).find(|version| height <= expiry(*version).0);
    spoken.ok_or_else(|| {
        let (last_height, by) = expiry(newest);
        Reason::Expired { version: newest, last_height, height, by }
    })
}

/// The higher of two minimums, and whose it is: the server's where they are equal.
fn stricter(server: Party, serving: Version, taking: Version) -> (Version, Party) {
    if taking > serving { (taking, server.mirrored()) } else { (serving, server) }
}
