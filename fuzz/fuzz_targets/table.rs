//! Any bytes as a table, or as the data and the index of one whose checksums are right: opened,
//! scanned over its damage, searched, asked for its index.
#![no_main]

use std::cell::RefCell;
use std::io::{Seek, Write};
use std::path::Path;

use ledger_formats::engine::block_cache::BlockCache;
use ledger_formats::engine::checksum::Checksum;
use ledger_formats::engine::footer::{Footer, Handle, TableFormat};
use ledger_formats::engine::table::Table;
use ledger_formats::store::StoreError;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static FILE: RefCell<tempfile::NamedTempFile> =
        RefCell::new(tempfile::NamedTempFile::new().expect("a temporary file"));
}

fuzz_target!(|bytes: &[u8]| {
    let table = match bytes.split_first() {
        Some((&cut, bodies)) if cut > 0 => framed(bodies, bodies.len() * usize::from(cut) / 256),
        _ => bytes.to_vec(),
    };
    FILE.with_borrow_mut(|file| {
        file.as_file().set_len(0).expect("empty");
        file.rewind().expect("rewind");
        file.write_all(&table).expect("write");
        let _ = read(file.path(), table.len(), bytes);
    });
});

/// A table with the first bytes as its data, the others as its index.
fn framed(bodies: &[u8], cut: usize) -> Vec<u8> {
    let mut table = Vec::new();
    let (data, index) = bodies.split_at(cut);
    put_block(&mut table, data);
    let index = put_block(&mut table, index);
    let metaindex = put_block(&mut table, &[0, 0, 0, 0, 1, 0, 0, 0]);
    Footer::put(TableFormat::LevelDb, metaindex, index, &mut table);
    table
}

fn put_block(table: &mut Vec<u8>, body: &[u8]) -> Handle {
    let handle = Handle { offset: table.len() as u64, length: body.len() as u64 };
    let stored = [body, &[0]].concat();
    table.extend_from_slice(&stored);
    table.extend_from_slice(&Checksum::Crc32c.of(&stored).to_le_bytes());
    handle
}

fn read(path: &Path, size: usize, target: &[u8]) -> Result<(), StoreError> {
    let table = Table::open(path, size as u64, &BlockCache::new(1 << 16))?;
    let _ = table.range_deletions();
    let _ = table.index_points();
    let _ = table.cursor(0).seek(target);
    let mut cursor = table.cursor(size % 3 * 100);
    loop {
        match cursor.next() {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(StoreError::Corrupt(place)) if place.range.is_some() => {}
            Err(error) => return Err(error),
        }
    }
}
