//! MANIFEST: which tables and logs a database consists of.
//!
//! A MANIFEST is a log ([`super::log`], legacy chunks) of records; each record is a sequence of
//! `varint tag ‖ payload` (engines.md 2.5; LevelDB `version_edit.cc`, Pebble
//! `internal/manifest/version_edit.go`, RocksDB `db/version_edit.h`). One decoder serves the three
//! engines, since their tags do not collide:
//!
//! ```text
//! 1 comparer · 2 log number · 3 next file · 4 last sequence · 9 previous log      all
//! 5 compaction pointer · 6 table gone · 7 table came                              LevelDB
//! 100, 102, 103, 104 table came, with sequences                                   RocksDB, Pebble
//! 10, 200..203, 300, from 8192                                                    RocksDB
//! ```
//! Records are applied in order, inside a record first what went, then what came; a table that comes
//! twice is one table (goleveldb writes so). What is not known is refused by name: it could change
//! which rows exist.

mod edit;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::internal_key;
use super::log::{LogEnd, LogForm, LogReader};
use crate::store::{Corruption, StoreError};

/// The comparer that every engine of this family names, and the only one read here.
pub const BYTEWISE: &str = "leveldb.BytewiseComparator";

/// A live table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableMeta {
    /// Its level; not needed for reading.
    pub level: u32,
    /// Its file number.
    pub number: u64,
    /// Its size: the footer is at the end of it, the file may be longer.
    pub size: u64,
    /// Smallest internal key.
    pub smallest: Box<[u8]>,
    /// Largest internal key.
    pub largest: Box<[u8]>,
    /// Smallest and largest sequence; `None` where the engine does not write them (tag 7).
    pub sequences: Option<(u64, u64)>,
}

impl TableMeta {
    /// Smallest user key.
    #[must_use]
    pub fn first_key(&self) -> &[u8] {
        internal_key::user_key(&self.smallest).unwrap_or_default()
    }

    /// Largest user key.
    #[must_use]
    pub fn last_key(&self) -> &[u8] {
        internal_key::user_key(&self.largest).unwrap_or_default()
    }

    /// The sequence that every key of the table is read with, whatever the table holds: tables that
    /// were ingested (Pebble) have equal, non-zero bounds.
    #[must_use]
    pub fn global_sequence(&self) -> Option<u64> {
        self.sequences.filter(|(low, high)| low == high && *low != 0).map(|(low, _)| low)
    }
}

/// What a MANIFEST says after its last whole record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Name of the comparer.
    pub comparer: Option<String>,
    /// Logs from this number on hold what is in no table yet.
    pub log_number: Option<u64>,
    /// One older log that does so too; only C++ LevelDB and RocksDB write this field.
    pub previous_log: Option<u64>,
    /// The next unused file number.
    pub next_file: Option<u64>,
    /// The last sequence; what it promises differs between the engines.
    pub last_sequence: Option<u64>,
    /// Live tables, by level and number.
    pub tables: Vec<TableMeta>,
    /// Every tag that occurs.
    pub tags: BTreeSet<u64>,
    /// Bytes up to the end of the last whole record.
    pub length: u64,
    /// What follows the last whole record, if anything does: a torn record, which never counted.
    pub torn: Option<&'static str>,
}

impl Version {
    /// Reads the MANIFEST at `path`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a damaged record that others follow or that does not decode,
    /// [`StoreError::Unsupported`] for what changes the meaning and is not known.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(|error| StoreError::io(path, error))?;
        Self::decode(path, file)
    }

    /// Reads a MANIFEST from `input`; `path` is for messages.
    ///
    /// # Errors
    /// See [`Version::read`].
    pub fn decode(path: &Path, input: impl Read) -> Result<Self, StoreError> {
        let mut log = LogReader::new(input, LogForm::Legacy);
        let mut version = Self::default();
        let mut tables = BTreeMap::new();
        while let Some(record) = log.read().map_err(|error| StoreError::io(path, error))? {
            let edit = edit::decode(record.bytes).map_err(|problem| problem.at(path, record.offset))?;
            version.apply(edit, &mut tables);
        }
        version.length = log.whole();
        if let Some(LogEnd::Torn { offset, reason, valid_after }) = log.end() {
            if let Some(next) = valid_after {
                let reason = format!("{reason}, and valid records follow at offset {next}");
                return Err(StoreError::corrupt(path, Some(*offset), reason));
            }
            version.torn = Some(reason);
        }
        if version.length == 0 {
            return Err(StoreError::corrupt(path, Some(0), "the manifest has no whole record"));
        }
        version.tables = tables.into_values().collect();
        Ok(version)
    }

    fn apply(&mut self, edit: edit::Edit, tables: &mut BTreeMap<(u32, u64), TableMeta>) {
        for gone in edit.gone {
            tables.remove(&gone);
        }
        tables.extend(edit.came.into_iter().map(|table| ((table.level, table.number), table)));
        self.comparer = edit.comparer.or(self.comparer.take());
        self.log_number = edit.log_number.or(self.log_number);
        self.previous_log = edit.previous_log.or(self.previous_log);
        self.next_file = edit.next_file.or(self.next_file);
        self.last_sequence = edit.last_sequence.or(self.last_sequence);
        self.tags.extend(edit.tags);
    }

    /// Whether the log with this number is to be replayed.
    #[must_use]
    pub fn needs_log(&self, number: u64) -> bool {
        number >= self.log_number.unwrap_or(0) || self.previous_log.is_some_and(|log| log != 0 && log == number)
    }

    /// Refuses a comparer that orders keys otherwise than by their bytes.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`]; [`StoreError::Corrupt`] when none is named.
    pub fn check_comparer(&self, path: &Path) -> Result<(), StoreError> {
        match self.comparer.as_deref() {
            Some(BYTEWISE) => Ok(()),
            Some(other) => Err(StoreError::Unsupported {
                file: path.to_path_buf(),
                feature: format!("the comparer {}", other.escape_debug()),
            }),
            None => Err(StoreError::corrupt(path, None, "the manifest names no comparer")),
        }
    }
}

/// Why a record does not decode.
enum Problem {
    /// It is cut off or contradicts itself.
    Bad(&'static str),
    /// It has something of this name.
    Unknown(String),
}

impl Problem {
    fn at(self, path: &Path, offset: u64) -> StoreError {
        match self {
            Self::Bad(what) => StoreError::Corrupt(Box::new(Corruption {
                file: path.to_path_buf(),
                offset: Some(offset),
                reason: format!("manifest record: {what}"),
                range: None,
            })),
            Self::Unknown(feature) => StoreError::Unsupported { file: path.to_path_buf(), feature },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::checksum::masked_crc;
    use crate::engine::varint;

    fn framed(records: &[Vec<u8>]) -> Vec<u8> {
        let chunk = |record: &Vec<u8>| {
            let crc = masked_crc(&[&[1], record]).to_le_bytes();
            let length = u16::try_from(record.len()).unwrap().to_le_bytes();
            [&crc[..], &length, &[1], record].concat()
        };
        records.iter().flat_map(chunk).collect()
    }

    fn decode(records: &[Vec<u8>]) -> Result<Version, StoreError> {
        Version::decode(Path::new("MANIFEST-000001"), framed(records).as_slice())
    }

    fn numbers(values: &[u64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        values.iter().for_each(|value| varint::put(&mut bytes, *value));
        bytes
    }

    fn came(tag: u64, level: u64, number: u64, keys: [&[u8]; 2], rest: &[u64]) -> Vec<u8> {
        let mut bytes = numbers(&[tag, level, number, 1000]);
        for key in keys {
            let mut internal = Vec::new();
            internal_key::join(&mut internal, key, 5, internal_key::Kind::Set);
            varint::put_bytes(&mut bytes, &internal);
        }
        bytes.extend(numbers(rest));
        bytes
    }

    #[test]
    fn manifests_of_real_engines() {
        let goleveldb = "3eb7622f3a0001011a6c6576656c64622e4279746577697365436f6d70617261746f7202030304040007060172\
                         096b0100000000000000096b0100000000000000";
        let pebble = "02534b9e3e0001011a6c6576656c64622e4279746577697365436f6d70617261746f72020303040400670601ca01\
                      096b0100000000000000096b0100000000000000000001";
        for (hex, size, sequences) in [(goleveldb, 114, None), (pebble, 202, Some((0, 0)))] {
            let bytes = hex::decode(hex).unwrap();
            let version = Version::decode(Path::new("MANIFEST-000002"), bytes.as_slice()).unwrap();
            version.check_comparer(Path::new("MANIFEST-000002")).unwrap();
            assert_eq!((version.log_number, version.next_file, version.last_sequence), (Some(3), Some(4), Some(0)));
            assert_eq!((version.length, version.torn), (bytes.len() as u64, None));
            let [table] = version.tables.as_slice() else { panic!("one table") };
            assert_eq!((table.level, table.number, table.size, table.sequences), (6, 1, size, sequences));
            assert_eq!((table.first_key(), table.last_key(), table.global_sequence()), (&b"k"[..], &b"k"[..], None));
        }
    }

    #[test]
    fn a_table_that_comes_twice_is_one() {
        let twice = [came(7, 0, 13, [b"a", b"b"], &[]), came(7, 0, 13, [b"a", b"b"], &[])].concat();
        assert_eq!(decode(&[twice]).unwrap().tables.len(), 1);
    }

    #[test]
    fn a_record_takes_away_before_it_adds() {
        let first = came(7, 1, 4, [b"a", b"b"], &[]);
        // goleveldb writes additions and removals in either order.
        for record in [
            [numbers(&[6, 1, 4]), came(7, 2, 4, [b"a", b"b"], &[])].concat(),
            [came(7, 2, 4, [b"a", b"b"], &[]), numbers(&[6, 1, 4, 6, 2, 9])].concat(),
        ] {
            let version = decode(&[first.clone(), record]).unwrap();
            assert_eq!(version.tables.iter().map(|table| (table.level, table.number)).collect::<Vec<_>>(), [(2, 4)]);
        }
    }

    #[test]
    fn tables_of_every_tag() {
        let record = [
            came(7, 0, 1, [b"a", b"b"], &[]),
            came(100, 0, 2, [b"a", b"b"], &[3, 9]),
            came(103, 6, 3, [b"a", b"b"], &[7, 7, 2, 1, 1, 6, 1, 9, 1]),
        ]
        .concat();
        let tables = decode(&[record]).unwrap().tables;
        let sequences: Vec<_> = tables.iter().map(|table| (table.sequences, table.global_sequence())).collect();
        assert_eq!(sequences, [(None, None), (Some((3, 9)), None), (Some((7, 7)), Some(7))]);
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let table = |field: &[u64]| came(103, 6, 3, [b"a", b"b"], &[&[0, 0], field, &[1]].concat());
        for (record, name) in [
            (numbers(&[8, 1]), "manifest tag 8"),
            (numbers(&[104]), "range keys (manifest tag 104)"),
            (numbers(&[200, 1]), "column family 1"),
            (numbers(&[201, 1, u64::from(b'x')]), "column family `x`"),
            (numbers(&[400]), "blob files"),
            (table(&[66, 9]), "virtual tables"),
            (table(&[65, 1, 1]), "tables in several folders"),
            (table(&[70, 1, 1]), "table field 70"),
        ] {
            match decode(&[record]) {
                Err(StoreError::Unsupported { feature, .. }) => assert_eq!(feature, name),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_torn_end_is_nothing_and_damage_before_records_is_an_error() {
        let records = [numbers(&[2, 5]), numbers(&[2, 6]), numbers(&[2, 7])];
        let bytes = framed(&records);
        let path = Path::new("MANIFEST-000001");
        for cut in 19..bytes.len() {
            let version = Version::decode(path, &bytes[..cut]).unwrap();
            assert_eq!((version.log_number, version.length, version.torn.is_some()), (Some(6), 18, true));
        }
        let mut damaged = bytes.clone();
        damaged[12] ^= 1;
        assert!(matches!(Version::decode(path, damaged.as_slice()), Err(StoreError::Corrupt(_))));
        assert!(matches!(Version::decode(path, &b""[..]), Err(StoreError::Corrupt(_))));
    }

    #[test]
    fn logs_from_the_number_on_and_the_previous_one_are_needed() {
        let version = decode(&[numbers(&[2, 5, 9, 3])]).unwrap();
        let needed: Vec<u64> = (0..8).filter(|log| version.needs_log(*log)).collect();
        assert_eq!(needed, [3, 5, 6, 7]);
        assert!(decode(&[numbers(&[3, 5])]).unwrap().needs_log(0));
    }

    proptest::proptest! {
        #[test]
        fn any_record_decodes_or_is_refused(record: Vec<u8>) {
            let _ = decode(&[record]);
        }
    }
}
