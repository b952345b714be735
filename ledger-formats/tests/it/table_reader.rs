//! Tables that real engines wrote or accepted, and tables of every kind that is read or refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger_formats::engine::block_cache::BlockCache;
use ledger_formats::engine::checksum::Checksum;
use ledger_formats::engine::footer::TableFormat;
use ledger_formats::engine::internal_key::{Kind, split};
use ledger_formats::engine::table::{RangeTombstone, Table, TableCursor};
use ledger_formats::store::StoreError;

use crate::assembled::{Assembly, Body, block, encoded, internal};
use crate::homes;

/// Internal keys and values.
pub type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// A table in a file of its own.
pub struct OnDisk {
    _folder: tempfile::TempDir,
    pub path: PathBuf,
}

impl OnDisk {
    pub fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("000001.ldb");
        std::fs::write(&path, bytes).expect("write");
        Self { _folder: folder, path }
    }

    pub fn open(&self) -> Result<Arc<Table>, StoreError> {
        open(&self.path, self.path.metadata().expect("metadata").len())
    }
}

pub fn open(path: &Path, size: u64) -> Result<Arc<Table>, StoreError> {
    Table::open(path, size, &BlockCache::new(1 << 20))
}

/// Reads to the end or to the first error.
pub fn read(mut cursor: TableCursor) -> Result<Entries, StoreError> {
    let mut entries = Vec::new();
    while cursor.next()? {
        entries.push((cursor.key().to_vec(), cursor.value().to_vec()));
    }
    Ok(entries)
}

/// Reads with the cache and with readahead, which must agree.
pub fn read_all(table: &Arc<Table>) -> Result<Entries, StoreError> {
    let entries = read(table.cursor(0))?;
    for readahead in [1, 1000, 1 << 20] {
        assert_eq!(read(table.cursor(readahead))?, entries);
    }
    Ok(entries)
}

fn refusal(bytes: &[u8]) -> String {
    match OnDisk::new(bytes).open().and_then(|table| read_all(&table)) {
        Err(StoreError::Unsupported { feature, .. }) => feature,
        other => panic!("not refused: {other:?}"),
    }
}

/// Tables of "k" = "v" that the engines opened, wrote to and compacted.
const LEVELDB: &str = "0009016b01000000000000007600000000010000000089e33ec1000000000100000000c0f2a1b00009026b0100000000000000001500\
     00000001000000003ccdb6f21a08271600000000000000000000000000000000000000000000000000000000000000000000000057fb\
     808b247547db";
const PEBBLE_V1: &str = "0009016b01000000000000007600000000010000000089e33ec10009026b010000000000000000150000000001000000003ccdb6f200\
     121a726f636b7364622e636f6d70617261746f726c6576656c64622e4279746577697365436f6d70617261746f720000000001000000\
     000cc6187f001202726f636b7364622e70726f7065727469657335370000000001000000005a62741301711f1a160000000000000000\
     0000000000000000000000000000000000000000000000000000000002000000f7cff485b741e288";
const UNIVERSAL: &str = "0009016b01000000000000007600000000010000000089e33ec10009026b010000000000000000150000000001000000003ccdb6f200\
     121a726f636b7364622e636f6d70617261746f726c6576656c64622e4279746577697365436f6d70617261746f720000000001000000\
     000cc6187f001202726f636b7364622e70726f7065727469657335370000000001000000005a627413711f1a16000000000000000000\
     00000000000000000000000000000000000000000000000000000057fb808b247547db";
/// Written by goleveldb (120 bytes), then made a Pebble table by what was appended.
const APPENDED: &str = "15500009016b01010000000000007600000000010000000198bec148081c00000000010000000106349f9016540009026b0101000000\
     00000000170000000001000000018152fc5a1c0a2b180000000000000000000000000000000000000000000000000000000000000000\
     0000000057fb808b247547db002404726f636b7364622e626c6f636b2e62617365642e7461626c652e696e6465782e74797065000000\
     00080a1a636f6d70617261746f726c6576656c64622e4279746577697365436f6d70617261746f72080901646174612e73697a652b00\
     00000001000000002848d3b6001202726f636b7364622e70726f706572746965737867000000000100000000e215139301e4011f2b18\
     000000000000000000000000000000000000000000000000000000000000000000000001000000f09faab3f09faab3";

#[test]
fn tables_that_the_engines_accepted() {
    for table in [LEVELDB, PEBBLE_V1, UNIVERSAL] {
        let table = OnDisk::new(&hex::decode(table).expect("hex")).open().expect(table);
        assert_eq!(read_all(&table).expect("read"), [(internal(b"k", 0, Kind::Set), b"v".to_vec())]);
    }
    let appended = OnDisk::new(&hex::decode(APPENDED).expect("hex"));
    for size in [120, 317] {
        let table = open(&appended.path, size).expect("either footer");
        assert_eq!(read_all(&table).expect("read"), [(internal(b"k", 1, Kind::Set), b"v".to_vec())]);
    }
}

#[test]
fn every_table_of_two_real_homes() {
    for (home, expected) in [("cometbft-0.38-goleveldb", 9), ("cometbft-1.0-v2-pebble", 9)] {
        let home = homes::named(home).unpack();
        let mut tables = 0;
        for folder in std::fs::read_dir(home.path(Path::new("data"))).expect("data") {
            let Ok(files) = std::fs::read_dir(folder.expect("entry").path()) else { continue };
            for file in files.map(|file| file.expect("entry").path()) {
                if file.extension().is_some_and(|extension| extension == "ldb" || extension == "sst") {
                    check_table(&file);
                    tables += 1;
                }
            }
        }
        assert_eq!(tables, expected);
    }
}

fn check_table(path: &Path) {
    let size = path.metadata().expect("metadata").len();
    let table = open(path, size).unwrap_or_else(|error| panic!("{error}"));
    let entries = read_all(&table).unwrap_or_else(|error| panic!("{error}"));
    assert!(!entries.is_empty(), "{}", path.display());
    assert!(entries.iter().all(|(key, _)| split(key).is_some()));
    let points = table.index_points().expect("index");
    assert!(points.iter().map(|(_, bytes)| bytes).sum::<u64>() <= size);
    let (last, _) = points.last().expect("a last piece");
    assert!(entries.iter().all(|(key, _)| split(key).is_some_and(|(user, ..)| user <= last)));
    let mut cursor = table.cursor(0);
    for (key, value) in entries.iter().step_by(37) {
        assert!(cursor.seek(key).expect("seek"));
        assert_eq!((cursor.key(), cursor.value()), (&key[..], &value[..]));
    }
}

#[test]
fn zstd_xxhash_and_all_kinds_of_pebble() {
    let entries = [
        (internal(b"a", 9, Kind::Set), &b"value"[..]),
        (internal(b"a", 7, Kind::Delete), b""),
        (internal(b"b", 8, Kind::SingleDelete), b""),
        (internal(b"c", 8, Kind::SetWithDelete), &[7; 3000]),
        (internal(b"d", 1, Kind::DeleteSized), b"\x05"),
    ];
    let tombstone = (internal(b"aa", 5, Kind::RangeDelete), &b"zz"[..]);
    let mut table = Assembly::new(Checksum::XxHash64);
    table.data(&entries[4].0, Body::Zstd(block(&entries)));
    table.meta("rocksdb.range_del2", Body::Raw(block(&[tombstone])));
    let table = OnDisk::new(&table.finish(TableFormat::PebbleV2)).open().expect("open");
    let expected: Entries = entries.iter().map(|(key, value)| (key.clone(), value.to_vec())).collect();
    assert_eq!(read_all(&table).expect("read"), expected);
    let tombstone = RangeTombstone { start: b"aa".to_vec(), end: b"zz".to_vec(), sequence: 5 };
    assert_eq!(table.range_deletions().expect("range deletions"), [tombstone]);
}

#[test]
fn records_that_are_not_read_are_refused_for_ever() {
    for (kind, name) in
        [(Kind::Merge, "a MERGE record among the data"), (Kind::RangeDelete, "a RANGEDEL record among the data")]
    {
        let entries = [
            (internal(b"a", 2, Kind::Set), &b"1"[..]),
            (internal(b"b", 2, kind), b"2"),
            (internal(b"c", 2, Kind::Set), b"3"),
        ];
        let mut table = Assembly::new(Checksum::Crc32c);
        table.data(&entries[2].0, Body::Raw(block(&entries)));
        let bytes = table.finish(TableFormat::PebbleV1);
        assert_eq!(refusal(&bytes), name);
        let on_disk = OnDisk::new(&bytes);
        let mut cursor = on_disk.open().expect("open").cursor(0);
        assert!(cursor.next().expect("the entry before it"));
        for _ in 0..3 {
            assert!(matches!(cursor.next(), Err(StoreError::Unsupported { .. })));
        }
        assert!(matches!(cursor.seek(&internal(b"b", 9, Kind::Set)), Err(StoreError::Unsupported { .. })));
        assert!(cursor.seek(&entries[2].0).expect("behind it"));
    }
}

#[test]
fn features_that_are_not_read_are_refused_by_name() {
    for (name, feature) in [("pebble.range_key", "range keys"), ("pebble.value_index", "values in value blocks")] {
        let mut table = Assembly::new(Checksum::Crc32c);
        table.data(&internal(b"a", 1, Kind::Set), Body::Raw(block(&[(internal(b"a", 1, Kind::Set), b"1")])));
        table.meta(name, Body::Raw(block(&[])));
        assert_eq!(refusal(&table.finish(TableFormat::PebbleV2)), feature);
    }
    let mut newer = hex::decode(PEBBLE_V1).expect("hex");
    let magic = newer.len() - 8;
    newer[magic - 4] = 6;
    assert_eq!(refusal(&newer), "table format RocksDB v6");
    newer[magic..].copy_from_slice(&[0xf0, 0x9f, 0xaa, 0xb3, 0xf0, 0x9f, 0xaa, 0xb3]);
    assert_eq!(refusal(&newer), "table format Pebble v6");
}

#[test]
fn a_damaged_piece_of_a_two_level_index_is_never_passed_over() {
    let entry = |user: &[u8]| (internal(user, 1, Kind::Set), &b"value"[..]);
    let mut table = Assembly::new(Checksum::Crc32c);
    let mut pieces = Vec::new();
    for user in [b"a", b"b", b"c"] {
        let (key, _) = entry(user);
        let data = table.block(Body::Raw(block(&[entry(user)])));
        let piece = table.block(Body::Raw(block(&[(key.clone(), &encoded(data))])));
        pieces.push((key, encoded(piece)));
    }
    table.meta(
        "rocksdb.properties",
        Body::Raw(block(&[(b"rocksdb.block.based.table.index.type".to_vec(), &[2, 0, 0, 0])])),
    );
    let top: Vec<_> = pieces.iter().map(|(key, handle)| (key.clone(), &handle[..])).collect();
    let top = table.block(Body::Raw(block(&top)));
    let mut bytes = table.finish_with(top, TableFormat::PebbleV1);
    assert_eq!(read_all(&OnDisk::new(&bytes).open().expect("open")).expect("read").len(), 3);

    // The second piece lies behind the second data block.
    let second = bytes.windows(6).position(|window| window == b"bvalue" || window.starts_with(b"b\x01")).expect("b");
    let piece =
        bytes[second + 1..].windows(2).position(|window| window == b"b\x01").expect("in the index") + second + 1;
    bytes[piece] ^= 1;
    let on_disk = OnDisk::new(&bytes);
    for readahead in [0, 1 << 16] {
        let mut cursor = on_disk.open().expect("open").cursor(readahead);
        assert!(cursor.next().expect("the entry before it"));
        for _ in 0..3 {
            let error = cursor.next().expect_err("damaged");
            assert!(matches!(&error, StoreError::Corrupt(place) if place.range.is_none()), "{error}");
        }
        assert!(cursor.seek(&internal(b"c", 9, Kind::Set)).expect("behind it"));
        assert!(cursor.seek(&internal(b"b", 9, Kind::Set)).is_err());
        assert!(cursor.next().is_err(), "the failed seek is done again");
    }
}
