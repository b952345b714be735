//! A database in memory: what every other engine is compared with, and a model for tests.
//!
//! It never touches a disk, so nothing in it is durable; it must not serve as a migration's target.

use std::collections::{BTreeMap, btree_map};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ascending::{Ascending, shards_ascend};
use crate::store::{
    BulkWriter, Cursor, Entry, FinishedShard, KeyRange, Location, ReadStore, ShardWriter, StoreError, StoreStats,
};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A readable database in memory; clones share the rows.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    rows: Arc<Rows>,
}

impl MemoryStore {
    /// The store of these entries; the last one of equal keys counts.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        Self { rows: Arc::new(entries.into_iter().collect()) }
    }

    /// Puts an entry; clones made before do not see it.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        Arc::make_mut(&mut self.rows).insert(key, value);
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl ReadStore for MemoryStore {
    fn scan(&self, range: &KeyRange) -> Result<Box<dyn Cursor + Send + '_>, StoreError> {
        // A map refuses an inverted range by panicking; here it holds nothing.
        let end = range.end.as_deref().map(|end| end.max(range.start.as_slice()));
        let bounds = (Bound::Included(range.start.as_slice()), end.map_or(Bound::Unbounded, Bound::Excluded));
        Ok(Box::new(MemoryCursor { rows: self.rows.range::<[u8], _>(bounds) }))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.get(key).cloned())
    }

    fn locate(&self, key: &[u8]) -> Result<Option<Location>, StoreError> {
        Ok(self.rows.contains_key(key).then(|| Location::Within { files: Vec::new() }))
    }

    fn split_points(&self, bytes: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut points = Vec::new();
        let mut piece = 0_u64;
        for (key, value) in self.rows.iter() {
            if piece >= bytes.max(1) {
                points.push(key.clone());
                piece = 0;
            }
            piece += row_bytes(key, value);
        }
        Ok(points)
    }

    fn stats(&self) -> StoreStats {
        let disk_bytes = self.rows.iter().map(|(key, value)| row_bytes(key, value)).sum();
        StoreStats { disk_bytes, tables: 0, log_entries: 0 }
    }
}

fn row_bytes(key: &[u8], value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64
}

struct MemoryCursor<'a> {
    rows: btree_map::Range<'a, Vec<u8>, Vec<u8>>,
}

impl Cursor for MemoryCursor<'_> {
    fn next(&mut self) -> Result<Option<Entry<'_>>, StoreError> {
        Ok(self.rows.next().map(|(key, value)| (key.as_slice(), value.as_slice())))
    }
}

/// Collects shards in memory and makes a [`MemoryStore`] of them.
#[derive(Debug, Default)]
pub struct MemoryWriter {
    state: Mutex<WriterState>,
}

#[derive(Debug, Default)]
struct WriterState {
    shards: BTreeMap<u32, Rows>,
    sealed: Option<MemoryStore>,
}

impl MemoryWriter {
    /// The database, once [`BulkWriter::seal`] has made it.
    #[must_use]
    pub fn sealed(&self) -> Option<MemoryStore> {
        self.state().sealed.clone()
    }

    fn state(&self) -> MutexGuard<'_, WriterState> {
        // Every change under the lock is a single insertion: a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BulkWriter for MemoryWriter {
    fn shard(&self, shard: u32) -> Result<Box<dyn ShardWriter + Send + '_>, StoreError> {
        self.state().shards.remove(&shard);
        Ok(Box::new(MemoryShard { writer: self, shard, rows: Rows::new(), order: Ascending::default() }))
    }

    fn seal(&self, shards: &[FinishedShard]) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.sealed.is_some() {
            return Ok(());
        }
        shards_ascend(shards)?;
        let mut order = Ascending::default();
        let mut all = Rows::new();
        for shard in shards {
            let rows = state.shards.get(&shard.shard).filter(|rows| rows.len() as u64 == shard.entries);
            let rows = rows.ok_or_else(|| missing(shard))?;
            for (key, value) in rows {
                order.admit(key)?;
                all.insert(key.clone(), value.clone());
            }
        }
        state.sealed = Some(MemoryStore { rows: Arc::new(all) });
        Ok(())
    }
}

fn missing(shard: &FinishedShard) -> StoreError {
    StoreError::Engine {
        engine: "memory",
        path: std::path::PathBuf::new(),
        message: format!("shard {} with {} entries was not finished here", shard.shard, shard.entries),
    }
}

struct MemoryShard<'a> {
    writer: &'a MemoryWriter,
    shard: u32,
    rows: Rows,
    order: Ascending,
}

impl ShardWriter for MemoryShard<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.order.admit(key)?;
        self.rows.insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<FinishedShard, StoreError> {
        let finished = FinishedShard { shard: self.shard, entries: self.rows.len() as u64, tables: Vec::new() };
        self.writer.state().shards.insert(self.shard, self.rows);
        Ok(finished)
    }
}
