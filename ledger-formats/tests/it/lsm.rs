//! Our reading of LevelDB and Pebble folders against what the engines themselves read.

use ledger_formats::digest::summarise;
use ledger_formats::engine::EngineKind;
use ledger_formats::engine::detect::detect;
use ledger_formats::engine::lsm::LsmStore;
use ledger_formats::engine::lsm_writer::{LsmTarget, LsmWriter, LsmWriterOptions};
use ledger_formats::store::{BulkWriter, KeyRange, ReadStore};

use crate::{homes, rows};

fn own_engine(name: &str) -> Option<EngineKind> {
    match name {
        "goleveldb" => Some(EngineKind::LevelDb),
        "pebbledb" => Some(EngineKind::Pebble),
        _ => None,
    }
}

#[test]
fn every_database_of_every_home_has_its_digest() {
    for home in homes::all() {
        let unpacked = home.unpack();
        for expected in home.databases() {
            let Some(engine) = own_engine(&expected.engine) else { continue };
            let dir = unpacked.path(&expected.path);
            let place = format!("{} {}", home.name, expected.path.display());
            let store = LsmStore::open(&dir, engine, 1 << 20).unwrap_or_else(|error| panic!("{place}: {error}"));
            let summary = summarise(&store, &KeyRange::all()).unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!((summary.keys, hex::encode(summary.sha256)), (expected.keys, expected.sha256), "{place}");
        }
    }
}

#[test]
fn every_database_of_every_home_is_recognised() {
    for home in homes::all() {
        let unpacked = home.unpack();
        for expected in home.databases() {
            let found = detect(&unpacked.path(&expected.path));
            let place = format!("{} {}", home.name, expected.path.display());
            let found = found.unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(found.engine.config_name(), expected.engine, "{place}: {found:?}");
        }
    }
}

#[test]
fn what_our_writers_make_is_recognised_full_and_empty() {
    for (target, engine, format) in [
        (LsmTarget::LevelDb, EngineKind::LevelDb, 0),
        (LsmTarget::PebbleV1, EngineKind::Pebble, 1),
        (LsmTarget::PebbleV2, EngineKind::Pebble, 13),
    ] {
        for rows in [&rows::tricky()[..], &[]] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let dir = folder.path().join("target.db");
            let options = LsmWriterOptions::default();
            let writer = LsmWriter::new(target, &folder.path().join("parts"), &dir, options).expect("writer");
            let mut shard = writer.shard(0).expect("shard");
            for (key, value) in rows {
                shard.put(key, value).expect("put");
            }
            writer.seal(&[shard.finish().expect("finish")]).expect("seal");
            let found = detect(&dir).unwrap_or_else(|error| panic!("{target:?}: {error}"));
            assert_eq!((found.engine, found.pebble_format), (engine, format), "{target:?} {found:?}");
        }
    }
}

#[test]
fn reads_by_key_agree_with_the_scan() {
    for name in ["cometbft-0.38-goleveldb-killed", "cometbft-1.0-v2-pebble"] {
        let home = homes::named(name);
        let unpacked = home.unpack();
        for expected in home.databases() {
            let engine = own_engine(&expected.engine).expect("an engine of ours");
            let store = LsmStore::open(&unpacked.path(&expected.path), engine, 1 << 20).expect("open");
            let mut cursor = store.scan(&KeyRange::all()).expect("scan");
            let mut keys = 0;
            while let Some((key, value)) = cursor.next().expect("row") {
                assert_eq!(store.get(key).expect("get").as_deref(), Some(value), "{}", key.escape_ascii());
                let beside = [key, &[0]].concat();
                assert_eq!(store.get(&beside).expect("get"), None, "{}", beside.escape_ascii());
                keys += 1;
            }
            assert_eq!(keys, expected.keys);
        }
    }
}
