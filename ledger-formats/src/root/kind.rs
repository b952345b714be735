//! The kinds of records that have a tree of their own, and which databases have which.

use crate::comet::class::Database;

/// How the rows of a database are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// As the records of a database of CometBFT that has layouts or dialects.
    Records(Database),
    /// Not at all: as keys and values in key order.
    Opaque,
}

impl Content {
    /// How the rows of a database of this name are understood. The index of transactions has one layout and one
    /// dialect, and is as opaque as a database of an application.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match Database::from_name(name) {
            None | Some(Database::TxIndex) => Self::Opaque,
            Some(database) => Self::Records(database),
        }
    }
}

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// Metas of blocks, by height.
    BlockMeta,
    /// Parts of blocks, by height and number.
    BlockPart,
    /// Commits, by height.
    Commit,
    /// Commits as the node saw them, by height.
    SeenCommit,
    /// Commits with vote extensions, by height.
    ExtendedCommit,
    /// Heights of blocks, by hash.
    BlockHash,
    /// Validators, by height.
    Validators,
    /// Consensus parameters, by height.
    ConsensusParams,
    /// Results of blocks, by height.
    Results,
    /// Evidence in blocks, by height and hash.
    CommittedEvidence,
    /// Evidence in no block yet, by height and hash.
    PendingEvidence,
    /// What a light client trusts, by chain and height.
    LightBlock,
    /// Records that there are once, by name.
    Single,
    /// Keys of no known form.
    Unknown,
    /// Rows of a database that is not understood.
    Row,
}

impl RecordKind {
    /// Its name in the root. Kinds are in the order of this enumeration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BlockMeta => "block-meta",
            Self::BlockPart => "block-part",
            Self::Commit => "commit",
            Self::SeenCommit => "seen-commit",
            Self::ExtendedCommit => "extended-commit",
            Self::BlockHash => "block-hash",
            Self::Validators => "validators",
            Self::ConsensusParams => "consensus-params",
            Self::Results => "results",
            Self::CommittedEvidence => "committed-evidence",
            Self::PendingEvidence => "pending-evidence",
            Self::LightBlock => "light-block",
            Self::Single => "single",
            Self::Unknown => "unknown",
            Self::Row => "row",
        }
    }
}
