//! What kind of record a key belongs to, for counts by kind and for the map of what a migration changes.
//!
//! A key is judged by its database first and by its whole form then, never by a prefix alone: the index
//! holds raw hashes, which begin with any bytes. A key of no known form is of kind [`Kind::Unknown`]; it
//! is never an error.

use super::key::{BlockKey, EvidenceKey, Layout, LightKey, StateKey, StateRecord};

/// The databases of a CometBFT node that this module knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Database {
    /// Blocks and commits.
    BlockStore,
    /// State, validators, parameters, results.
    State,
    /// Evidence of misbehaviour.
    Evidence,
    /// Index of transactions and of block events.
    TxIndex,
    /// What a light client trusts. No full node opens it.
    LightStore,
}

impl Database {
    /// Those of a full node.
    pub const ALL: [Self; 4] = [Self::BlockStore, Self::State, Self::Evidence, Self::TxIndex];

    /// Its name in the node's configuration; the folder is the name with `.db`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BlockStore => "blockstore",
            Self::State => "state",
            Self::Evidence => "evidence",
            Self::TxIndex => "tx_index",
            Self::LightStore => "light-client-db",
        }
    }

    /// The database of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().chain([Self::LightStore]).find(|database| database.name() == name)
    }
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Meta of a block.
    BlockMeta,
    /// Part of a block.
    BlockPart,
    /// Commit for a block, from the block above.
    Commit,
    /// Commit as this node saw it.
    SeenCommit,
    /// Commit with vote extensions.
    ExtendedCommit,
    /// Height of a block hash.
    BlockHash,
    /// Base and height of the block store.
    BlockStoreState,
    /// Validators of a height.
    Validators,
    /// Consensus parameters of a height.
    ConsensusParams,
    /// Results of a block.
    AbciResponses,
    /// A record of the state store that there is once.
    State(StateRecord),
    /// Evidence in a block.
    CommittedEvidence,
    /// Evidence in no block yet.
    PendingEvidence,
    /// A transaction with its result, by hash.
    TxResult,
    /// Hash of a transaction, by height.
    TxHeight,
    /// Hash of a transaction, by an event of the application.
    TxEvent,
    /// Height of a block, by an event.
    BlockEvent,
    /// Where the pruning of the index stands.
    IndexRetainHeight,
    /// Label of the layout of a store that is not the state's.
    LayoutVersion,
    /// A signed header with its validators, of a light client.
    LightBlock,
    /// How many light blocks there are.
    LightSize,
    /// Whom a light client asks.
    LightProvider,
    /// None of these.
    Unknown,
}

/// Kind of a record, and the layout where keys of that kind differ by layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// What the record is.
    pub kind: Kind,
    /// How its key is spelled; `None` where that does not depend on the layout.
    pub layout: Option<Layout>,
}

impl Class {
    const UNKNOWN: Self = Self { kind: Kind::Unknown, layout: None };

    /// Stable name for counts and plans: the beginning of the key where it is text, its first byte in hex
    /// where it is not.
    #[must_use]
    pub const fn name(self) -> &'static str {
        let is_v2 = matches!(self.layout, Some(Layout::V2));
        match self.kind {
            Kind::BlockMeta => {
                if is_v2 {
                    "0x80"
                } else {
                    "H:"
                }
            }
            Kind::BlockPart => {
                if is_v2 {
                    "0x81"
                } else {
                    "P:"
                }
            }
            Kind::Commit => {
                if is_v2 {
                    "0x82"
                } else {
                    "C:"
                }
            }
            Kind::SeenCommit => {
                if is_v2 {
                    "0x83"
                } else {
                    "SC:"
                }
            }
            Kind::ExtendedCommit => {
                if is_v2 {
                    "0x84"
                } else {
                    "EC:"
                }
            }
            Kind::BlockHash => {
                if is_v2 {
                    "0x85"
                } else {
                    "BH:"
                }
            }
            Kind::Validators => {
                if is_v2 {
                    "0x86"
                } else {
                    "validatorsKey:"
                }
            }
            Kind::ConsensusParams => {
                if is_v2 {
                    "0x87"
                } else {
                    "consensusParamsKey:"
                }
            }
            Kind::AbciResponses => {
                if is_v2 {
                    "0x88"
                } else {
                    "abciResponsesKey:"
                }
            }
            Kind::CommittedEvidence => {
                if is_v2 {
                    "0x89"
                } else {
                    "0x00"
                }
            }
            Kind::PendingEvidence => {
                if is_v2 {
                    "0x8a"
                } else {
                    "0x01"
                }
            }
            Kind::BlockStoreState => "blockStore",
            Kind::LayoutVersion => "version",
            Kind::State(record) => record.key(),
            Kind::TxResult => "bytes32",
            Kind::TxHeight => "tx.height/",
            Kind::TxEvent => "tx event",
            Kind::BlockEvent => "block_events",
            Kind::IndexRetainHeight => "index retain height",
            Kind::LightBlock => {
                if is_v2 {
                    "chain 0x8b"
                } else {
                    "lb/"
                }
            }
            Kind::LightSize => {
                if is_v2 {
                    "chain 0x8c"
                } else {
                    "size"
                }
            }
            Kind::LightProvider => "light provider",
            Kind::Unknown => "unknown",
        }
    }
}

/// The class of a key of a database.
#[must_use]
pub fn class(database: Database, key: &[u8]) -> Class {
    // Every key of layout v2 that is not an ASCII name begins with a byte from 0x80 on, none of layout v1 does.
    let layout = if key.first().is_some_and(|byte| *byte >= 0x80) { Layout::V2 } else { Layout::V1 };
    let spelled = |kind| Class { kind, layout: Some(layout) };
    let fixed = |kind| Class { kind, layout: None };
    match database {
        Database::BlockStore => BlockKey::decode(layout, key).map(|key| match key {
            BlockKey::Meta { .. } => spelled(Kind::BlockMeta),
            BlockKey::Part { .. } => spelled(Kind::BlockPart),
            BlockKey::Commit { .. } => spelled(Kind::Commit),
            BlockKey::SeenCommit { .. } => spelled(Kind::SeenCommit),
            BlockKey::ExtendedCommit { .. } => spelled(Kind::ExtendedCommit),
            BlockKey::ByHash { .. } => spelled(Kind::BlockHash),
            BlockKey::StoreState => fixed(Kind::BlockStoreState),
            BlockKey::Version => fixed(Kind::LayoutVersion),
        }),
        Database::State => StateKey::decode(layout, key).map(|key| match key {
            StateKey::Validators { .. } => spelled(Kind::Validators),
            StateKey::ConsensusParams { .. } => spelled(Kind::ConsensusParams),
            StateKey::AbciResponses { .. } => spelled(Kind::AbciResponses),
            StateKey::Single(record) => fixed(Kind::State(record)),
        }),
        Database::Evidence => EvidenceKey::decode(layout, key).map(|key| match key {
            EvidenceKey::Committed { .. } => spelled(Kind::CommittedEvidence),
            EvidenceKey::Pending { .. } => spelled(Kind::PendingEvidence),
            EvidenceKey::Version => fixed(Kind::LayoutVersion),
        }),
        Database::TxIndex => Some(fixed(super::index::kind(key))),
        Database::LightStore => light_class(key),
    }
    .unwrap_or(Class::UNKNOWN)
}

/// A light block's key begins with `lb/` or with the name of a chain: both layouts are tried, no key is one of both.
fn light_class(key: &[u8]) -> Option<Class> {
    Layout::ALL.into_iter().find_map(|layout| {
        let (kind, layout) = match LightKey::decode(layout, key)? {
            LightKey::Block { .. } => (Kind::LightBlock, Some(layout)),
            LightKey::Size { .. } | LightKey::SharedSize => (Kind::LightSize, Some(layout)),
            LightKey::Version => (Kind::LayoutVersion, None),
            LightKey::Primary | LightKey::Witnesses => (Kind::LightProvider, None),
        };
        Some(Class { kind, layout })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_judged_by_its_database() {
        let name = |database, key: &[u8]| class(database, key).name();
        assert_eq!(name(Database::BlockStore, b"version"), "version");
        assert_eq!(name(Database::State, b"version"), "version");
        assert_eq!(name(Database::TxIndex, b"version"), "unknown");
        assert_eq!(name(Database::BlockStore, &[0x80, 0x81]), "0x80");
        assert_eq!(name(Database::State, &[0x80, 0x81]), "unknown");
        assert_eq!(name(Database::State, &[0x86, 0x81]), "0x86");
        assert_eq!(name(Database::TxIndex, &[0x80; 32]), "bytes32");
        assert_eq!(name(Database::BlockStore, &[0x80; 32]), "unknown");
        assert_eq!(name(Database::TxIndex, b"block_eventsblock.height"), "block_events");
        assert_eq!(name(Database::TxIndex, b"LastTxIndexerRetainHeightKey"), "index retain height");
        assert_eq!(name(Database::LightStore, b"lb/a/00000000000000000007"), "lb/");
        assert_eq!(name(Database::LightStore, b"a\x00\x01\x8b\x87"), "chain 0x8b");
        assert_eq!(name(Database::LightStore, b"size"), "size");
        assert_eq!(name(Database::LightStore, b"primary"), "light provider");
        assert_eq!(name(Database::LightStore, b"H:1"), "unknown");
    }

    #[test]
    fn keys_that_only_begin_like_known_ones_are_unknown() {
        for key in [
            "",
            "H:",
            "H:01",
            "H:1x",
            "P:1",
            "P:1:",
            "P:1:01",
            "SC:-1",
            "BH:00",
            "blockStore2",
            "H:9223372036854775808",
        ] {
            assert_eq!(class(Database::BlockStore, key.as_bytes()), Class::UNKNOWN, "{key}");
        }
    }

    #[test]
    fn every_database_is_found_by_its_name() {
        for database in Database::ALL {
            assert_eq!(Database::from_name(database.name()), Some(database));
        }
        assert_eq!(Database::from_name("application"), None);
    }
}
