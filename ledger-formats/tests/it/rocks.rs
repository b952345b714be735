//! What only RocksDB has: logs that are replayed, tables that older releases read, damaged blocks.

use std::fs;
use std::path::{Path, PathBuf};

use ledger_formats::digest::{Summary, summarise};
use ledger_formats::engine::rocks::{RocksReadOptions, RocksStore, RocksWriteOptions, RocksWriter};
use ledger_formats::store::{BulkWriter, KeyRange, ReadStore, StoreError};

use crate::contract::{Adapter, Place};
use crate::homes;
use crate::rows::{self, Row};

/// Written by nodes on RocksDB 7.8.
const HOME: &str = "cometbft-0.38-rocksdb";

/// RocksDB under the contract, with tables small enough that there are several.
#[derive(Default)]
pub struct Rocks;

impl Adapter for Rocks {
    fn writer<'a>(&'a self, place: &Place) -> Result<Box<dyn BulkWriter + 'a>, StoreError> {
        let limits = RocksWriteOptions { table_bytes_max: 300 << 10 };
        Ok(Box::new(RocksWriter::new(&place.parts(), &place.target(), limits)?))
    }

    fn open<'a>(&'a self, place: &Place) -> Result<Box<dyn ReadStore + 'a>, StoreError> {
        Ok(Box::new(open(&place.target())?))
    }
}

fn open(dir: &Path) -> Result<RocksStore, StoreError> {
    RocksStore::open_snapshot(dir, &RocksReadOptions::default())
}

fn read(dir: &Path) -> Result<Summary, StoreError> {
    summarise(&open(dir)?, &KeyRange::all())
}

/// A sealed database of one table.
fn sealed(folder: &Path, rows: &[Row]) -> PathBuf {
    let target = folder.join("target.db");
    let writer = RocksWriter::new(&folder.join("parts"), &target, RocksWriteOptions::default()).expect("writer");
    let mut shard = writer.shard(0).expect("shard");
    for (key, value) in rows {
        shard.put(key, value).expect("put");
    }
    let finished = shard.finish().expect("finish");
    writer.seal(&[finished]).expect("seal");
    target
}

/// Names, bytes and modification times of all files below a folder.
fn listing(dir: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files.extend(listing(&path));
        } else {
            let modified = path.metadata().and_then(|metadata| metadata.modified()).expect("metadata");
            files.push((path.clone(), std::fs::read(&path).expect("bytes"), modified));
        }
    }
    files.sort();
    files
}

fn table_of(dir: &Path) -> PathBuf {
    let mut tables = listing(dir).into_iter().filter(|(path, ..)| path.extension().is_some_and(|name| name == "sst"));
    tables.next().expect("a table").0
}

#[test]
fn reading_changes_nothing() {
    let home = homes::named(HOME).unpack();
    let data = home.path(Path::new("data"));
    let before = listing(&data);
    for database in ["blockstore.db", "state.db", "evidence.db", "tx_index.db"] {
        let store = open(&data.join(database)).expect("open");
        store.split_points(1).expect("points");
        summarise(&store, &KeyRange::all()).expect("scan");
    }
    assert!(listing(&data) == before, "a file came, went or changed");
}

#[test]
fn real_databases_read_as_their_oracle_says() {
    let home = homes::named(HOME);
    let unpacked = home.unpack();
    let databases: Vec<_> = home.databases().into_iter().filter(|database| database.engine == "rocksdb").collect();
    assert_eq!(databases.len(), 4);
    for database in databases {
        let store = open(&unpacked.path(&database.path)).expect("open");
        let found = summarise(&store, &KeyRange::all()).expect("scan");
        let name = database.path.display();
        assert_eq!((found.keys, hex::encode(found.sha256)), (database.keys, database.sha256), "{name}");
        assert_eq!(store.stats().log_entries > 0, found.keys > 0, "{name}: the newest rows are only in the log");
    }
}

#[test]
fn a_flipped_bit_in_a_table_is_corrupt_at_its_place() {
    let folder = tempfile::tempdir().expect("folder");
    let target = sealed(folder.path(), &rows::tricky());
    let table = table_of(&target);
    let mut bytes = fs::read(&table).expect("bytes");
    let at = bytes.len() / 3;
    bytes[at] ^= 1;
    fs::write(&table, bytes).expect("damage");
    match read(&target) {
        Err(StoreError::Corrupt(place)) => {
            assert_eq!(place.file, table);
            assert!(place.offset.is_some_and(|offset| offset <= at as u64), "{place:?}");
        }
        other => panic!("{other:?}"),
    }
    let store = open(&target).expect("open");
    let mut cursor = store.scan(&KeyRange::all()).expect("scan");
    while cursor.next().is_ok_and(|row| row.is_some()) {}
    assert!(matches!(cursor.next(), Err(StoreError::Corrupt(_))), "the error repeats");
}

#[test]
fn a_flipped_bit_in_a_log_is_corrupt_and_a_torn_end_is_not() {
    let home = homes::named(HOME).unpack();
    let state = home.path(Path::new("data/state.db"));
    let log = state.join("000027.log");
    let whole = read(&state).expect("whole");
    let clean = fs::read(&log).expect("bytes");
    fs::write(&log, &clean[..clean.len() - 5]).expect("tear");
    let torn = read(&state).expect("a torn end");
    assert!(torn.keys > 0 && torn != whole, "the last record is gone");
    let mut damaged = clean.clone();
    damaged[clean.len() / 2] ^= 1;
    fs::write(&log, damaged).expect("damage");
    match read(&state) {
        Err(StoreError::Corrupt(place)) => assert_eq!(place.file, log, "{place}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn missing_and_shortened_tables_are_corrupt() {
    for shortened in [false, true] {
        let folder = tempfile::tempdir().expect("folder");
        let target = sealed(folder.path(), &rows::tricky());
        let table = table_of(&target);
        let bytes = fs::read(&table).expect("bytes");
        fs::remove_file(&table).expect("remove");
        if shortened {
            fs::write(&table, &bytes[..bytes.len() - 100]).expect("shorten");
        }
        match read(&target) {
            Err(StoreError::Corrupt(place)) => assert_eq!(place.file, table, "{place}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn further_column_families_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("folder");
    let mut db = rocksdb::DB::open_default(folder.path()).expect("open");
    db.create_cf("versions", &rocksdb::Options::default()).expect("column family");
    drop(db);
    let refused = open(folder.path()).expect_err("two column families").to_string();
    assert!(refused.ends_with("the further column family `versions` is not supported"), "{refused}");
}

#[test]
fn another_comparator_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("folder");
    let mut options = rocksdb::Options::default();
    options.create_if_missing(true);
    options.set_comparator("backwards", Box::new(|a, b| b.cmp(a)));
    drop(rocksdb::DB::open(&options, folder.path()).expect("open"));
    let refused = open(folder.path());
    assert!(
        matches!(refused, Err(StoreError::Unsupported { ref feature, .. }) if feature.contains("backwards")),
        "{refused:?}"
    );
}

#[test]
fn merge_records_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("folder");
    let mut options = rocksdb::Options::default();
    options.create_if_missing(true);
    options.set_merge_operator_associative("join", |_, _, _| Some(b"merged".to_vec()));
    let db = rocksdb::DB::open(&options, folder.path()).expect("open");
    db.merge(b"a", b"1").expect("merge");
    drop(db);
    let refused = read(folder.path());
    assert!(matches!(refused, Err(StoreError::Unsupported { .. })), "{refused:?}");
}

#[test]
fn a_sealed_folder_holds_nothing_of_this_machine_or_release() {
    let folder = tempfile::tempdir().expect("folder");
    let target = sealed(folder.path(), &rows::tricky());
    let files = listing(&target);
    let names: Vec<_> = files.iter().filter_map(|(path, ..)| path.file_name()?.to_str()).collect();
    assert!(!names.iter().any(|name| name.starts_with("OPTIONS") || name.starts_with("LOG")), "{names:?}");
    for (path, bytes, _) in &files {
        let property = b"host.identity";
        assert!(!bytes.windows(property.len()).any(|window| window == property), "{}", path.display());
    }
    assert_eq!(fs::read_dir(folder.path().join("parts")).expect("parts").count(), 0);
    let beside: Vec<_> =
        fs::read_dir(folder.path()).expect("folder").map(|entry| entry.expect("entry").file_name()).collect();
    assert_eq!(beside.len(), 2, "{beside:?}");
}

#[test]
fn one_large_table_is_cut_inside() {
    let folder = tempfile::tempdir().expect("folder");
    let rows: Vec<Row> = (0..4_000_u64).map(|i| (format!("k{i:06}").into_bytes(), rows::noise(i, 1_000))).collect();
    let target = sealed(folder.path(), &rows);
    let store = open(&target).expect("open");
    let points = store.split_points(400_000).expect("points");
    assert!((8..=11).contains(&points.len()), "{} points", points.len());
    let starts = std::iter::once(Vec::new()).chain(points.clone());
    let ends = points.iter().cloned().map(Some).chain([None]);
    for (start, end) in starts.zip(ends) {
        let keys = summarise(&store, &KeyRange { start, end }).expect("piece").keys;
        assert!((150..=900).contains(&keys), "a piece of {keys} rows");
    }
}
