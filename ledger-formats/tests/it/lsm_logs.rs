//! Replay of logs: which are read, where they end, and what is refused rather than mixed.

use std::fs;
use std::path::Path;

use ledger_formats::digest::summarise;
use ledger_formats::engine::EngineKind;
use ledger_formats::engine::internal_key::Kind;
use ledger_formats::engine::lsm::{LsmLimits, LsmStore};
use ledger_formats::engine::replay::LogNotice;
use ledger_formats::store::{KeyRange, ReadStore, StoreError};

use crate::lsm_bytes::{self, Manifest, Version};
use crate::lsm_world::Table;

/// A batch that sets one key, named after its sequence.
fn put(sequence: u64) -> Vec<u8> {
    let version = Version { key: format!("k{sequence}").into_bytes(), sequence, kind: Kind::Set, value: b"v".to_vec() };
    lsm_bytes::batch(sequence, &[version])
}

/// A folder without tables: the manifest's log number and last sequence, and its logs.
fn folder(log: u64, last: u64, logs: &[(u64, Vec<u8>)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::write(dir.path().join("MANIFEST-000001"), Manifest::new(log, 99, last).bytes()).expect("manifest");
    fs::write(dir.path().join("CURRENT"), "MANIFEST-000001\n").expect("CURRENT");
    for (number, bytes) in logs {
        fs::write(dir.path().join(format!("{number:06}.log")), bytes).expect("log");
    }
    dir
}

fn log(engine: EngineKind, number: u64, sequences: &[u64]) -> (u64, Vec<u8>) {
    let records: Vec<Vec<u8>> = sequences.iter().map(|sequence| put(*sequence)).collect();
    (number, lsm_bytes::log(engine, number, &records))
}

fn keys(dir: &Path, engine: EngineKind) -> Result<u64, StoreError> {
    summarise(&LsmStore::open(dir, engine, 0)?, &KeyRange::all()).map(|summary| summary.keys)
}

const BOTH: [EngineKind; 2] = [EngineKind::LevelDb, EngineKind::Pebble];

#[test]
fn logs_below_the_manifests_number_are_dead_and_empty_ones_are_fine() {
    for engine in BOTH {
        let logs = [log(engine, 3, &[1]), log(engine, 5, &[2, 3]), (6, vec![]), log(engine, 8, &[4])];
        let dir = folder(5, 1, &logs);
        assert_eq!(keys(dir.path(), engine).expect("open"), 3, "{engine}");
    }
}

#[test]
fn keys_above_the_manifests_last_sequence_count() {
    for engine in BOTH {
        let dir = folder(5, 1, &[log(engine, 5, &[700])]);
        assert_eq!(keys(dir.path(), engine).expect("open"), 1, "{engine}");
    }
}

#[test]
fn a_torn_log_before_one_with_records_is_refused() {
    for engine in BOTH {
        let mut torn = log(engine, 5, &[2, 3]);
        torn.1.truncate(40);
        let dir = folder(5, 1, &[torn.clone(), log(engine, 6, &[4])]);
        let refused = keys(dir.path(), engine);
        let Err(StoreError::Corrupt(place)) = refused else { panic!("{engine}: {refused:?}") };
        assert!(place.file.ends_with("000005.log") && place.offset.is_some(), "{place:?}");
        // A crash between the making of the next log and the first record in it leaves an empty one.
        let dir = folder(5, 1, &[torn.clone(), (6, vec![])]);
        assert_eq!(keys(dir.path(), engine).expect("open"), 1, "{engine}");
        // Dead logs may be torn as they like.
        let dir = folder(6, 1, &[torn, log(engine, 6, &[4])]);
        assert_eq!(keys(dir.path(), engine).expect("open"), 1, "{engine}");
    }
}

#[test]
fn leveldb_refuses_damage_inside_a_log_and_pebble_ends_there() {
    for engine in BOTH {
        let mut damaged = log(engine, 5, &[2, 3, 4]);
        damaged.1[45] ^= 1;
        let dir = folder(5, 1, &[damaged]);
        match engine {
            EngineKind::LevelDb => {
                let refused = keys(dir.path(), engine);
                assert!(matches!(&refused, Err(StoreError::Corrupt(place)) if place.offset == Some(25)), "{refused:?}");
            }
            _ => {
                let store = LsmStore::open(dir.path(), engine, 0).expect("open");
                assert_eq!(store.stats().log_entries, 1);
                let notices = store.notices();
                assert!(matches!(notices, [LogNotice::TornTail { valid_after: Some(_), .. }]), "{notices:?}");
            }
        }
    }
}

#[test]
fn goleveldb_drops_a_batch_below_the_expected_sequence_and_others_do_not() {
    let dir = folder(5, 10, &[log(EngineKind::LevelDb, 5, &[7, 11, 9, 12])]);
    let store = LsmStore::open(dir.path(), EngineKind::LevelDb, 0).expect("open");
    assert_eq!(store.stats().log_entries, 2);
    let dropped = store.notices().iter().map(|notice| match notice {
        LogNotice::DroppedBatch { first_sequence, expected, .. } => (*first_sequence, *expected),
        other => panic!("{other:?}"),
    });
    assert_eq!(dropped.collect::<Vec<_>>(), [(7, 10), (9, 12)]);
    // Pebble's last sequence runs ahead of its tables.
    let dir = folder(5, 10, &[log(EngineKind::Pebble, 5, &[7, 11])]);
    assert_eq!(keys(dir.path(), EngineKind::Pebble).expect("open"), 2);
    // So does that of C++ LevelDB, which is known by its previous log number.
    let dir = folder(5, 10, &[log(EngineKind::LevelDb, 5, &[7, 11])]);
    let manifest = dir.path().join("MANIFEST-000001");
    let previous = lsm_bytes::log(EngineKind::LevelDb, 0, &[vec![9, 0]]);
    fs::write(&manifest, [fs::read(&manifest).expect("manifest"), previous].concat()).expect("manifest");
    assert_eq!(keys(dir.path(), EngineKind::LevelDb).expect("open"), 2);
}

#[test]
fn a_batch_with_a_wrong_count_or_an_unknown_operation_is_refused() {
    for engine in BOTH {
        let mut wrong = put(2);
        wrong[8] = 2;
        let dir = folder(5, 1, &[(5, lsm_bytes::log(engine, 5, &[wrong]))]);
        assert!(matches!(keys(dir.path(), engine), Err(StoreError::Corrupt(_))), "{engine}");
        let mut ingested = put(2);
        ingested[12] = 22;
        let dir = folder(5, 1, &[(5, lsm_bytes::log(engine, 5, &[ingested]))]);
        assert!(matches!(keys(dir.path(), engine), Err(StoreError::Unsupported { .. })), "{engine}");
        let merge = Version { key: b"k".to_vec(), sequence: 2, kind: Kind::Merge, value: b"v".to_vec() };
        let dir = folder(5, 1, &[(5, lsm_bytes::log(engine, 5, &[lsm_bytes::batch(2, &[merge])]))]);
        let refused = keys(dir.path(), engine).expect_err("refused").to_string();
        assert!(refused.contains("MERGE"), "{refused}");
    }
}

#[test]
fn logs_beyond_the_limit_are_refused_and_not_held() {
    let engine = EngineKind::LevelDb;
    let sequences: Vec<u64> = (2..2000).collect();
    let dir = folder(5, 1, &[log(engine, 5, &sequences)]);
    let limits = LsmLimits { cache_bytes_max: 0, log_bytes_max: 10_000 };
    assert!(matches!(LsmStore::open_with(dir.path(), engine, limits), Err(StoreError::TooLarge { .. })));
    assert_eq!(keys(dir.path(), engine).expect("open"), 1998);
}

#[test]
fn a_manifest_that_an_engine_would_not_open_is_refused() {
    let dir = folder(5, 1, &[]);
    let mut record = vec![1, 26];
    record.extend(b"leveldb.BytewiseComparator");
    record.extend([2, 5, 3, 9]);
    let framed = lsm_bytes::log(EngineKind::LevelDb, 0, &[record]);
    fs::write(dir.path().join("MANIFEST-000001"), framed).expect("manifest");
    let refused = keys(dir.path(), EngineKind::LevelDb).expect_err("refused").to_string();
    assert!(refused.contains("last sequence"), "{refused}");
    assert_eq!(keys(dir.path(), EngineKind::Pebble).expect("Pebble needs none"), 0);
}

#[test]
fn a_kind_that_leveldb_never_writes_is_refused_in_its_tables() {
    let version = Version { key: b"k".to_vec(), sequence: 2, kind: Kind::SetWithDelete, value: b"v".to_vec() };
    let table = Table { level: 0, number: 7, versions: vec![version], tombstones: vec![], global: None };
    for engine in BOTH {
        let bytes = lsm_bytes::table(&table.versions, &table.tombstones, engine);
        let mut manifest = Manifest::new(5, 99, 10);
        manifest.add(&table, bytes.len() as u64, engine);
        let dir = folder(5, 1, &[]);
        fs::write(dir.path().join("MANIFEST-000001"), manifest.bytes()).expect("manifest");
        let suffix = if engine == EngineKind::Pebble { "sst" } else { "ldb" };
        fs::write(dir.path().join(format!("000007.{suffix}")), bytes).expect("table");
        let store = LsmStore::open(dir.path(), engine, 0).expect("open");
        match engine {
            EngineKind::Pebble => assert_eq!(store.get(b"k").expect("get").as_deref(), Some(&b"v"[..])),
            _ => {
                let refused = keys(dir.path(), engine).expect_err("refused").to_string();
                assert!(refused.contains("000007.ldb: SETWITHDEL"), "{refused}");
                assert!(store.get(b"k").is_err());
            }
        }
    }
}
