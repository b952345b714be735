//! Which record is meant: the same one in both layouts, and the records that a height has.

use std::collections::BTreeSet;

use ledger_formats::comet::class::{Database, Kind, class};
use ledger_formats::comet::key::{BlockKey, EvidenceKey, Layout, StateKey};
use ledger_formats::comet::layout::{RecordKey, describe};
use ledger_formats::comet::{BlockMeta, Decode};
use ledger_formats::store::{KeyRange, ReadStore, StoreError};

/// Most records of a height that are traced: a block of the greatest size has 1,601 parts.
pub const RECORDS_MAX: usize = 4_096;

/// A record, whichever layout its key is spelled in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A record of a known kind.
    Record(RecordKey),
    /// A key that is spelled in one way only.
    Key(Vec<u8>),
}

impl Subject {
    /// The record that a key of a database means.
    pub(super) fn of_key(database: Option<Database>, key: &[u8]) -> Self {
        let decode =
            |database: Database| Layout::ALL.into_iter().find_map(|layout| RecordKey::decode(database, layout, key));
        database.and_then(decode).map_or_else(|| Self::Key(key.to_vec()), Self::Record)
    }

    /// The keys that it may have.
    pub(super) fn keys(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Key(key) => vec![key.clone()],
            Self::Record(record) => {
                let mut keys: Vec<Vec<u8>> = Layout::ALL.into_iter().map(|layout| spelled(record, layout)).collect();
                keys.dedup();
                keys
            }
        }
    }

    /// The height of its block, if it is one of a block's records.
    pub(super) fn block_height(&self) -> Option<u64> {
        match self {
            Self::Record(RecordKey::Block(key)) => key.height(),
            _ => None,
        }
    }

    /// What kind of record it is, as classes of keys are named, and its key in words.
    #[must_use]
    pub fn in_words(&self, database: &str) -> String {
        let key = self.keys().into_iter().next().unwrap_or_default();
        match Database::from_name(database) {
            Some(database) => describe(database, &key),
            None => format!("key {}", key.escape_ascii()),
        }
    }

    /// Its kind; [`Kind::Unknown`] in a database that is not understood.
    #[must_use]
    pub fn kind(&self, database: Option<Database>) -> Kind {
        let key = self.keys().into_iter().next().unwrap_or_default();
        database.map_or(Kind::Unknown, |database| class(database, &key).kind)
    }
}

/// The records of `height` that a store may have. `None` when there are more than [`RECORDS_MAX`].
pub(super) fn of_height(
    store: &dyn ReadStore,
    database: Database,
    height: u64,
) -> Result<Option<BTreeSet<Subject>>, StoreError> {
    let mut found = BTreeSet::new();
    match database {
        Database::BlockStore => {
            let meta = BlockKey::Meta { height };
            let plain = [
                meta,
                BlockKey::Commit { height },
                BlockKey::SeenCommit { height },
                BlockKey::ExtendedCommit { height },
            ];
            found.extend(plain.map(RecordKey::Block));
            found.extend(
                hash_of(store, &RecordKey::Block(meta))?.map(|hash| RecordKey::Block(BlockKey::ByHash { hash })),
            );
        }
        Database::State => {
            let keys = [
                StateKey::Validators { height },
                StateKey::ConsensusParams { height },
                StateKey::AbciResponses { height },
            ];
            found.extend(keys.map(RecordKey::State));
        }
        Database::Evidence | Database::TxIndex | Database::LightStore => {}
    }
    for prefix in prefixes(database, height) {
        let mut cursor = store.scan(&KeyRange { start: prefix.clone(), end: None })?;
        while let Some((key, _)) = cursor.next()? {
            if !key.starts_with(&prefix) {
                break;
            }
            let record = Layout::ALL.into_iter().find_map(|layout| RecordKey::decode(database, layout, key));
            found.extend(record.filter(|record| record.height() == Some(height)));
            if found.len() > RECORDS_MAX {
                return Ok(None);
            }
        }
    }
    Ok(Some(found.into_iter().map(Subject::Record).collect()))
}

/// The hash that the meta of a block names.
fn hash_of(store: &dyn ReadStore, meta: &RecordKey) -> Result<Option<[u8; 32]>, StoreError> {
    for layout in Layout::ALL {
        if let Some(value) = store.get(&spelled(meta, layout))? {
            let decoded = BlockMeta::decode(&value).ok();
            return Ok(decoded.and_then(|meta| meta.block_id.to_proof()).map(|block| block.hash));
        }
    }
    Ok(None)
}

/// How the keys of a height begin of which a height can have several.
fn prefixes(database: Database, height: u64) -> Vec<Vec<u8>> {
    // Any hash will do that needs no escape.
    let hash = [b'a'; 32];
    let several = match database {
        Database::BlockStore => vec![RecordKey::Block(BlockKey::Part { height, part: 0 })],
        Database::Evidence => vec![
            RecordKey::Evidence(EvidenceKey::Committed { height, hash }),
            RecordKey::Evidence(EvidenceKey::Pending { height, hash }),
        ],
        Database::State | Database::TxIndex | Database::LightStore => Vec::new(),
    };
    let prefix = |record: &RecordKey, layout: Layout| {
        // Behind the height stands a part's number, 0 in one byte, or a hash: 64 digits, or 32 bytes and an end mark.
        let behind = match (record, layout) {
            (RecordKey::Evidence(_), Layout::V1) => 64,
            (RecordKey::Evidence(_), Layout::V2) => 34,
            _ => 1,
        };
        let mut key = spelled(record, layout);
        key.truncate(key.len().saturating_sub(behind));
        key
    };
    several.iter().flat_map(|record| Layout::ALL.map(|layout| prefix(record, layout))).collect()
}

fn spelled(record: &RecordKey, layout: Layout) -> Vec<u8> {
    let mut key = Vec::new();
    record.encode(layout, &mut key);
    key
}

#[cfg(test)]
mod tests {
    use ledger_formats::engine::memory::MemoryStore;

    use super::*;

    #[test]
    fn a_height_has_its_parts_and_evidence_in_both_layouts_and_no_others() {
        for layout in Layout::ALL {
            let parts = [(7, 0), (7, 10), (70, 0), (71, 3), (6, 0)];
            let keys = parts.map(|(height, part)| spelled(&RecordKey::Block(BlockKey::Part { height, part }), layout));
            let store = MemoryStore::new(keys.map(|key| (key, Vec::new())));
            let found = of_height(&store, Database::BlockStore, 7).expect("reads").expect("few");
            let parts: Vec<_> = found
                .iter()
                .filter_map(|subject| match subject {
                    Subject::Record(RecordKey::Block(BlockKey::Part { height, part })) => Some((*height, *part)),
                    _ => None,
                })
                .collect();
            assert_eq!(parts, [(7, 0), (7, 10)]);
            let evidence = [(7, 0x00), (7, 0xff), (71, 0x07)].map(|(height, byte)| {
                spelled(&RecordKey::Evidence(EvidenceKey::Pending { height, hash: [byte; 32] }), layout)
            });
            let store = MemoryStore::new(evidence.map(|key| (key, Vec::new())));
            assert_eq!(of_height(&store, Database::Evidence, 7).expect("reads").expect("few").len(), 2);
        }
    }

    #[test]
    fn a_key_of_either_layout_is_one_record() {
        let meta = |key: &[u8]| Subject::of_key(Some(Database::BlockStore), key);
        assert_eq!(meta(b"H:1"), meta(&[0x80, 0x81]));
        assert_eq!(meta(b"H:1").keys(), [b"H:1".to_vec(), vec![0x80, 0x81]]);
        assert_eq!(meta(b"H:01"), Subject::Key(b"H:01".to_vec()));
        assert_eq!(Subject::of_key(None, b"H:1"), Subject::Key(b"H:1".to_vec()));
        assert_eq!(Subject::of_key(Some(Database::State), b"stateKey").keys(), [b"stateKey"]);
    }
}
