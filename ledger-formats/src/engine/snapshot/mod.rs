//! A consistent copy of a database whose node may be running, made of links, and frozen.
//!
//! It never locks, writes, renames or removes anything in the source. LevelDB, Pebble and RocksDB
//! folders are taken by the one order that was proven exact (live.md; any other gives mixtures):
//!
//! ```text
//! 1  manifest, as a hint      2  list the folder once     3  copy the logs, ascending
//! 4  manifest, the true one   5  every log it needs was copied, or again from 1
//! 6  link its tables; one that is gone: again from 4      7  write manifest and entry point
//! 8  the sequences in the logs run on without a hole
//! ```
//! sled has no such order: its folder is copied whole, from a stopped node only.
//!
//! # Correctness
//! The folder begins with an empty `SNAPSHOT.begun`; `SNAPSHOT.json`, written last, is the commit
//! mark. Whatever has the first and lacks the second is half-made, and is removed by the next try.
//! All effects go through [`crate::durable`].

mod continuity;
mod family;
mod record;
mod tables;
mod whole;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::EngineKind;
use super::detect::{DetectError, detect};
use super::lock::{LockError, LockHolder};
use crate::durable::{self, DurableError};
use crate::store::StoreError;

/// The first file of a snapshot: this folder is ours.
const BEGUN: &str = "SNAPSHOT.begun";
/// The last file of a snapshot: it is complete.
const DONE: &str = "SNAPSHOT.json";

/// A complete snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its folder, which a reader of [`Snapshot::engine`] opens.
    pub dir: PathBuf,
    /// The engine.
    pub engine: EngineKind,
    /// What [`super::fingerprint::fingerprint`] said of the source at that moment.
    pub fingerprint: [u8; 32],
    /// How tables came into it.
    pub method: Method,
    /// Bytes of the logs (0 for sled).
    pub log_bytes: u64,
    /// Number of tables (of files for sled).
    pub tables: u64,
    /// Bytes of the tables.
    pub table_bytes: u64,
}

/// How the tables of a snapshot came there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// As further names of the source's files: no space, no time.
    Linked,
    /// In full, because the file system cannot link them, or the engine needs it.
    Copied {
        /// Bytes that were written.
        bytes: u64,
    },
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linked => f.write_str("hard links"),
            Self::Copied { bytes } => write!(f, "a full copy of {bytes} bytes"),
        }
    }
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The engine of the source cannot be told.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// The source cannot be read, or has something that is not supported.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The snapshot cannot be written.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The folder of the snapshot is in use for something else; it is not touched.
    #[error("{dir} holds something that is no snapshot")]
    NotASnapshot {
        /// The folder.
        dir: PathBuf,
    },
    /// The source changed at every try.
    #[error("{source_dir} has changed at each of {attempts} attempts to take a snapshot")]
    Restless {
        /// The source.
        source_dir: PathBuf,
        /// How often.
        attempts: u32,
    },
    /// Batches are missing between manifest and logs or among the logs: the copy would be a mixture.
    #[error(
        "{log}, offset {offset}: a batch begins at sequence {found}, but the one before ends at {expected}: batches are missing"
    )]
    Hole {
        /// The log.
        log: PathBuf,
        /// Offset of the batch.
        offset: u64,
        /// Largest sequence that would follow without a hole.
        expected: u64,
        /// Sequence found.
        found: u64,
    },
    /// A database that can only be copied while nobody has it open is open.
    #[error("{dir} is in use by {}, and a sled database can only be copied while its node is stopped", holder_list(.holders))]
    InUse {
        /// The source.
        dir: PathBuf,
        /// Who has it open.
        holders: Vec<LockHolder>,
    },
    /// It cannot be told whether somebody has the database open.
    #[error(transparent)]
    Lock(#[from] LockError),
}

fn holder_list(holders: &[LockHolder]) -> String {
    holders.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Takes a snapshot of the database in `source` into the folder `into`, which is made; a snapshot
/// that is there, whole or half-made, is replaced.
///
/// # Errors
/// See [`SnapshotError`].
pub fn take(source: &Path, into: &Path) -> Result<Snapshot, SnapshotError> {
    let engine = detect(source)?.engine;
    clear(into)?;
    durable::create_dir_all(into)?;
    durable::write_file(&into.join(BEGUN), b"")?;
    let taken = match engine {
        EngineKind::Sled => whole::copy(source, into)?,
        _ => family::take(source, into, engine)?,
    };
    let snapshot = Snapshot {
        dir: into.to_path_buf(),
        engine,
        fingerprint: match engine {
            EngineKind::Sled => super::fingerprint::of(source, engine)?,
            _ => super::fingerprint::of(into, engine)?,
        },
        method: taken.method,
        log_bytes: taken.log_bytes,
        tables: taken.tables,
        table_bytes: taken.table_bytes,
    };
    durable::sync_dir(into)?;
    record::write(&snapshot, source)?;
    Ok(snapshot)
}

impl Snapshot {
    /// Opens a snapshot that an earlier process completed.
    ///
    /// # Errors
    /// [`SnapshotError::NotASnapshot`] when there is none or it is half-made;
    /// [`StoreError::Corrupt`] when its files are not those that it was made of.
    pub fn reopen(dir: &Path) -> Result<Self, SnapshotError> {
        let snapshot = record::read(dir)?;
        // sled changes its files when they are opened, links of the others cannot change.
        if snapshot.engine != EngineKind::Sled && super::fingerprint::of(dir, snapshot.engine)? != snapshot.fingerprint
        {
            let reason = "the files of the snapshot are not those that it was made of";
            return Err(StoreError::corrupt(dir, None, reason).into());
        }
        Ok(snapshot)
    }
}

/// What one of the procedures made.
struct Taken {
    method: Method,
    log_bytes: u64,
    tables: u64,
    table_bytes: u64,
}

/// Removes an earlier snapshot; anything else stays, and is an error.
fn clear(into: &Path) -> Result<(), SnapshotError> {
    if !into.try_exists().map_err(|error| StoreError::io(into, error))? {
        return Ok(());
    }
    let names = super::names::list(into)?;
    if names.is_empty() || names.iter().any(|name| name.starts_with(BEGUN) || name == DONE) {
        durable::remove_dir_all(into)?;
        return Ok(());
    }
    Err(SnapshotError::NotASnapshot { dir: into.to_path_buf() })
}
