//! Damage to tables: it is reported with its place, and no reader panics, stalls or makes rows up.

use std::path::Path;
use std::sync::Arc;

use ledger_formats::engine::block_codec::Compression;
use ledger_formats::engine::checksum::Checksum;
use ledger_formats::engine::footer::TableFormat;
use ledger_formats::engine::internal_key::{self, Kind};
use ledger_formats::engine::properties::PropertySet;
use ledger_formats::engine::table::{Table, TableCursor};
use ledger_formats::engine::table_writer::{TableOptions, TableWriter};
use ledger_formats::store::StoreError;

use crate::assembled::{Assembly, Body, block, internal};
use crate::rows::noise;
use crate::table_reader::{Entries, OnDisk, open, read_all};

/// A small table of many blocks, some of them compressed.
fn written(format: TableFormat) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("table");
    let options =
        TableOptions { format, properties: PropertySet::Pebble2, block_bytes: 150, compression: Compression::Snappy };
    let mut writer = TableWriter::create(&path, options).expect("create");
    for height in 100..140_u64 {
        let value = if height % 3 == 0 { vec![7; 60] } else { noise(height, 40) };
        writer.add(format!("H:{height}").as_bytes(), &value).expect("add");
    }
    writer.finish().expect("finish");
    std::fs::read(&path).expect("read")
}

/// Reads on over damaged blocks; ends at the end or at damage that cannot be passed over.
fn read_over_damage(mut cursor: TableCursor) -> (Entries, Vec<StoreError>) {
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    loop {
        match cursor.next() {
            Ok(true) => entries.push((cursor.key().to_vec(), cursor.value().to_vec())),
            Ok(false) => return (entries, errors),
            Err(error) => {
                let passes = matches!(&error, StoreError::Corrupt(place) if place.range.is_some());
                errors.push(error);
                if !passes {
                    return (entries, errors);
                }
            }
        }
    }
}

fn everything(table: &Arc<Table>, readahead: usize) -> (Entries, Vec<StoreError>) {
    let mut found = read_over_damage(table.cursor(readahead));
    found.1.extend(table.index_points().err());
    found.1.extend(table.range_deletions().err());
    found
}

#[test]
fn every_flipped_byte_is_an_error_or_changes_nothing() {
    for format in [TableFormat::LevelDb, TableFormat::PebbleV1] {
        let good = written(format);
        let expected = read_all(&OnDisk::new(&good).open().expect("open")).expect("read");
        let footer = good.len() - format.footer_len();
        let mut harmless = 0;
        for at in 0..good.len() {
            for pattern in [0x01, 0xff] {
                let mut bad = good.clone();
                bad[at] ^= pattern;
                let Ok(table) = OnDisk::new(&bad).open() else { continue };
                let (entries, errors) = everything(&table, if at % 2 == 0 { 0 } else { 1 << 12 });
                assert!(entries.iter().all(|entry| expected.contains(entry)), "byte {at}: rows made up");
                if errors.is_empty() {
                    assert!(at >= footer, "byte {at} of a block changed without an error");
                    assert_eq!(entries, expected, "byte {at}");
                    harmless += 1;
                }
            }
        }
        assert!(harmless < 2 * format.footer_len(), "padding of the footer alone may change: {harmless}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    for format in [TableFormat::LevelDb, TableFormat::PebbleV1] {
        let good = written(format);
        let whole = OnDisk::new(&good);
        for length in 0..good.len() {
            assert!(open(&whole.path, length as u64).is_err(), "manifest says {length}");
            let short = OnDisk::new(&good[..length]);
            assert!(open(&short.path, good.len() as u64).is_err(), "file has {length}");
        }
        let longer = OnDisk::new(&[&good[..], &[0; 100]].concat());
        assert!(open(&longer.path, good.len() as u64).is_ok(), "the file may be longer");
    }
}

#[test]
fn a_damaged_block_is_reported_once_with_its_keys_and_passed_over() {
    let good = written(TableFormat::LevelDb);
    let expected = read_all(&OnDisk::new(&good).open().expect("open")).expect("read");
    let mut bad = good;
    bad[300] ^= 4;
    let on_disk = OnDisk::new(&bad);
    for readahead in [0, 1, 1 << 16] {
        let (entries, errors) = read_over_damage(on_disk.open().expect("open").cursor(readahead));
        let [StoreError::Corrupt(place)] = &errors[..] else { panic!("{errors:?}") };
        assert_eq!(place.file, on_disk.path);
        let offset = place.offset.expect("an offset");
        assert!(offset <= 300 && place.reason.starts_with("checksum mismatch"), "{place}");
        let (low, high) = place.range.as_ref().expect("a range");
        let missing: Vec<_> = expected.iter().filter(|entry| !entries.contains(entry)).collect();
        assert!(!missing.is_empty() && missing.len() < 10);
        for (key, _) in missing {
            let user = internal_key::user_key(key).expect("internal");
            assert!(user >= &low[..] && user <= &high[..], "{place}: {}", user.escape_ascii());
        }
        seek_into_damage(&on_disk.path, readahead, low, &expected, &entries);
    }
}

/// A seek into the damaged block reports it, and the next step goes on behind it.
fn seek_into_damage(path: &Path, readahead: usize, low: &[u8], expected: &Entries, entries: &Entries) {
    let table = open(path, path.metadata().expect("metadata").len()).expect("open");
    let lost = expected.iter().find(|entry| !entries.contains(entry)).expect("a lost entry");
    let behind = entries.iter().find(|(key, _)| *key > lost.0).expect("an entry behind it");
    let mut cursor = table.cursor(readahead);
    let error = cursor.seek(&lost.0).expect_err("damaged");
    assert!(matches!(&error, StoreError::Corrupt(place) if place.range.as_ref().is_some_and(|(from, _)| from == low)));
    assert!(cursor.next().expect("behind it"));
    assert_eq!(cursor.key(), behind.0);
}

#[test]
fn blocks_out_of_order_are_damage() {
    let entry = |user: &[u8]| (internal(user, 1, Kind::Set), &b"value"[..]);
    let mut table = Assembly::new(Checksum::Crc32c);
    table.data(&entry(b"b").0, Body::Raw(block(&[entry(b"a"), entry(b"b")])));
    table.data(&entry(b"d").0, Body::Raw(block(&[entry(b"a"), entry(b"d")])));
    table.data(&entry(b"e").0, Body::Raw(block(&[entry(b"e")])));
    let table = OnDisk::new(&table.finish(TableFormat::LevelDb)).open().expect("open");
    let (entries, errors) = read_over_damage(table.cursor(0));
    assert_eq!(entries.len(), 3);
    assert!(
        matches!(&errors[..], [StoreError::Corrupt(place)] if place.reason.contains("do not ascend")),
        "{errors:?}"
    );
}

/// Bytes changed under checksums that are right again, as a faulty engine or an attacker would.
#[test]
fn changed_blocks_with_valid_checksums_neither_panic_nor_stall() {
    let entries: Vec<_> =
        (0..30_u64).map(|i| (internal(format!("key{i:03}").as_bytes(), i, Kind::Set), noise(i, 9))).collect();
    let lent: Vec<_> = entries.iter().map(|(key, value)| (key.clone(), &value[..])).collect();
    let good = block(&lent);
    let mut failures = 0;
    for round in 0..4000_u64 {
        let random = noise(round + 1, 16);
        let mut bad = good.clone();
        for change in random.chunks(4) {
            let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % bad.len();
            bad[at] = if change[2] % 2 == 0 { change[3] } else { 0xff };
        }
        let mut table = Assembly::new(Checksum::Crc32c);
        table.data(&entries[29].0, if round % 2 == 0 { Body::Raw(bad.clone()) } else { Body::Raw(good.clone()) });
        let bytes = if round % 2 == 0 {
            table.finish(TableFormat::PebbleV1)
        } else {
            let index = table.block(Body::Raw(bad));
            table.finish_with(index, TableFormat::PebbleV1)
        };
        let Ok(table) = OnDisk::new(&bytes).open() else { continue };
        let (read, errors) = everything(&table, 0);
        assert!(read.len() <= 100 * entries.len());
        failures += usize::from(!errors.is_empty());
        let _found = table.cursor(0).seek(&entries[15].0);
    }
    assert!(failures > 2000, "{failures}");
}

#[test]
fn random_bytes_are_no_table() {
    for round in 0..3000_u64 {
        let mut bytes = noise(round + 1, 20 + usize::try_from(round % 300).expect("small"));
        if round % 2 == 0 {
            let footer = bytes.len().saturating_sub(48);
            let mut table = Vec::new();
            let handle = ledger_formats::engine::footer::Handle { offset: round % 50, length: round % 91 };
            ledger_formats::engine::footer::Footer::put(TableFormat::LevelDb, handle, handle, &mut table);
            bytes.truncate(footer);
            bytes.extend_from_slice(&table);
        }
        let opened = OnDisk::new(&bytes).open();
        assert!(opened.is_err(), "round {round}");
        let _checked = ledger_formats::engine::block::check(&bytes);
    }
}
