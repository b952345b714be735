//! The one place where an engine's name becomes its reader or writer.

use std::fs;
use std::path::Path;

use super::live::LiveStore;
use super::lsm::LsmStore;
use super::lsm_writer::{LsmTarget, LsmWriter, LsmWriterOptions};
use super::{EngineKind, TargetFormat};
use crate::store::{BulkWriter, ReadStore, StoreError, StoreStats};

/// Opens the folder of a stopped node as it is, if this engine's files can be read without changing
/// the folder; `None` when a snapshot must be taken first.
///
/// # Errors
/// When the database cannot be read.
pub fn open_in_place(dir: &Path, kind: EngineKind, cache_bytes: u64) -> Result<Option<Box<dyn ReadStore>>, StoreError> {
    match kind {
        EngineKind::LevelDb | EngineKind::Pebble => Ok(Some(Box::new(LsmStore::open(dir, kind, cache_bytes)?))),
        EngineKind::RocksDb | EngineKind::Sled => Ok(None),
    }
}

/// Opens a folder that belongs to us: a snapshot, or a copy. Never a node's own folder.
///
/// # Errors
/// When the database cannot be read, or this build lacks the engine.
pub fn open_copy(dir: &Path, kind: EngineKind, cache_bytes: u64) -> Result<Box<dyn ReadStore>, StoreError> {
    match kind {
        EngineKind::LevelDb | EngineKind::Pebble => Ok(Box::new(LsmStore::open(dir, kind, cache_bytes)?)),
        EngineKind::RocksDb => open_rocks(dir, cache_bytes),
        EngineKind::Sled => open_sled(dir),
    }
}

/// The writer of a new database: tables in `parts`, the finished database at `dir`.
///
/// # Errors
/// When `parts` cannot be made, or this build lacks the engine.
pub fn writer(target: TargetFormat, parts: &Path, dir: &Path) -> Result<Box<dyn BulkWriter>, StoreError> {
    let lsm = |target| LsmWriter::new(target, parts, dir, LsmWriterOptions::default());
    match (target.engine, target.pebble_format) {
        (EngineKind::LevelDb, _) => Ok(Box::new(lsm(LsmTarget::LevelDb)?)),
        (EngineKind::Pebble, 13) => Ok(Box::new(lsm(LsmTarget::PebbleV2)?)),
        (EngineKind::Pebble, _) => Ok(Box::new(lsm(LsmTarget::PebbleV1)?)),
        (EngineKind::RocksDb, _) => rocks_writer(parts, dir),
        (EngineKind::Sled, _) => sled_writer(parts, dir),
    }
}

/// Opens the database of a node of a testnet, or creates it: see [`super::live`].
///
/// # Errors
/// When it cannot be opened, or no testnet's node writes this engine.
pub fn open_live(dir: &Path, kind: EngineKind) -> Result<Box<dyn LiveStore>, StoreError> {
    match kind {
        EngineKind::RocksDb => rocks_live(dir),
        EngineKind::Sled => sled_live(dir),
        EngineKind::LevelDb | EngineKind::Pebble => {
            let feature = format!("{kind} as the engine of a testnet's node");
            Err(StoreError::Unsupported { file: dir.to_path_buf(), feature })
        }
    }
}

/// Size of a database by its files alone, for engines whose folder we do not look into.
///
/// # Errors
/// When the folder cannot be listed.
pub fn folder_stats(dir: &Path) -> Result<StoreStats, StoreError> {
    let mut stats = StoreStats::default();
    let entries = fs::read_dir(dir).map_err(|source| StoreError::io(dir, source))?;
    for entry in entries {
        let entry = entry.map_err(|source| StoreError::io(dir, source))?;
        let meta = entry.metadata().map_err(|source| StoreError::io(&entry.path(), source))?;
        if meta.is_dir() {
            stats.disk_bytes += folder_stats(&entry.path())?.disk_bytes;
            continue;
        }
        stats.disk_bytes += meta.len();
        stats.tables += u64::from(entry.path().extension().is_some_and(|extension| extension == "sst"));
    }
    Ok(stats)
}

#[cfg(feature = "rocks")]
fn open_rocks(dir: &Path, cache_bytes: u64) -> Result<Box<dyn ReadStore>, StoreError> {
    use super::rocks::{RocksReadOptions, RocksStore};
    let cache_bytes = usize::try_from(cache_bytes).unwrap_or(usize::MAX);
    let limits = RocksReadOptions { cache_bytes, ..RocksReadOptions::default() };
    Ok(Box::new(RocksStore::open_snapshot(dir, &limits)?))
}

#[cfg(feature = "rocks")]
fn rocks_writer(parts: &Path, dir: &Path) -> Result<Box<dyn BulkWriter>, StoreError> {
    use super::rocks::{RocksWriteOptions, RocksWriter};
    Ok(Box::new(RocksWriter::new(parts, dir, RocksWriteOptions::default())?))
}

#[cfg(feature = "rocks")]
fn rocks_live(dir: &Path) -> Result<Box<dyn LiveStore>, StoreError> {
    Ok(Box::new(super::rocks::RocksLive::open(dir)?))
}

#[cfg(not(feature = "rocks"))]
fn rocks_live(dir: &Path) -> Result<Box<dyn LiveStore>, StoreError> {
    Err(not_built(dir, EngineKind::RocksDb))
}

#[cfg(not(feature = "rocks"))]
fn open_rocks(dir: &Path, _: u64) -> Result<Box<dyn ReadStore>, StoreError> {
    Err(not_built(dir, EngineKind::RocksDb))
}

#[cfg(not(feature = "rocks"))]
fn rocks_writer(_: &Path, dir: &Path) -> Result<Box<dyn BulkWriter>, StoreError> {
    Err(not_built(dir, EngineKind::RocksDb))
}

#[cfg(feature = "sled")]
fn open_sled(dir: &Path) -> Result<Box<dyn ReadStore>, StoreError> {
    Ok(Box::new(super::sled::SledStore::open_copy(dir)?))
}

#[cfg(feature = "sled")]
fn sled_writer(parts: &Path, dir: &Path) -> Result<Box<dyn BulkWriter>, StoreError> {
    Ok(Box::new(super::sled::SledWriter::new(parts, dir)?))
}

#[cfg(feature = "sled")]
fn sled_live(dir: &Path) -> Result<Box<dyn LiveStore>, StoreError> {
    Ok(Box::new(super::sled::SledLive::open(dir)?))
}

#[cfg(not(feature = "sled"))]
fn sled_live(dir: &Path) -> Result<Box<dyn LiveStore>, StoreError> {
    Err(not_built(dir, EngineKind::Sled))
}

#[cfg(not(feature = "sled"))]
fn open_sled(dir: &Path) -> Result<Box<dyn ReadStore>, StoreError> {
    Err(not_built(dir, EngineKind::Sled))
}

#[cfg(not(feature = "sled"))]
fn sled_writer(_: &Path, dir: &Path) -> Result<Box<dyn BulkWriter>, StoreError> {
    Err(not_built(dir, EngineKind::Sled))
}

#[cfg(any(not(feature = "rocks"), not(feature = "sled")))]
fn not_built(dir: &Path, kind: EngineKind) -> StoreError {
    StoreError::Unsupported { file: dir.to_path_buf(), feature: format!("{kind} in this build of the tool") }
}
