//! Which engine a folder belongs to: refusals and contradictions.

use std::fs;
use std::path::Path;

use ledger_formats::engine::EngineKind;
use ledger_formats::engine::detect::{DetectError, TableFamily, detect};
use ledger_formats::store::StoreError;

use crate::lsm_bytes::Manifest;
use crate::lsm_world::World;

/// Name and content of a file.
type Named<'a> = (&'a str, &'a [u8]);

fn folder(files: &[Named<'_>]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).expect("file");
    }
    dir
}

/// A folder of the LevelDB family that has tables.
fn family(engine: EngineKind) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    World::new(engine, 3).steps(40).write_to(dir.path());
    dir
}

const PEBBLE_OPTIONS: &[u8] = b"[Version]\n  pebble_version=0.1\n\n[Options]\n  comparer=leveldb.BytewiseComparator\n";
const ROCKS_OPTIONS: &[u8] = b"[Version]\n  rocksdb_version=9.1.1\n[CFOptions \"default\"]\n";
const SLED_CONF: &[u8] = b"segment_size: 524288\nuse_compression: false\nversion: 0.34\n....";

fn refused(path: &Path) -> DetectError {
    detect(path).expect_err("refused")
}

#[test]
fn other_engines_are_refused_by_name() {
    let mut bolt = vec![0; 4096];
    bolt[16..20].copy_from_slice(&0xED0C_DAED_u32.to_le_bytes());
    let files: [(&str, &[u8], &str); 2] = [("a.db", &bolt, "BoltDB"), ("b.db", b"SQLite format 3\0....", "SQLite")];
    for (name, bytes, engine) in files {
        let dir = folder(&[(name, bytes)]);
        let error = refused(&dir.path().join(name));
        assert!(matches!(&error, DetectError::Foreign { engine: found, .. } if *found == engine), "{error}");
    }
    let folders: [(&[Named<'_>], &str); 3] = [
        (&[("KEYREGISTRY", b"x"), ("MANIFEST", b"Bdgr\0\0\0\x08"), ("000001.vlog", b"")], "BadgerDB"),
        (&[("MANIFEST", b"Bdgr\0\0\0\x04")], "BadgerDB"),
        (&[("mdbx.dat", b"x"), ("mdbx.lck", b"")], "MDBX"),
    ];
    for (files, engine) in folders {
        let error = refused(folder(files).path());
        assert!(matches!(&error, DetectError::Foreign { engine: found, .. } if *found == engine), "{error}");
    }
}

#[test]
fn what_is_no_database_is_told_apart() {
    assert!(matches!(refused(folder(&[]).path()), DetectError::Empty { .. }));
    assert!(matches!(refused(folder(&[("notes.txt", b"x")]).path()), DetectError::Unknown { .. }));
    assert!(matches!(refused(folder(&[("LOCK", b"")]).path()), DetectError::Unknown { .. }));
    let dir = folder(&[("file", b"x")]);
    assert!(matches!(refused(&dir.path().join("file")), DetectError::Unknown { .. }));
    assert!(matches!(refused(&dir.path().join("absent")), DetectError::Store(StoreError::Io { .. })));
}

#[test]
fn sled_is_known_by_its_settings_and_refused_when_compressed() {
    let found = detect(folder(&[("conf", SLED_CONF), ("db", b"")]).path()).expect("sled");
    assert_eq!((found.engine, found.release.as_deref()), (EngineKind::Sled, Some("0.34")));
    for (from, to, named) in [("false", "true", "use_compression"), ("0.34", "1.00", "sled 1.00")] {
        let conf = String::from_utf8_lossy(SLED_CONF).replace(from, to);
        let error = refused(folder(&[("conf", conf.as_bytes()), ("db", b"")]).path()).to_string();
        assert!(error.contains(named), "{error}");
    }
    assert!(detect(folder(&[("conf", b"hello"), ("db", b"")]).path()).is_err());
}

#[test]
fn tables_and_manifest_tell_without_options() {
    let found = detect(family(EngineKind::LevelDb).path()).expect("LevelDB");
    assert_eq!(found.engine, EngineKind::LevelDb);
    assert_eq!(found.table_formats.into_iter().collect::<Vec<_>>(), [TableFamily::LevelDb]);
    let found = detect(family(EngineKind::Pebble).path()).expect("Pebble");
    assert_eq!((found.engine, found.pebble_format), (EngineKind::Pebble, 1));
    assert_eq!(found.table_formats.into_iter().collect::<Vec<_>>(), [TableFamily::RocksDb]);
}

#[test]
fn leftovers_of_another_engine_are_no_signs() {
    let dir = family(EngineKind::Pebble);
    for (name, bytes) in [("OPTIONS-000077", PEBBLE_OPTIONS), ("CURRENT.bak", b"MANIFEST-000000\n"), ("LOG", b"=====")]
    {
        fs::write(dir.path().join(name), bytes).expect("file");
    }
    fs::write(dir.path().join("000002.ldb"), b"dead").expect("dead table");
    assert_eq!(detect(dir.path()).expect("Pebble").engine, EngineKind::Pebble);
}

#[test]
fn signs_of_two_engines_are_both_named() {
    let cases: [(EngineKind, &str, &[u8], [EngineKind; 2]); 4] = [
        (EngineKind::LevelDb, "OPTIONS-000077", PEBBLE_OPTIONS, [EngineKind::Pebble, EngineKind::LevelDb]),
        (EngineKind::LevelDb, "OPTIONS-000077", ROCKS_OPTIONS, [EngineKind::RocksDb, EngineKind::LevelDb]),
        (EngineKind::LevelDb, "marker.format-version.000001.001", b"", [EngineKind::Pebble, EngineKind::LevelDb]),
        (EngineKind::Pebble, "marker.format-version.000001.001", b"", [EngineKind::Pebble, EngineKind::RocksDb]),
    ];
    for (engine, name, bytes, expected) in cases {
        let dir = family(engine);
        fs::write(dir.path().join(name), bytes).expect("file");
        if expected[1] == EngineKind::RocksDb {
            fs::write(dir.path().join("OPTIONS-000070"), ROCKS_OPTIONS).expect("file");
        }
        let error = refused(dir.path());
        let DetectError::Contradiction { first, second, first_sign, second_sign, .. } = &error else {
            panic!("{error}")
        };
        let mut found = [*first, *second];
        found.sort_by_key(|engine| expected.iter().position(|other| other == engine));
        assert_eq!(found, expected, "{error}");
        assert!(!first_sign.is_empty() && !second_sign.is_empty());
    }
}

#[test]
fn settings_that_would_hide_rows_are_refused() {
    for (line, named) in [
        ("  wal_dir=/somewhere/else", "logs in another folder"),
        ("  comparer=cockroach_comparator", "cockroach_comparator"),
    ] {
        let dir = family(EngineKind::Pebble);
        let options = [PEBBLE_OPTIONS, line.as_bytes(), b"\n"].concat();
        fs::write(dir.path().join("OPTIONS-000077"), options).expect("file");
        let error = refused(dir.path()).to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn an_old_leveldb_with_sst_names_and_an_empty_one_are_leveldb() {
    let dir = family(EngineKind::LevelDb);
    for entry in fs::read_dir(dir.path()).expect("folder") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|end| end == "ldb") {
            fs::rename(&path, path.with_extension("sst")).expect("rename");
        }
    }
    assert_eq!(detect(dir.path()).expect("LevelDB").engine, EngineKind::LevelDb);
    let empty = folder(&[("CURRENT", b"MANIFEST-000001\n"), ("MANIFEST-000001", &Manifest::new(3, 4, 0).bytes())]);
    assert_eq!(detect(empty.path()).expect("LevelDB").engine, EngineKind::LevelDb);
}
