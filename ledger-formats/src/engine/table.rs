//! A finished table, opened for reading.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block_cache::BlockCache;
use crate::store::StoreError;

/// A finished, immutable table file. It is opened read-only and shared between threads.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    cache: Arc<BlockCache>,
}

/// A range of user keys that is deleted up to a sequence number (Pebble).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeTombstone {
    /// First deleted user key.
    pub start: Vec<u8>,
    /// First user key that is not deleted any more.
    pub end: Vec<u8>,
    /// Versions with a smaller sequence number are deleted.
    pub sequence: u64,
}

impl Table {
    /// Opens the table at `path`. `size` is its size as the manifest says: the footer sits at the
    /// end of that size, the file may be longer.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(path: &Path, size: u64, cache: &Arc<BlockCache>) -> Result<Arc<Table>, StoreError> {
        let _ = size;
        Ok(Arc::new(Table { path: path.to_path_buf(), cache: Arc::clone(cache) }))
    }

    /// A cursor over internal keys. `readahead`: bytes read at once for long scans (0 = block by
    /// block, for point reads).
    #[must_use]
    pub fn cursor(self: &Arc<Self>, readahead: usize) -> TableCursor {
        let _ = readahead;
        TableCursor { table: Arc::clone(self) }
    }

    /// Last user key and bytes of consecutive pieces of the table, for cutting it into shards.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn index_points(&self) -> Result<Vec<(Vec<u8>, u64)>, StoreError> {
        Err(StoreError::Unsupported { file: self.path.clone(), feature: "reading tables".into() })
    }

    /// The range tombstones of the table.
    ///
    /// # Errors
    /// When their block cannot be read.
    pub fn range_deletions(&self) -> Result<Vec<RangeTombstone>, StoreError> {
        let _ = &self.cache;
        Err(StoreError::Unsupported { file: self.path.clone(), feature: "reading tables".into() })
    }
}

/// A forward cursor over the internal keys of a table; starts before the first entry.
#[derive(Debug)]
pub struct TableCursor {
    table: Arc<Table>,
}

impl TableCursor {
    /// To the first entry at or after `internal_key` in internal order; `false` when there is none.
    ///
    /// # Errors
    /// See [`TableCursor::next`].
    pub fn seek(&mut self, internal_key: &[u8]) -> Result<bool, StoreError> {
        let _ = internal_key;
        self.next()
    }

    /// To the next entry; `false` at the end.
    ///
    /// # Errors
    /// A damaged data block is reported once with the range of its keys; the next call goes on
    /// behind it. After any other error only errors follow.
    pub fn next(&mut self) -> Result<bool, StoreError> {
        Err(StoreError::Unsupported { file: self.table.path.clone(), feature: "reading tables".into() })
    }

    /// The internal key of the entry; valid after `seek` or `next` returned `true`.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &[]
    }

    /// The value of the entry; valid after `seek` or `next` returned `true`.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &[]
    }
}
