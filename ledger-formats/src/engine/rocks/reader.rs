//! Reads a RocksDB database that nobody else has open.
//!
//! # Correctness
//! The library opens the folder read-only and must not change a byte of it; its info log is
//! switched off. All the same it is only given a snapshot's copy or a sealed target, never a node's
//! own folder. Logs are replayed into memory to their end: a torn record at the very end is what a
//! killed node leaves and is dropped, as the node itself would; damage before the end is an error,
//! where the library's own default would silently stop there. Every block's checksum is verified.

use std::path::{Path, PathBuf};

use rocksdb::{BlockBasedOptions, Cache, DB, DBRawIterator, DBRecoveryMode, LiveFile, Options, ReadOptions};

use super::error::{explained, store_error};
use super::options::{Complaints, quiet};
use super::split::split_points;
use crate::store::{Cursor, Entry, KeyRange, Location, ReadStore, StoreError, StoreStats};

/// The column family that nodes use.
const COLUMN_FAMILY: &str = "default";
/// A scan reads this much at once.
const READAHEAD_BYTES: usize = 4 << 20;

/// How much a reader may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RocksReadOptions {
    /// Blocks, indexes and filters kept in memory, in bytes. What the logs hold comes on top: up to
    /// the node's write buffers (128 MiB each by default).
    pub cache_bytes: usize,
    /// Table files held open.
    pub open_files_max: u16,
}

impl Default for RocksReadOptions {
    fn default() -> Self {
        Self { cache_bytes: 32 << 20, open_files_max: 256 }
    }
}

/// A RocksDB database opened for reading.
#[derive(Debug)]
pub struct RocksStore {
    dir: PathBuf,
    db: DB,
    stats: StoreStats,
}

impl RocksStore {
    /// Opens a snapshot's copy, or a sealed target; the folder is not changed.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] for further column families, another comparator or a feature of a
    /// newer release, by name; [`StoreError::Corrupt`] for a damaged manifest or log or a missing table.
    pub fn open_snapshot(dir: &Path, limits: &RocksReadOptions) -> Result<Self, StoreError> {
        let (options, complaints) = read_options(limits);
        let failed = |error| explained(dir, error, &complaints.last());
        let families = DB::list_cf(&options, dir).map_err(failed)?;
        if let Some(other) = families.iter().find(|name| *name != COLUMN_FAMILY) {
            let feature = format!("the further column family `{other}`");
            return Err(StoreError::Unsupported { file: dir.to_path_buf(), feature });
        }
        let family = (COLUMN_FAMILY, options.clone());
        let db = DB::open_cf_with_opts_for_read_only(&options, dir, [family], false).map_err(failed)?;
        let stats = stats(dir, &db)?;
        Ok(Self { dir: dir.to_path_buf(), db, stats })
    }

    /// The view of a database that is open already.
    pub(super) fn of_open(dir: &Path, db: DB) -> Self {
        Self { dir: dir.to_path_buf(), db, stats: StoreStats::default() }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) const fn db(&self) -> &DB {
        &self.db
    }

    /// The tables of the newest version, in no particular order.
    ///
    /// # Errors
    /// When the library cannot tell.
    pub(super) fn tables(&self) -> Result<Vec<LiveFile>, StoreError> {
        self.db.live_files().map_err(|error| store_error(&self.dir, error))
    }

    fn cursor_options() -> ReadOptions {
        let mut options = ReadOptions::default();
        options.set_verify_checksums(true);
        options.set_total_order_seek(true);
        options.fill_cache(false);
        options.set_readahead_size(READAHEAD_BYTES);
        options
    }
}

fn read_options(limits: &RocksReadOptions) -> (Options, Complaints) {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_cache(&Cache::new_lru_cache(limits.cache_bytes));
    // Otherwise they stay in memory as long as the file is open, outside of any limit.
    tables.set_cache_index_and_filter_blocks(true);
    let mut options = Options::default();
    options.set_block_based_table_factory(&tables);
    options.set_paranoid_checks(true);
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_skip_stats_update_on_db_open(true);
    options.set_max_open_files(i32::from(limits.open_files_max));
    let complaints = quiet(&mut options);
    (options, complaints)
}

fn stats(dir: &Path, db: &DB) -> Result<StoreStats, StoreError> {
    let failed = |error| store_error(dir, error);
    let tables = db.live_files().map_err(failed)?;
    let mut disk_bytes: u64 = tables.iter().map(|table| table.size as u64).sum();
    disk_bytes += logs(dir)?.iter().map(|(_, bytes)| bytes).sum::<u64>();
    let mut log_entries = 0;
    for property in ["rocksdb.num-entries-active-mem-table", "rocksdb.num-entries-imm-mem-tables"] {
        log_entries += db.property_int_value(property).map_err(failed)?.unwrap_or(0);
    }
    Ok(StoreStats { disk_bytes, tables: tables.len() as u64, log_entries })
}

/// The logs of a folder and their bytes.
fn logs(dir: &Path) -> Result<Vec<(PathBuf, u64)>, StoreError> {
    let failed = |source| StoreError::io(dir, source);
    let mut logs = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().extension().is_some_and(|extension| extension == "log") {
            logs.push((entry.path(), entry.metadata().map_err(failed)?.len()));
        }
    }
    Ok(logs)
}

impl ReadStore for RocksStore {
    fn scan(&self, range: &KeyRange) -> Result<Box<dyn Cursor + Send + '_>, StoreError> {
        let mut options = Self::cursor_options();
        if let Some(end) = &range.end {
            options.set_iterate_upper_bound(end.as_slice());
        }
        let mut rows = self.db.raw_iterator_opt(options);
        rows.seek(&range.start);
        Ok(Box::new(RocksCursor { dir: &self.dir, rows, begun: false }))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut options = ReadOptions::default();
        options.set_verify_checksums(true);
        self.db.get_opt(key, &options).map_err(|error| store_error(&self.dir, error))
    }

    fn locate(&self, key: &[u8]) -> Result<Option<Location>, StoreError> {
        if self.get(key)?.is_none() {
            return Ok(None);
        }
        // The tables whose bounds hold the key; the library does not tell which of them has the newest version.
        let holds = |table: &LiveFile| {
            let bounds = table.start_key.as_deref().zip(table.end_key.as_deref());
            bounds.is_none_or(|(start, end)| start <= key && key <= end)
        };
        let tables = self.tables()?.into_iter().filter(holds);
        let mut files: Vec<PathBuf> = tables.map(|table| self.dir.join(table.name.trim_start_matches('/'))).collect();
        if self.stats.log_entries > 0 {
            files.extend(logs(&self.dir)?.into_iter().map(|(path, _)| path));
        }
        files.sort();
        Ok(Some(Location::Within { files }))
    }

    fn split_points(&self, bytes: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(split_points(&self.db, self.tables()?, bytes))
    }

    fn stats(&self) -> StoreStats {
        self.stats
    }
}

struct RocksCursor<'a> {
    dir: &'a Path,
    rows: DBRawIterator<'a>,
    begun: bool,
}

impl Cursor for RocksCursor<'_> {
    fn next(&mut self) -> Result<Option<Entry<'_>>, StoreError> {
        // A failed iterator stays invalid and keeps its status, so the error repeats.
        if self.begun && self.rows.valid() {
            self.rows.next();
        }
        self.begun = true;
        if !self.rows.valid() {
            self.rows.status().map_err(|error| store_error(self.dir, error))?;
        }
        Ok(self.rows.item())
    }
}
