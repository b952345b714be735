//! What the table writer writes, the table reader reads, whatever the keys and values are.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger_formats::engine::block_codec::Compression;
use ledger_formats::engine::footer::TableFormat;
use ledger_formats::engine::internal_key::{Kind, SEQUENCE_MAX};
use ledger_formats::engine::lsm_writer::{LsmTarget, LsmWriter, LsmWriterOptions};
use ledger_formats::engine::properties::PropertySet;
use ledger_formats::engine::table::Table;
use ledger_formats::engine::table_writer::{ENTRY_BYTES_MAX, TableOptions, TableWriter, WrittenTable};
use ledger_formats::store::{BulkWriter, StoreError};
use proptest::prelude::*;

use crate::assembled::internal;
use crate::rows;
use crate::table_reader::{open, read_all};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn formats() -> impl Strategy<Value = TableFormat> {
    prop_oneof![
        Just(TableFormat::LevelDb),
        Just(TableFormat::RocksDbV2),
        Just(TableFormat::PebbleV1),
        Just(TableFormat::PebbleV2)
    ]
}

/// Bytes at the edges, long runs, and anything.
fn bytes(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let edge = prop_oneof![Just(0x00), Just(0x01), Just(0x7f), Just(0xfe), Just(0xff)];
    prop_oneof![
        4 => prop::collection::vec(edge, 0..6),
        2 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (any::<u8>(), 0..longest, any::<u8>()).prop_map(|(fill, length, last)| {
            let mut bytes = vec![fill; length];
            bytes.push(last);
            bytes
        }),
    ]
}

fn write(rows: &Model, options: TableOptions) -> (tempfile::TempDir, WrittenTable, Arc<Table>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("table");
    let mut writer = TableWriter::create(&path, options).expect("create");
    for (key, value) in rows {
        writer.add(key, value).expect("add");
    }
    let written = writer.finish().expect("finish");
    let table = open(&path, written.bytes).expect("open");
    (folder, written, table)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read(
        rows in prop::collection::btree_map(bytes(3000), bytes(3000), 1..120),
        targets in prop::collection::vec(bytes(100), 10),
        format in formats(),
        block_bytes in prop_oneof![Just(1_usize), Just(200), Just(4096)],
        compression in prop_oneof![Just(Compression::None), Just(Compression::Snappy)],
    ) {
        let options = TableOptions { format, properties: PropertySet::Pebble1, block_bytes, compression };
        let (_folder, written, table) = write(&rows, options);
        let expected: Vec<_> = rows.iter().map(|(key, value)| (internal(key, 0, Kind::Set), value.clone())).collect();
        prop_assert_eq!(read_all(&table).expect("read"), expected);
        prop_assert_eq!(written.entries, rows.len() as u64);
        prop_assert_eq!(Some(&written.smallest), rows.keys().next());
        prop_assert_eq!(Some(&written.largest), rows.keys().next_back());
        for readahead in [0, 500] {
            let mut cursor = table.cursor(readahead);
            for target in targets.iter().chain(rows.keys().step_by(5)) {
                let found = cursor.seek(&internal(target, SEQUENCE_MAX, Kind::Set)).expect("seek");
                let mut rest = rows.range(target.clone()..);
                let first = rest.next();
                prop_assert_eq!(found, first.is_some());
                if let Some((key, value)) = first {
                    prop_assert_eq!(cursor.key(), internal(key, 0, Kind::Set));
                    prop_assert_eq!(cursor.value(), &value[..]);
                    prop_assert_eq!(cursor.next().expect("next"), rest.next().is_some());
                }
            }
        }
    }
}

#[test]
fn one_key_as_the_engines_accepted_it_byte_for_byte() {
    // The data block and, for Pebble, the index behind it.
    let blocks =
        "0009016b01000000000000007600000000010000000089e33ec10009026b010000000000000000150000000001000000003ccdb6f2";
    for (target, table, entry_point) in [
        (LsmTarget::LevelDb, "000001.ldb", vec!["CURRENT"]),
        (LsmTarget::PebbleV1, "000001.sst", vec!["CURRENT", "OPTIONS-000003"]),
        (
            LsmTarget::PebbleV2,
            "000001.sst",
            vec!["marker.format-version.000001.013", "marker.manifest.000001.MANIFEST-000002"],
        ),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = folder.path().join("db");
        let writer =
            LsmWriter::new(target, &folder.path().join("parts"), &dir, LsmWriterOptions::default()).expect("writer");
        let mut shard = writer.shard(0).expect("shard");
        shard.put(b"k", b"v").expect("put");
        let finished = shard.finish().expect("finish");
        writer.seal(&[finished]).expect("seal");
        let mut names: Vec<_> = std::fs::read_dir(&dir)
            .expect("folder")
            .map(|entry| entry.expect("entry").file_name().into_string().expect("UTF-8"))
            .collect();
        names.sort();
        let mut expected = [vec![table, "MANIFEST-000002"], entry_point].concat();
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert!(hex::encode(std::fs::read(dir.join(table)).expect("table")).starts_with(blocks));
        if expected.contains(&"CURRENT") {
            assert_eq!(std::fs::read(dir.join("CURRENT")).expect("CURRENT"), b"MANIFEST-000002\n");
        }
        assert_eq!(std::fs::read_dir(folder.path().join("parts")).expect("parts").count(), 0);
    }
}

#[test]
fn pieces_of_the_index_cover_the_table() {
    let rows: Model = (0..5000_u64).map(|i| (format!("{i:08}").into_bytes(), rows::noise(i, 1000))).collect();
    for format in [TableFormat::LevelDb, TableFormat::PebbleV1] {
        let options = TableOptions {
            format,
            properties: PropertySet::Pebble2,
            block_bytes: 4096,
            compression: Compression::Snappy,
        };
        let (_folder, written, table) = write(&rows, options);
        let points = table.index_points().expect("points");
        assert!(points.len() >= 4, "{}", points.len());
        assert!(points.is_sorted_by(|(a, _), (b, _)| a < b));
        let bytes: u64 = points.iter().map(|(_, bytes)| bytes).sum();
        assert!(bytes < written.bytes && bytes > written.bytes * 9 / 10, "{bytes} of {}", written.bytes);
        assert!(points.last().is_some_and(|(last, _)| *last >= written.largest));
    }
}

#[test]
fn entries_beyond_the_limit_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = TableOptions {
        format: TableFormat::LevelDb,
        properties: PropertySet::Pebble2,
        block_bytes: 4096,
        compression: Compression::None,
    };
    let mut writer = TableWriter::create(&folder.path().join("table"), options).expect("create");
    let huge = vec![0; usize::try_from(ENTRY_BYTES_MAX).expect("64 bits")];
    let refused = writer.add(b"k", &huge);
    assert!(matches!(refused, Err(StoreError::TooLarge { limit: ENTRY_BYTES_MAX, .. })), "{refused:?}");
}
