//! Layouts: the same record's key in the other spelling, and which spelling a store has.
//!
//! Values are the same in both layouts, so that a change of layout is one of keys only. A key that is a name in both
//! layouts, or is not known, keeps its spelling; its place among the others changes. See [`super::key`] for the bytes.

pub(crate) mod chain;
mod detect;
pub(crate) mod digits;
mod family;

pub use detect::{Spelled, spelled};
pub(crate) use family::{Family, families, family_of};

use super::class::{Database, Kind, class};
use super::key::{BlockKey, EvidenceKey, Layout, LightKey, StateKey};

/// A key of any of the databases that have layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKey {
    /// Of the block store.
    Block(BlockKey),
    /// Of the state store.
    State(StateKey),
    /// Of the evidence store.
    Evidence(EvidenceKey),
    /// Of a light client's store.
    Light(LightKey),
}

impl RecordKey {
    /// What `key` says in a layout; `None` if it is not a key of the database there.
    #[must_use]
    pub fn decode(database: Database, layout: Layout, key: &[u8]) -> Option<Self> {
        match database {
            Database::BlockStore => BlockKey::decode(layout, key).map(Self::Block),
            Database::State => StateKey::decode(layout, key).map(Self::State),
            Database::Evidence => EvidenceKey::decode(layout, key).map(Self::Evidence),
            Database::TxIndex => None,
            Database::LightStore => LightKey::decode(layout, key).map(Self::Light),
        }
    }

    /// Appends the key in a layout.
    pub fn encode(&self, layout: Layout, out: &mut Vec<u8>) {
        match self {
            Self::Block(key) => key.encode(layout, out),
            Self::State(key) => key.encode(layout, out),
            Self::Evidence(key) => key.encode(layout, out),
            Self::Light(key) => key.encode(layout, out),
        }
    }

    /// The height in the key, if it has one.
    #[must_use]
    pub fn height(&self) -> Option<u64> {
        match self {
            Self::Block(key) => key.height(),
            Self::State(key) => key.height(),
            Self::Evidence(EvidenceKey::Committed { height, .. } | EvidenceKey::Pending { height, .. }) => {
                Some(*height)
            }
            Self::Evidence(EvidenceKey::Version) => None,
            Self::Light(key) => key.height(),
        }
    }

    /// The place of a block part among the parts of its block.
    #[must_use]
    pub(crate) fn part(&self) -> Option<u32> {
        match self {
            Self::Block(BlockKey::Part { part, .. }) => Some(*part),
            _ => None,
        }
    }
}

/// Appends the key of the same record in layout `to`; false, and nothing appended, when `key` is no key of layout `from`.
pub fn convert_key(database: Database, key: &[u8], from: Layout, to: Layout, out: &mut Vec<u8>) -> bool {
    RecordKey::decode(database, from, key).map(|key| key.encode(to, out)).is_some()
}

/// A record in words: its kind, its height where it has one, and its key.
#[must_use]
pub fn describe(database: Database, key: &[u8]) -> String {
    let class = class(database, key);
    let shown = key.escape_ascii().take(100);
    let shown: String = shown.map(char::from).collect();
    if class.kind == Kind::Unknown {
        return format!("unknown key {shown}");
    }
    let height = class.layout.and_then(|layout| RecordKey::decode(database, layout, key)).and_then(|key| key.height());
    match height {
        Some(height) => format!("height {height}, key {shown}"),
        None => format!("key {shown}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_class_go_there_and_back() {
        let hash = "CAFE".repeat(16);
        for (database, v1) in [
            (Database::BlockStore, "H:12345678".to_owned()),
            (Database::BlockStore, "P:12345678:70".to_owned()),
            (Database::BlockStore, "C:0".to_owned()),
            (Database::BlockStore, "SC:9".to_owned()),
            (Database::BlockStore, "EC:9".to_owned()),
            (Database::BlockStore, format!("BH:{}", hash.to_lowercase())),
            (Database::State, "validatorsKey:1".to_owned()),
            (Database::State, "consensusParamsKey:64".to_owned()),
            (Database::State, "abciResponsesKey:8192".to_owned()),
            (Database::State, "stateKey".to_owned()),
            (Database::Evidence, format!("\0{:016X}/{hash}", 77)),
            (Database::Evidence, format!("\u{1}{:016X}/{hash}", 77)),
            (Database::Evidence, "version".to_owned()),
        ] {
            let (mut there, mut back) = (Vec::new(), Vec::new());
            assert!(convert_key(database, v1.as_bytes(), Layout::V1, Layout::V2, &mut there), "{v1}");
            assert!(convert_key(database, &there, Layout::V2, Layout::V1, &mut back), "{v1}");
            assert_eq!(back, v1.as_bytes());
        }
        assert!(!convert_key(Database::BlockStore, b"H:01", Layout::V1, Layout::V2, &mut Vec::new()));
    }

    #[test]
    fn records_are_described_for_people() {
        assert_eq!(describe(Database::State, b"validatorsKey:12"), "height 12, key validatorsKey:12");
        assert_eq!(describe(Database::BlockStore, &[0x80, 0xc0, 0x40]), r"height 64, key \x80\xc0@");
        assert_eq!(describe(Database::BlockStore, b"H:01"), "unknown key H:01");
        assert_eq!(describe(Database::State, b"stateKey"), "key stateKey");
    }
}
