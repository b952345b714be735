//! The live tables of one folder, opened when they are needed.
//!
//! A bounded number stays open, each with idle cursors, so that point reads of neighbouring keys
//! neither open a table nor seek from its index anew. Shared by all scans and reads of a store.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::EngineKind;
use super::block_cache::BlockCache;
use super::manifest::TableMeta;
use super::table::{RangeTombstone, Table, TableCursor};
use crate::store::StoreError;

/// Tables that stay open; when there are more, the least recently used half is closed.
const OPEN_MAX: usize = 256;
/// Idle cursors that an open table keeps.
const IDLE_MAX: usize = 4;

/// The live tables.
#[derive(Debug)]
pub(super) struct OpenTables {
    dir: PathBuf,
    engine: EngineKind,
    metas: Vec<TableMeta>,
    /// By index; read once a table, Pebble only.
    tombstones: Vec<OnceLock<Box<[RangeTombstone]>>>,
    cache: Arc<BlockCache>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    clock: u64,
    tables: HashMap<usize, OpenTable>,
}

#[derive(Debug)]
struct OpenTable {
    used: u64,
    table: Arc<Table>,
    idle: Vec<TableCursor>,
}

impl OpenTables {
    pub(super) fn new(dir: &Path, engine: EngineKind, metas: Vec<TableMeta>, cache: Arc<BlockCache>) -> Self {
        let tombstones = metas.iter().map(|_| OnceLock::new()).collect();
        Self { dir: dir.to_path_buf(), engine, metas, tombstones, cache, open: Mutex::default() }
    }

    /// What the manifest says about them.
    pub(super) fn metas(&self) -> &[TableMeta] {
        &self.metas
    }

    /// Where a table lies.
    pub(super) fn path(&self, meta: &TableMeta) -> PathBuf {
        table_path(&self.dir, self.engine, meta.number)
    }

    /// The table at this place of [`OpenTables::metas`], opened.
    pub(super) fn table(&self, index: usize) -> Result<Arc<Table>, StoreError> {
        if let Some(open) = self.lock().touch(index) {
            return Ok(Arc::clone(&open.table));
        }
        // Opened outside the lock; two threads may open one table, and one of the two is then dropped.
        let table = self.open_file(index)?;
        self.lock().insert(index, &table);
        Ok(table)
    }

    /// Runs `read` with a point cursor of the table, and keeps the cursor for the next time.
    pub(super) fn with_cursor<T>(
        &self,
        index: usize,
        read: impl FnOnce(&mut TableCursor) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.lock().touch(index).and_then(|open| open.idle.pop());
        let mut cursor = match idle {
            Some(cursor) => cursor,
            None => self.table(index)?.cursor(0),
        };
        let result = read(&mut cursor)?;
        if let Some(open) = self.lock().tables.get_mut(&index)
            && open.idle.len() < IDLE_MAX
        {
            open.idle.push(cursor);
        }
        Ok(result)
    }

    /// The range tombstones of a table, cut to its bounds.
    pub(super) fn tombstones(&self, index: usize) -> Result<&[RangeTombstone], StoreError> {
        let (Some(cell), Some(meta)) = (self.tombstones.get(index), self.metas.get(index)) else { return Ok(&[]) };
        if self.engine != EngineKind::Pebble {
            return Ok(&[]);
        }
        if let Some(known) = cell.get() {
            return Ok(known);
        }
        let read = self.table(index)?.range_deletions()?;
        let cut = read.into_iter().filter_map(|tombstone| cut(tombstone, meta)).collect();
        Ok(cell.get_or_init(|| cut))
    }

    fn open_file(&self, index: usize) -> Result<Arc<Table>, StoreError> {
        let Some(meta) = self.metas.get(index) else {
            return Err(StoreError::corrupt(&self.dir, None, "a table that the manifest does not list"));
        };
        let path = self.path(meta);
        if !path.try_exists().map_err(|error| StoreError::io(&path, error))? {
            return Err(StoreError::corrupt(&path, None, "table is missing"));
        }
        Table::open(&path, meta.size, &self.cache)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn touch(&mut self, index: usize) -> Option<&mut OpenTable> {
        self.clock += 1;
        let open = self.tables.get_mut(&index)?;
        open.used = self.clock;
        Some(open)
    }

    fn insert(&mut self, index: usize, table: &Arc<Table>) {
        if self.tables.len() >= OPEN_MAX {
            let mut uses: Vec<u64> = self.tables.values().map(|open| open.used).collect();
            let middle = uses.len() / 2;
            let (_, median, _) = uses.select_nth_unstable(middle);
            let median = *median;
            self.tables.retain(|_, open| open.used > median);
        }
        let used = self.clock;
        self.tables.entry(index).or_insert_with(|| OpenTable { used, table: Arc::clone(table), idle: Vec::new() });
    }
}

/// Where a live table lies: LevelDB looks for `.ldb` and then for the older `.sst`.
pub(super) fn table_path(dir: &Path, engine: EngineKind, number: u64) -> PathBuf {
    let sst = dir.join(format!("{number:06}.sst"));
    if engine != EngineKind::LevelDb {
        return sst;
    }
    let ldb = dir.join(format!("{number:06}.ldb"));
    if !ldb.exists() && sst.exists() { sst } else { ldb }
}

/// A tombstone counts only inside the bounds of its table; Pebble writes it cut, RocksDB did not.
fn cut(tombstone: RangeTombstone, meta: &TableMeta) -> Option<RangeTombstone> {
    let start = tombstone.start.max(meta.first_key().to_vec());
    // The key right behind the last one, so that the last one itself is inside.
    let behind = [meta.last_key(), &[0]].concat();
    let end = tombstone.end.min(behind);
    let sequence = meta.global_sequence().unwrap_or(tombstone.sequence);
    (start < end).then_some(RangeTombstone { start, end, sequence })
}
