//! Snapshots: exact, without a trace in the source, and whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ledger_formats::digest::{Summary, summarise};
use ledger_formats::engine::EngineKind;
use ledger_formats::engine::fingerprint::fingerprint;
use ledger_formats::engine::lock::lock_exclusive;
use ledger_formats::engine::lsm::LsmStore;
use ledger_formats::engine::snapshot::{Method, Snapshot, SnapshotError, take};
use ledger_formats::store::KeyRange;

use crate::{crash, homes};

/// Name, bytes and modification time of every file.
type Traces = BTreeMap<PathBuf, (Vec<u8>, (i64, i64))>;

fn traces(dir: &Path) -> Traces {
    let entries = fs::read_dir(dir).expect("folder").map(|entry| entry.expect("entry").path());
    entries
        .map(|path| {
            let meta = fs::metadata(&path).expect("metadata");
            let bytes = fs::read(&path).expect("bytes");
            (path, (bytes, (meta.mtime(), meta.mtime_nsec())))
        })
        .collect()
}

fn digest(dir: &Path, engine: EngineKind) -> Summary {
    summarise(&LsmStore::open(dir, engine, 0).expect("open"), &KeyRange::all()).expect("scan")
}

/// Databases of one home: path and engine, of the engines that are read without a library.
fn databases(name: &str) -> (homes::Unpacked, Vec<(PathBuf, EngineKind)>) {
    let home = homes::named(name);
    let unpacked = home.unpack();
    let databases = home.databases().into_iter().filter_map(|expected| {
        let engine = match expected.engine.as_str() {
            "goleveldb" => EngineKind::LevelDb,
            "pebbledb" => EngineKind::Pebble,
            _ => return None,
        };
        Some((unpacked.path(&expected.path), engine))
    });
    let databases = databases.collect();
    (unpacked, databases)
}

#[test]
fn every_database_is_taken_whole_and_left_alone() {
    for home in homes::all() {
        let unpacked = home.unpack();
        for expected in home.databases() {
            let source = unpacked.path(&expected.path);
            let before = traces(&source);
            let into = source.with_extension("snapshot");
            let snapshot = take(&source, &into).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
            assert_eq!(traces(&source), before, "{}", source.display());
            assert_eq!(snapshot.engine.config_name(), expected.engine);
            assert_eq!(snapshot.method, Method::Linked);
            assert_eq!(snapshot.fingerprint, fingerprint(&source).expect("fingerprint"));
            if snapshot.engine != EngineKind::RocksDb {
                let summary = digest(&into, snapshot.engine);
                assert_eq!((summary.keys, hex::encode(summary.sha256)), (expected.keys, expected.sha256));
            }
            assert_eq!(Snapshot::reopen(&into).expect("reopen"), snapshot);
        }
    }
}

#[test]
fn the_fingerprint_moves_with_a_log_a_manifest_and_a_table_and_with_nothing_else() {
    let (_home, databases) = databases("cometbft-0.38-goleveldb");
    let (dir, _) = databases.iter().find(|(dir, _)| dir.ends_with("state.db")).expect("state.db");
    let first = fingerprint(dir).expect("fingerprint");
    fs::write(dir.join("LOG"), b"something").expect("LOG");
    fs::remove_file(dir.join("LOCK")).expect("LOCK");
    fs::write(dir.join("000001.ldb"), b"dead").expect("dead table");
    fs::write(dir.join("000002.log"), b"dead").expect("dead log");
    assert_eq!(fingerprint(dir).expect("fingerprint"), first);
    let live = |suffix: &str| {
        let mut files: Vec<PathBuf> =
            fs::read_dir(dir).expect("folder").map(|entry| entry.expect("entry").path()).collect();
        files.retain(|path| path.to_string_lossy().contains(suffix));
        files.sort();
        files.pop().expect("a file")
    };
    for file in [live(".log"), live(".ldb")] {
        let bytes = fs::read(&file).expect("bytes");
        fs::write(&file, [&bytes[..], b"x"].concat()).expect("append");
        assert_ne!(fingerprint(dir).expect("fingerprint"), first, "{}", file.display());
        fs::write(&file, &bytes).expect("restore");
        assert_eq!(fingerprint(dir).expect("fingerprint"), first);
    }
    // A torn end of the manifest is nothing, a further record is something.
    let manifest = live("MANIFEST-");
    let bytes = fs::read(&manifest).expect("bytes");
    fs::write(&manifest, [&bytes[..], b"torn"].concat()).expect("append");
    assert_eq!(fingerprint(dir).expect("fingerprint"), first);
    let next_file = [3, 0xff, 1];
    let record = [&crc_header(&next_file)[..], &next_file].concat();
    fs::write(&manifest, [&bytes[..], &record].concat()).expect("append");
    assert_ne!(fingerprint(dir).expect("fingerprint"), first);
}

fn crc_header(payload: &[u8]) -> [u8; 7] {
    let crc = ledger_formats::engine::checksum::masked_crc(&[&[1], payload]).to_le_bytes();
    let length = u8::try_from(payload.len()).expect("short");
    [crc[0], crc[1], crc[2], crc[3], length, 0, 1]
}

#[test]
fn a_take_that_was_cut_at_any_step_leaves_nothing_that_passes_for_a_snapshot() {
    let (_home, databases) = databases("cometbft-0.38-pebble");
    let (source, engine) = &databases[0];
    let expected = digest(source, *engine);
    let into = source.with_extension("snapshot");
    for step in 0.. {
        let (result, cut) = crash::at_step(step, || take(source, &into));
        if !cut {
            result.expect("the last one runs through");
            break;
        }
        result.expect_err("cut");
        if let Ok(snapshot) = Snapshot::reopen(&into) {
            assert_eq!(digest(&snapshot.dir, *engine), expected, "step {step}");
        }
        take(source, &into).expect("again");
        assert_eq!(digest(&into, *engine), expected, "step {step}");
    }
}

#[test]
fn what_is_no_snapshot_is_never_removed() {
    let (_home, databases) = databases("cometbft-0.38-goleveldb-onelog");
    let into = tempfile::tempdir().expect("a temporary folder");
    fs::write(into.path().join("precious"), b"x").expect("file");
    let refused = take(&databases[0].0, into.path());
    assert!(matches!(refused, Err(SnapshotError::NotASnapshot { .. })), "{refused:?}");
    assert_eq!(fs::read(into.path().join("precious")).expect("still there"), b"x");
}

#[test]
fn a_snapshot_whose_files_were_changed_does_not_reopen() {
    let (_home, databases) = databases("cometbft-0.38-goleveldb-onelog");
    let (source, _) = &databases[0];
    let into = source.with_extension("snapshot");
    take(source, &into).expect("take");
    let mut files = fs::read_dir(&into).expect("folder").map(|entry| entry.expect("entry").path());
    let log = files.find(|path| path.extension().is_some_and(|end| end == "log")).expect("a log");
    fs::write(&log, b"").expect("emptied");
    assert!(matches!(Snapshot::reopen(&into), Err(SnapshotError::Store(_))));
    assert!(matches!(Snapshot::reopen(source), Err(SnapshotError::NotASnapshot { .. })));
}

#[test]
fn logs_with_a_hole_are_refused() {
    let (_home, databases) = databases("cometbft-0.38-goleveldb-onelog");
    let source = databases.iter().map(|(dir, _)| dir).find(|dir| dir.ends_with("state.db")).expect("state.db");
    let log = source.join("000001.log");
    let bytes = fs::read(&log).expect("log");
    // The first record goes; the manifest says that nothing precedes it.
    let length = usize::from(u16::from_le_bytes([bytes[4], bytes[5]]));
    assert_eq!(bytes[6], 1, "a record of one chunk");
    let mut rest = bytes[7 + length..32768].to_vec();
    rest.truncate(7 + usize::from(u16::from_le_bytes([rest[4], rest[5]])));
    fs::write(&log, &rest).expect("cut log");
    let refused = take(source, &source.with_extension("snapshot"));
    assert!(matches!(refused, Err(SnapshotError::Hole { .. })), "{refused:?}");
}

/// What sled's files look like from outside.
fn sled_like() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(dir.path().join("blobs")).expect("blobs");
    for (name, bytes) in [
        ("conf", &b"segment_size: 524288\nuse_compression: false\nversion: 0.34\n...."[..]),
        ("db", &[7; 3 << 20]),
        ("snap.00000000000A", b"snap"),
        ("blobs/00000000000B", b"large"),
    ] {
        fs::write(dir.path().join(name), bytes).expect("file");
    }
    dir
}

#[test]
fn sled_is_copied_whole_while_nobody_has_it_open() {
    let source = sled_like();
    let into = source.path().with_extension("snapshot");
    let snapshot = take(source.path(), &into).expect("take");
    assert_eq!((snapshot.engine, snapshot.tables), (EngineKind::Sled, 4));
    assert_eq!(snapshot.method, Method::Copied { bytes: snapshot.table_bytes });
    assert_eq!(snapshot.fingerprint, fingerprint(source.path()).expect("fingerprint"));
    for name in ["conf", "db", "snap.00000000000A", "blobs/00000000000B"] {
        assert_eq!(fs::read(into.join(name)).expect("copy"), fs::read(source.path().join(name)).expect("source"));
    }
    assert_eq!(Snapshot::reopen(&into).expect("reopen"), snapshot);
    fs::write(source.path().join("snap.00000000000C"), b"moved").expect("file");
    assert_ne!(snapshot.fingerprint, fingerprint(source.path()).expect("fingerprint"));
    // As sled locks it.
    let engine = fs::File::open(source.path().join("db")).expect("file");
    engine.try_lock().expect("lock");
    let refused = take(source.path(), &into).expect_err("refused");
    assert!(matches!(refused, SnapshotError::InUse { .. }), "{refused}");
    engine.unlock().expect("unlock");
    // Who holds the locks against every engine may read, and holds them still.
    let lock = lock_exclusive(source.path()).expect("lock").expect("a lock file");
    take(source.path(), &into).expect("take");
    let engine = fs::File::open(source.path().join("db")).expect("file");
    assert!(engine.try_lock().is_err());
    drop(lock);
    fs::remove_dir_all(&into).expect("clean up");
}

#[test]
fn where_no_link_is_possible_tables_are_copied() {
    let (_home, databases) = databases("cometbft-0.38-goleveldb");
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else { return };
    let (source, engine) = &databases[0];
    let other_device = |path: &Path| fs::metadata(path).expect("metadata").dev();
    if other_device(source) == other_device(elsewhere.path()) {
        return;
    }
    let into = elsewhere.path().join("snapshot");
    let snapshot = take(source, &into).expect("take");
    assert!(matches!(snapshot.method, Method::Copied { bytes } if bytes >= snapshot.table_bytes), "{snapshot:?}");
    assert_eq!(digest(&into, *engine), digest(source, *engine));
    assert_eq!(snapshot.fingerprint, fingerprint(source).expect("fingerprint"));
}
