//! `OPTIONS-NNNNNN`: the settings that Pebble and RocksDB leave beside their files.
//!
//! INI text: `[Section]` or `[Section "name"]`, then `key=value`, comments from `#`. Pebble's first
//! section says `pebble_version=`, RocksDB's `rocksdb_version=` (Pebble `options.go`, RocksDB
//! `options/options_parser.cc`). Read are only the settings that say which engine it is, where rows
//! may lie elsewhere, and in which order keys are; the rest is the engine's own business.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::store::StoreError;

/// Real files have 1 to 20 KiB.
const LENGTH_MAX: u64 = 4 << 20;

/// Whose options a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionsWriter {
    /// Pebble (its `pebble_version` has always been 0.1).
    Pebble,
    /// RocksDB of this version.
    RocksDb(String),
}

/// The settings that matter to a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Who wrote them.
    pub writer: OptionsWriter,
    /// Name of the comparer.
    pub comparer: Option<String>,
    /// Name of the merge operator.
    pub merger: Option<String>,
    /// Pebble's format major version when the file was written; the markers are newer.
    pub format_major_version: Option<u32>,
    /// Folder of the logs; `None` when it is the database's own.
    pub wal_dir: Option<String>,
    /// Pebble: whether a torn log that is not the last one is an error.
    pub strict_wal_tail: Option<bool>,
    /// RocksDB: the column families.
    pub column_families: Vec<String>,
}

/// Why a text is no options file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// No line says which engine wrote it.
    #[error("the options file names neither `pebble_version` nor `rocksdb_version`")]
    NoWriter,
    /// Both engines are named.
    #[error("the options file names both `pebble_version` and `rocksdb_version`")]
    TwoWriters,
    /// It is not text.
    #[error("the options file is no text")]
    NotText,
}

/// Reads an options file.
///
/// # Errors
/// [`StoreError::Corrupt`] for what is none, [`StoreError::TooLarge`] for one beyond 4 MiB.
pub fn read(path: &Path) -> Result<Options, StoreError> {
    let failed = |error| StoreError::io(path, error);
    let mut text = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(LENGTH_MAX + 1).read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > LENGTH_MAX {
        return Err(StoreError::TooLarge {
            file: path.to_path_buf(),
            what: "the options file".into(),
            limit: LENGTH_MAX,
        });
    }
    parse(&text).map_err(|error| StoreError::corrupt(path, None, error.to_string()))
}

/// Reads the text of an options file.
///
/// # Errors
/// See [`OptionsError`].
pub fn parse(text: &[u8]) -> Result<Options, OptionsError> {
    let text = std::str::from_utf8(text).map_err(|_| OptionsError::NotText)?;
    let mut pebble = false;
    let mut rocks = None;
    let mut options = Options {
        writer: OptionsWriter::Pebble,
        comparer: None,
        merger: None,
        format_major_version: None,
        wal_dir: None,
        strict_wal_tail: None,
        column_families: Vec::new(),
    };
    let mut section = "";
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = header.split_once(' ').map_or(header, |(name, _)| name);
            if let Some((_, name)) = header.split_once(' ').filter(|_| section == "CFOptions") {
                options.column_families.push(name.trim_matches('"').to_owned());
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else { continue };
        let text = || Some(value.to_owned()).filter(|value| !value.is_empty());
        match (section, key) {
            ("Version", "pebble_version") => pebble = true,
            ("Version", "rocksdb_version") => rocks = Some(value.to_owned()),
            ("Options", "comparer") | ("CFOptions", "comparator") => options.comparer = text(),
            ("Options", "merger") | ("CFOptions", "merge_operator") => options.merger = text(),
            ("Options", "format_major_version") => options.format_major_version = value.parse().ok(),
            ("Options" | "DBOptions", "wal_dir") => options.wal_dir = text(),
            ("Options", "strict_wal_tail") => options.strict_wal_tail = value.parse().ok(),
            _ => {}
        }
    }
    options.writer = match (pebble, rocks) {
        (true, None) => OptionsWriter::Pebble,
        (false, Some(version)) => OptionsWriter::RocksDb(version),
        (true, Some(_)) => return Err(OptionsError::TwoWriters),
        (false, None) => return Err(OptionsError::NoWriter),
    };
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pebble_of_a_cosmos_node() {
        let text = b"[Version]\n  pebble_version=0.1\n\n[Options]\n  comparer=leveldb.BytewiseComparator\n  \
            format_major_version=1\n  merger=pebble.concatenate\n  strict_wal_tail=true\n  wal_dir=\n\n\
            [Level \"0\"]\n  block_size=4096\n";
        let options = parse(text).unwrap();
        assert_eq!(options.writer, OptionsWriter::Pebble);
        assert_eq!(options.comparer.as_deref(), Some("leveldb.BytewiseComparator"));
        assert_eq!(options.format_major_version, Some(1));
        assert_eq!(options.strict_wal_tail, Some(true));
        assert_eq!(options.wal_dir, None);
    }

    #[test]
    fn rocksdb_with_two_families_and_logs_elsewhere() {
        let text = b"# comment\n[Version]\n  rocksdb_version=7.8.3\n[DBOptions]\n  wal_dir=/elsewhere\n\
            [CFOptions \"default\"]\n  comparator=leveldb.BytewiseComparator\n[CFOptions \"other\"]\n";
        let options = parse(text).unwrap();
        assert_eq!(options.writer, OptionsWriter::RocksDb("7.8.3".into()));
        assert_eq!(options.wal_dir.as_deref(), Some("/elsewhere"));
        assert_eq!(options.column_families, ["default", "other"]);
    }

    #[test]
    fn a_version_outside_its_section_does_not_count() {
        assert_eq!(parse(b"[Options]\npebble_version=0.1\n"), Err(OptionsError::NoWriter));
        assert_eq!(parse(b""), Err(OptionsError::NoWriter));
        assert_eq!(parse(&[0xff, 0xfe]), Err(OptionsError::NotText));
        assert_eq!(parse(b"[Version]\npebble_version=0.1\nrocksdb_version=9.0.0\n"), Err(OptionsError::TwoWriters));
    }
}
