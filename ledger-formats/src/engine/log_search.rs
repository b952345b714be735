//! Which record of which log holds one version of a key: for people who ask where a row lies.
//!
//! The logs are read once more, to the version that is wanted; the replay keeps no places, since nobody else asks.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::EngineKind;
use super::batch::Batch;
use super::log::LogReader;
use super::log_table::trailer;
use super::names::log_name;
use super::replay::log_form;
use crate::store::StoreError;

/// File and offset of the record that holds the version `wanted` of `key`; `None` when no log does.
///
/// # Errors
/// When a log cannot be read. Records that the replay would refuse are passed over.
pub(super) fn find(
    dir: &Path,
    engine: EngineKind,
    logs: &[u64],
    key: &[u8],
    wanted: u64,
) -> Result<Option<(PathBuf, u64)>, StoreError> {
    for (number, path) in logs.iter().zip(paths(dir, logs)) {
        let failed = |error| StoreError::io(&path, error);
        let mut reader = LogReader::new(File::open(&path).map_err(failed)?, log_form(engine, *number));
        while let Some(record) = reader.read().map_err(failed)? {
            let Ok(batch) = Batch::parse(record.bytes) else { continue };
            let mut operations = batch.operations().flatten();
            if operations.any(|one| one.key == key && trailer(one.sequence, one.kind) == wanted) {
                return Ok(Some((path, record.offset)));
            }
        }
    }
    Ok(None)
}

/// The files of the logs.
pub(super) fn paths(dir: &Path, logs: &[u64]) -> Vec<PathBuf> {
    logs.iter().map(|number| dir.join(log_name(*number))).collect()
}
