//! The proof that a snapshot is no mixture: sequence numbers run on without a hole.
//!
//! Each batch begins where the one before it ended or below, from log to log. In goleveldb the first
//! one begins at most one above the manifest's last sequence; in Pebble and RocksDB that number runs
//! ahead of what is in tables and proves nothing. (live.md section 3: all of 66 mixtures were seen by
//! this check, none of 782 true snapshots was refused.)

use std::fs::File;
use std::path::Path;

use super::SnapshotError;
use crate::engine::EngineKind;
use crate::engine::batch::Batch;
use crate::engine::log::LogReader;
use crate::engine::manifest::Version;
use crate::engine::names::log_name;
use crate::engine::replay::log_form;
use crate::store::StoreError;

/// Checks the logs with these numbers, ascending, in the folder `dir`.
pub(super) fn check(dir: &Path, engine: EngineKind, version: &Version, logs: &[u64]) -> Result<(), SnapshotError> {
    let mut next = version.last_sequence.filter(|_| engine == EngineKind::LevelDb).map(|last| last.saturating_add(1));
    for log in logs {
        let path = dir.join(log_name(*log));
        let failed = |error| StoreError::io(&path, error);
        let mut reader = LogReader::new(File::open(&path).map_err(failed)?, log_form(engine, *log));
        while let Some(record) = reader.read().map_err(failed)? {
            // What is no batch is for the reader of the database to refuse.
            let Ok(batch) = Batch::parse(record.bytes) else { continue };
            if let Some(expected) = next.filter(|expected| batch.first_sequence > *expected) {
                let (log, offset) = (path.clone(), record.offset);
                return Err(SnapshotError::Hole { log, offset, expected, found: batch.first_sequence });
            }
            next = Some(batch.next_sequence());
        }
    }
    Ok(())
}
