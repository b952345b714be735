//! What the tables of one database share: decoded blocks, and a bounded number of open files.
//!
//! Thousands of tables may be known at once; only the files used last are open, so a database never
//! runs the process out of file descriptors. Blocks are kept for point reads and indexes; long
//! scans read past the cache.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lru::Lru;

const SHARDS_MAX: usize = 16;

/// A shard's size at least, so that it has room for the index of a large table.
const SHARD_BYTES_MIN: usize = 8 << 20;

/// Open files at most; well under the usual limit of 1024 of a process.
const FILES_MAX: usize = 256;

/// A table's number and the offset of a block in it.
type BlockKey = (u64, u64);

/// Decoded blocks by bytes, and open files.
#[derive(Debug)]
pub struct BlockCache {
    blocks: Vec<Mutex<Lru<BlockKey, Arc<Vec<u8>>>>>,
    files: Mutex<Lru<u64, Arc<File>>>,
    tables: AtomicU64,
    hasher: RandomState,
}

impl BlockCache {
    /// A cache of at most `bytes_max` bytes of decoded blocks.
    #[must_use]
    pub fn new(bytes_max: usize) -> Arc<Self> {
        let shards = (bytes_max / SHARD_BYTES_MIN).clamp(1, SHARDS_MAX);
        Arc::new(Self {
            blocks: (0..shards).map(|_| Mutex::new(Lru::new(bytes_max / shards))).collect(),
            files: Mutex::new(Lru::new(FILES_MAX)),
            tables: AtomicU64::new(0),
            hasher: RandomState::new(),
        })
    }

    /// A number for a table, under which its blocks and its file are kept.
    pub(super) fn table(&self) -> u64 {
        self.tables.fetch_add(1, Ordering::Relaxed)
    }

    /// The block of a table at `offset`, loaded by `load` when it is not there. Two threads that
    /// miss it at once both load it.
    pub(super) fn block<E>(
        &self,
        table: u64,
        offset: u64,
        load: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Arc<Vec<u8>>, E> {
        let key = (table, offset);
        if let Some(block) = self.shard(key).get(key) {
            return Ok(block);
        }
        let block = Arc::new(load()?);
        self.shard(key).insert(key, Arc::clone(&block), block.len());
        Ok(block)
    }

    /// The open file of a table.
    pub(super) fn file(&self, table: u64, path: &Path) -> io::Result<Arc<File>> {
        if let Some(file) = locked(&self.files).get(table) {
            return Ok(file);
        }
        let file = Arc::new(File::open(path)?);
        locked(&self.files).insert(table, Arc::clone(&file), 1);
        Ok(file)
    }

    fn shard(&self, key: BlockKey) -> MutexGuard<'_, Lru<BlockKey, Arc<Vec<u8>>>> {
        let hash = self.hasher.hash_one(key).to_le_bytes();
        locked(&self.blocks[usize::from(hash[0]) % self.blocks.len()])
    }
}

/// A panic elsewhere leaves a cache whose content is still true.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(cache: &BlockCache, offset: u64, bytes: usize) -> bool {
        let mut loaded = false;
        let block = cache.block(0, offset, || {
            loaded = true;
            Ok::<_, io::Error>(vec![1; bytes])
        });
        assert_eq!(block.unwrap().len(), bytes);
        loaded
    }

    #[test]
    fn a_block_is_loaded_once_while_there_is_room() {
        let cache = BlockCache::new(1 << 20);
        assert!(load(&cache, 7, 100));
        assert!(!load(&cache, 7, 100));
        assert!(load(&cache, 8, 100));
    }

    #[test]
    fn a_cache_without_room_still_gives_blocks() {
        let cache = BlockCache::new(0);
        assert!(load(&cache, 7, 100));
        assert!(load(&cache, 7, 100));
    }

    #[test]
    fn more_tables_than_files_that_may_be_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table");
        std::fs::write(&path, b"x").unwrap();
        let cache = BlockCache::new(0);
        for table in 0..2 * FILES_MAX as u64 {
            assert_eq!(cache.file(table, &path).unwrap().metadata().unwrap().len(), 1);
        }
        assert_eq!(locked(&cache.files).get(0).map(drop), None);
        assert!(locked(&cache.files).get(2 * FILES_MAX as u64 - 1).is_some());
    }
}
