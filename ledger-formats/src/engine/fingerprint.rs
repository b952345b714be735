//! The fingerprint of a database folder: equal means that the logical content has not moved.
//!
//! ```text
//! SHA-256 over "node-migrate folder 1\n" ‖ engine name ‖ 0, then
//! LevelDB, Pebble, RocksDB   name and length of the manifest, its bytes up to the last whole record,
//!                            name and size of each live table, name, length and bytes of each live log
//! sled                       name, length, modification time, first and last MiB of each file
//! ```
//! Tables are immutable, so their names and sizes stand for their bytes. `LOCK`, `LOG`, `OPTIONS` and
//! files that are not live do not count. A snapshot by links has the fingerprint that its source had.
//! This is a guard against mistakes and running nodes, not against somebody who edits tables.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::EngineKind;
use super::detect::{DetectError, detect};
use super::entry_point;
use super::manifest::Version;
use super::names::{self, log_name};
use super::open_tables::table_path;
use super::replay::live_logs;
use crate::store::StoreError;

const DOMAIN: &[u8] = b"node-migrate folder 1\n";
/// How often a folder is read anew that a running node changes meanwhile.
const ATTEMPTS_MAX: u32 = 100;
/// Bytes of each end of a sled file that are read.
const ENDS: u64 = 1 << 20;
/// sled keeps its large values one folder deep.
const DEPTH_MAX: u32 = 4;

/// The fingerprint of the database in `dir`, whichever engine it is of.
///
/// # Errors
/// When the engine cannot be told or a file cannot be read.
pub fn fingerprint(dir: &Path) -> Result<[u8; 32], StoreError> {
    let detected = detect(dir).map_err(|error| match error {
        DetectError::Store(error) => error,
        other => StoreError::corrupt(dir, None, other.to_string()),
    })?;
    of(dir, detected.engine)
}

/// The fingerprint of a folder whose engine is known.
pub(super) fn of(dir: &Path, engine: EngineKind) -> Result<[u8; 32], StoreError> {
    let mut attempt = 1;
    loop {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update(engine.config_name());
        hash.update([0]);
        let read = match engine {
            EngineKind::Sled => sled(dir, "", 0, &mut hash),
            _ => family(dir, engine, &mut hash),
        };
        match read {
            Ok(()) => return Ok(hash.finalize().into()),
            Err(error) if attempt < ATTEMPTS_MAX && is_gone(&error) => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

fn is_gone(error: &StoreError) -> bool {
    matches!(error, StoreError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

fn family(dir: &Path, engine: EngineKind, hash: &mut Sha256) -> Result<(), StoreError> {
    let names = names::list(dir)?;
    let manifest = entry_point::locate(dir, &names, engine)?.manifest;
    let path = dir.join(&manifest);
    let version = Version::read(&path)?;
    frame(hash, &manifest, version.length);
    contents(&path, 0, version.length, hash)?;
    for table in &version.tables {
        let path = table_path(dir, engine, table.number);
        // A table that is missing is content that moved, and for its reader to complain about.
        let size = match fs::metadata(&path) {
            Ok(meta) => meta.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => u64::MAX,
            Err(error) => return Err(StoreError::io(&path, error)),
        };
        frame(hash, &path.file_name().unwrap_or_default().to_string_lossy(), size);
    }
    for number in live_logs(dir, &names, &version)? {
        let path = dir.join(log_name(number));
        let length = metadata(&path)?.len();
        frame(hash, &log_name(number), length);
        contents(&path, 0, length, hash)?;
    }
    Ok(())
}

fn sled(dir: &Path, prefix: &str, depth: u32, hash: &mut Sha256) -> Result<(), StoreError> {
    if depth > DEPTH_MAX {
        return Err(StoreError::corrupt(dir, None, "folders in folders, which sled does not make"));
    }
    for name in names::list(dir)? {
        let (path, inside) = (dir.join(&name), format!("{prefix}{name}"));
        let meta = metadata(&path)?;
        if meta.is_dir() {
            sled(&path, &format!("{inside}/"), depth + 1, hash)?;
            continue;
        }
        frame(hash, &inside, meta.len());
        hash.update(meta.mtime().to_be_bytes());
        hash.update(meta.mtime_nsec().to_be_bytes());
        contents(&path, 0, ENDS, hash)?;
        contents(&path, meta.len().saturating_sub(ENDS), ENDS, hash)?;
    }
    Ok(())
}

fn metadata(path: &Path) -> Result<Metadata, StoreError> {
    fs::metadata(path).map_err(|error| StoreError::io(path, error))
}

fn frame(hash: &mut Sha256, name: &str, length: u64) {
    hash.update((name.len() as u64).to_be_bytes());
    hash.update(name);
    hash.update(length.to_be_bytes());
}

/// Hashes at most `length` bytes from `offset` on.
fn contents(path: &Path, offset: u64, length: u64, hash: &mut Sha256) -> Result<(), StoreError> {
    let failed = |error| StoreError::io(path, error);
    let mut file = File::open(path).map_err(failed)?;
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut rest = file.take(length);
    let mut buffer = vec![0; 128 << 10];
    loop {
        let read = rest.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            return Ok(());
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}
