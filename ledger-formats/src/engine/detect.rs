//! Which engine a folder belongs to, by the content of its files.
//!
//! Names and magic numbers are shared widely: goleveldb, Pebble and RocksDB name the same comparer and
//! use the same `CURRENT`, `MANIFEST`, `LOCK`; each of them opens, and changes, a folder of the others.
//! So nothing is opened with an engine here, what the configuration says is not asked, and signs of two
//! engines are an error that names both. Leftovers (`CURRENT.bak`, `LOG`, dead tables) are no signs: a
//! folder that another engine has taken over keeps them.
//!
//! Signs that decide: the writer of the newest `OPTIONS`, Pebble's markers, tags of the manifest that
//! one engine alone writes, names and magic numbers of tables that the manifest lists. Where none is
//! there (a LevelDB without tables; a Pebble folder without `OPTIONS`), the form of the logs and of the
//! manifest's records does.

mod evidence;
mod foreign;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::EngineKind;
use super::names;
use crate::store::StoreError;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Detected {
    /// The engine.
    pub engine: EngineKind,
    /// Pebble's format major version; 0 for other engines.
    pub pebble_format: u32,
    /// RocksDB's release by its `OPTIONS`, or sled's by its `conf`.
    pub release: Option<String>,
    /// Live tables by the manifest.
    pub tables: u64,
    /// Formats of a sample of live tables, by their last bytes.
    pub table_formats: BTreeSet<TableFamily>,
    /// What spoke for this engine, in words.
    pub signs: Vec<String>,
}

/// Whose tables these are, by the magic number at their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableFamily {
    /// LevelDB's.
    LevelDb,
    /// RocksDB's, which Pebble writes too at format 1.
    RocksDb,
    /// Pebble's own.
    Pebble,
}

/// Why it is not a database that this tool reads.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectError {
    /// The folder has no files.
    #[error("{dir} is empty")]
    Empty {
        /// The folder.
        dir: PathBuf,
    },
    /// A database of an engine that is not read.
    #[error("{path} is a {engine} database, which is not supported")]
    Foreign {
        /// The folder or file.
        path: PathBuf,
        /// Name of the engine.
        engine: &'static str,
    },
    /// No engine is recognised.
    #[error("{path} is no database of a known engine: {reason}")]
    Unknown {
        /// The folder or file.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// Signs of two engines.
    #[error("{dir} has signs of two engines: {first_sign} ({first}), {second_sign} ({second})")]
    Contradiction {
        /// The folder.
        dir: PathBuf,
        /// One engine.
        first: EngineKind,
        /// Its sign.
        first_sign: String,
        /// The other engine.
        second: EngineKind,
        /// Its sign.
        second_sign: String,
    },
    /// A file that tells the engine cannot be read, or has something that is not supported.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How often the folder is read anew when a running node changes it meanwhile.
const ATTEMPTS_MAX: u32 = 100;

/// Tells which engine the database at `path` belongs to. Reads only; the node may be running.
///
/// # Errors
/// See [`DetectError`].
pub fn detect(path: &Path) -> Result<Detected, DetectError> {
    let meta = std::fs::metadata(path).map_err(|error| StoreError::io(path, error))?;
    if !meta.is_dir() {
        return Err(foreign::file(path));
    }
    let mut attempt = 1;
    loop {
        match folder(path) {
            // A manifest, log or table that went away while it was looked for.
            Err(DetectError::Store(error)) if attempt < ATTEMPTS_MAX && is_gone(&error) => attempt += 1,
            other => return other,
        }
    }
}

fn is_gone(error: &StoreError) -> bool {
    matches!(error, StoreError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

fn folder(dir: &Path) -> Result<Detected, DetectError> {
    let names = names::list(dir)?;
    if names.is_empty() {
        return Err(DetectError::Empty { dir: dir.to_path_buf() });
    }
    if let Some(engine) = foreign::folder(dir, &names) {
        return Err(DetectError::Foreign { path: dir.to_path_buf(), engine });
    }
    if ["conf", "db"].iter().all(|name| names.iter().any(|present| present == name)) {
        return sled(dir);
    }
    evidence::Evidence::gather(dir, &names)?.decide(dir)
}

/// Reads sled's `conf`: text lines `key: value`, then four bytes of checksum (sled 0.34 `config.rs`).
fn sled(dir: &Path) -> Result<Detected, DetectError> {
    let path = dir.join("conf");
    let bytes = foreign::first_bytes(&path, 4096)?;
    let text = bytes.split_last_chunk::<4>().map(|(text, _)| String::from_utf8_lossy(text)).unwrap_or_default();
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.map(|value| value.trim().to_owned())
    };
    if value("segment_size").is_none() {
        return Err(StoreError::corrupt(&path, None, "sled's settings name no segment size").into());
    }
    if value("use_compression").as_deref() != Some("false") {
        return Err(StoreError::Unsupported { file: path, feature: "sled with use_compression".into() }.into());
    }
    let release = value("version");
    if release.as_deref() != Some("0.34") {
        let release = release.unwrap_or_default();
        let feature = format!("sled {}", release.escape_debug());
        return Err(StoreError::Unsupported { file: path, feature }.into());
    }
    Ok(Detected {
        engine: EngineKind::Sled,
        pebble_format: 0,
        release,
        tables: 0,
        table_formats: BTreeSet::new(),
        signs: vec!["sled's files `conf` and `db`".into()],
    })
}
