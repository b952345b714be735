//! Reads a copy of a sled database: the default tree, in key order.
//!
//! # Correctness
//! sled recovers as much of its log as checks out and opens without complaint at an older state when
//! the newest part is torn. A folder copied from a running node can so lose its newest rows: the
//! caller must require a stopped node and compare the tip with what the store itself names.

use std::fs;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use super::{Conf, DEFAULT_TREE, Eviction, close, guarded, open};
use crate::store::{Cursor, Entry, KeyRange, Location, ReadStore, StoreError, StoreStats};

/// A sled database opened for reading.
///
/// The folder is the caller's own copy: sled writes to it when it opens it.
#[derive(Debug)]
pub struct SledStore {
    dir: PathBuf,
    db: Option<::sled::Db>,
    disk_bytes: u64,
}

impl SledStore {
    /// Opens a *copy* of a database folder, which changes the copy. Memory: the page table (some tens of
    /// bytes a page of up to 16 rows) and 256 pages.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] for compression, another release or further trees, each by name;
    /// [`StoreError::Corrupt`] when the log cannot be recovered.
    pub fn open_copy(dir: &Path) -> Result<Self, StoreError> {
        let conf = Conf::read(dir)?;
        let log = dir.join("db");
        fs::metadata(&log).map_err(|source| StoreError::io(&log, source))?;
        let disk_bytes = tree_bytes(dir)?;
        let store = Self { dir: dir.to_path_buf(), db: Some(open(dir, conf.segment_bytes)?), disk_bytes };
        store.refuse_other_trees()?;
        Ok(store)
    }

    fn refuse_other_trees(&self) -> Result<(), StoreError> {
        let names = guarded(&self.dir, || Ok(self.db().tree_names()))?;
        match names.iter().find(|name| name.as_ref() != DEFAULT_TREE) {
            None => Ok(()),
            Some(name) => Err(StoreError::Unsupported {
                file: self.dir.clone(),
                feature: format!("the further tree `{}`", name.escape_ascii()),
            }),
        }
    }

    /// The view of a database that is open already.
    pub(super) fn of_open(dir: &Path, db: ::sled::Db) -> Self {
        Self { dir: dir.to_path_buf(), db: Some(db), disk_bytes: 0 }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn db(&self) -> &::sled::Db {
        self.db.as_ref().expect("only drop takes the handle")
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        if let Some(db) = self.db.take() {
            // Closing can fail on a damaged database; the folder is a copy, nothing that matters is lost.
            let _ = close(&self.dir, db);
        }
    }
}

impl ReadStore for SledStore {
    fn scan(&self, range: &KeyRange) -> Result<Box<dyn Cursor + Send + '_>, StoreError> {
        let start = Bound::Included(range.start.as_slice());
        let end = range.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let rows = guarded(&self.dir, || Ok(self.db().range::<&[u8], _>((start, end))))?;
        Ok(Box::new(SledCursor { store: self, rows, row: None, eviction: Eviction::default(), failed: false }))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = guarded(&self.dir, || self.db().get(key))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// sled keeps all rows in one file, and larger values in files of their own; it does not say where in them.
    fn locate(&self, key: &[u8]) -> Result<Option<Location>, StoreError> {
        let is_there = guarded(&self.dir, || self.db().contains_key(key))?;
        Ok(is_there.then(|| Location::Within { files: vec![self.dir.join("db"), self.dir.join("blobs")] }))
    }

    /// Always empty: sled tells neither sizes nor keys without reading the rows.
    fn split_points(&self, _bytes: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(Vec::new())
    }

    fn stats(&self) -> StoreStats {
        StoreStats { disk_bytes: self.disk_bytes, tables: 0, log_entries: 0 }
    }
}

struct SledCursor<'a> {
    store: &'a SledStore,
    rows: ::sled::Iter,
    row: Option<(::sled::IVec, ::sled::IVec)>,
    eviction: Eviction,
    failed: bool,
}

impl SledCursor<'_> {
    fn advance(&mut self) -> ::sled::Result<()> {
        if let Some((key, value)) = &self.row {
            self.eviction.passed(self.store.db(), key, key.len() + value.len())?;
        }
        self.row = self.rows.next().transpose()?;
        Ok(())
    }
}

impl Cursor for SledCursor<'_> {
    fn next(&mut self) -> Result<Option<Entry<'_>>, StoreError> {
        let dir = &self.store.dir;
        if self.failed {
            return Err(StoreError::corrupt(&dir.join("db"), None, "the scan has failed before"));
        }
        let moved = guarded(dir, || self.advance());
        self.failed = moved.is_err();
        moved?;
        Ok(self.row.as_ref().map(|(key, value)| (key.as_ref(), value.as_ref())))
    }
}

/// Bytes of all files in the folder and in `blobs`.
fn tree_bytes(dir: &Path) -> Result<u64, StoreError> {
    let mut total = 0;
    for folder in [dir.to_path_buf(), dir.join("blobs")] {
        if !folder.is_dir() {
            continue;
        }
        let failed = |source| StoreError::io(&folder, source);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let metadata = entry.and_then(|entry| entry.metadata()).map_err(failed)?;
            total += if metadata.is_file() { metadata.len() } else { 0 };
        }
    }
    Ok(total)
}
