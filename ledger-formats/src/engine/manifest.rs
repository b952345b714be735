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
mod tests;
