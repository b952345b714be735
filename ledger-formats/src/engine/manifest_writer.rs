//! Writes the MANIFEST of a new database: one record that names all its tables.
//!
//! ```text
//! 1 comparer name · 2 log number · 3 next file number · 4 last sequence (0)
//! per table, LevelDB:  7   level, number, size, smallest, largest
//! per table, Pebble:   103 the same, smallest and largest sequence (0, 0), 1 (end of custom fields)
//! ```
//! (LevelDB `db/version_edit.cc`; Pebble `internal/manifest/version_edit.go`.) goleveldb reads
//! nothing but tag 7 and refuses a record without any of 1 to 4.
//!
//! # Correctness
//! All entries of all tables have sequence 0, which only the bottom level may hold: every table goes
//! to level 6, and the last sequence is 0, which hides none of them.

use super::internal_key::{self, Kind};
use super::log_writer;
use super::properties::COMPARATOR;
use super::varint;

/// The bottom level.
const LEVEL: u64 = 6;

/// How a table is named in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableTag {
    /// Tag 7.
    LevelDb,
    /// Tag 103.
    Pebble,
}

/// A table as the MANIFEST names it.
#[derive(Clone, Copy, Debug)]
pub struct ManifestTable<'a> {
    /// Its size in bytes; Pebble compares it with the file.
    pub bytes: u64,
    /// First user key.
    pub smallest: &'a [u8],
    /// Last user key.
    pub largest: &'a [u8],
}

/// The number of the MANIFEST of a new database. One counter serves all files: tables have 1 to n,
/// then come the MANIFEST, the oldest log that would be replayed (there is none), the next free one.
#[must_use]
pub fn manifest_number(tables: usize) -> u64 {
    tables as u64 + 1
}

/// The content of the MANIFEST that names `tables`, in key order, numbered from 1 on.
#[must_use]
pub fn encode(tables: &[ManifestTable<'_>], tag: TableTag) -> Vec<u8> {
    let log = manifest_number(tables.len()) + 1;
    let mut record = Vec::new();
    varint::put(&mut record, 1);
    varint::put_bytes(&mut record, COMPARATOR.as_bytes());
    for value in [2, log, 3, log + 1, 4, 0] {
        varint::put(&mut record, value);
    }
    for (number, table) in (1..).zip(tables) {
        put_table(&mut record, number, table, tag);
    }
    log_writer::frame(&[&record])
}

fn put_table(record: &mut Vec<u8>, number: u64, table: &ManifestTable<'_>, tag: TableTag) {
    let tag_number = match tag {
        TableTag::LevelDb => 7,
        TableTag::Pebble => 103,
    };
    for value in [tag_number, LEVEL, number, table.bytes] {
        varint::put(record, value);
    }
    let mut bound = Vec::new();
    for user in [table.smallest, table.largest] {
        internal_key::join(&mut bound, user, 0, Kind::Set);
        varint::put_bytes(record, &bound);
    }
    if tag == TableTag::Pebble {
        record.extend_from_slice(&[0, 0, 1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(bytes: u64, tag: TableTag) -> String {
        hex::encode(encode(&[ManifestTable { bytes, smallest: b"k", largest: b"k" }], tag))
    }

    #[test]
    fn manifests_that_the_engines_accepted_byte_for_byte() {
        let level = "3eb7622f3a0001011a6c6576656c64622e4279746577697365436f6d70617261746f7202030304040007060172096b\
                     0100000000000000096b0100000000000000";
        assert_eq!(one(114, TableTag::LevelDb), level);
        let pebble = "02534b9e3e0001011a6c6576656c64622e4279746577697365436f6d70617261746f72020303040400670601ca0109\
                      6b0100000000000000096b0100000000000000000001";
        assert_eq!(one(202, TableTag::Pebble), pebble);
    }

    #[test]
    fn an_empty_database_has_a_record_too() {
        let bytes = encode(&[], TableTag::LevelDb);
        assert_eq!(bytes[7 + 28..], [2, 2, 3, 3, 4, 0]);
    }
}
