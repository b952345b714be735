//! The copy of a whole folder, for sled, which changes its files in place.

use std::path::Path;

use super::{Method, SnapshotError, Taken};
use crate::durable;
use crate::engine::lock;
use crate::engine::{EngineKind, fingerprint, names};
use crate::store::StoreError;

/// sled keeps its large values one folder deep.
const DEPTH_MAX: u32 = 4;

/// Copies every file of a folder that nobody has open, and that does not change meanwhile. A switch, which holds the locks itself,
/// may read what it holds.
pub(super) fn copy(source: &Path, into: &Path) -> Result<Taken, SnapshotError> {
    let in_use = || -> Result<(), SnapshotError> {
        let holders = lock::other_holders(source)?;
        if holders.is_empty() { Ok(()) } else { Err(SnapshotError::InUse { dir: source.to_path_buf(), holders }) }
    };
    in_use()?;
    let before = fingerprint::of(source, EngineKind::Sled)?;
    let (mut files, mut bytes) = (0, 0);
    copy_files(source, into, 0, &mut files, &mut bytes)?;
    in_use()?;
    if fingerprint::of(source, EngineKind::Sled)? != before {
        return Err(SnapshotError::Restless { source_dir: source.to_path_buf(), attempts: 1 });
    }
    Ok(Taken { method: Method::Copied { bytes }, log_bytes: 0, tables: files, table_bytes: bytes })
}

fn copy_files(from: &Path, to: &Path, depth: u32, files: &mut u64, bytes: &mut u64) -> Result<(), SnapshotError> {
    if depth > DEPTH_MAX {
        return Err(StoreError::corrupt(from, None, "folders in folders, which sled does not make").into());
    }
    for name in names::list(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            durable::create_dir_all(&to)?;
            copy_files(&from, &to, depth + 1, files, bytes)?;
        } else {
            *bytes += durable::copy_file(&from, &to, u64::MAX)?;
            *files += 1;
        }
    }
    durable::sync_dir(to)?;
    Ok(())
}
