//! Writes a new RocksDB database: finished tables, shard by shard, taken in when it is sealed.
//!
//! # Correctness
//! A table is fsynced by the library before it counts as finished, its name by [`durable::sync_dir`]
//! when the shard ends. A dropped shard leaves tables that nothing names; starting the shard again
//! removes them.

use std::path::{Path, PathBuf};

use rocksdb::{Options, SstFileWriter};

use super::error::{step, store_error};
use super::options::for_tables;
use super::seal::seal;
use crate::durable;
use crate::engine::ascending::Ascending;
use crate::store::{BulkWriter, FinishedShard, FinishedTable, ShardWriter, StoreError};

/// How tables are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RocksWriteOptions {
    /// A table is ended when it has reached this size in bytes.
    pub table_bytes_max: u64,
}

impl Default for RocksWriteOptions {
    fn default() -> Self {
        // The size to which nodes compact (`target_file_size_base`).
        Self { table_bytes_max: 64 << 20 }
    }
}

/// Makes a new RocksDB database from shards.
pub struct RocksWriter {
    parts: PathBuf,
    dir: PathBuf,
    limits: RocksWriteOptions,
    options: Options,
}

impl RocksWriter {
    /// Writes tables in the folder `parts` (created when missing) and seals as `dir`, on the same file
    /// system.
    ///
    /// # Errors
    /// When `parts` cannot be created, or the library refuses its settings.
    pub fn new(parts: &Path, dir: &Path, limits: RocksWriteOptions) -> Result<Self, StoreError> {
        durable::create_dir_all(parts)?;
        let options = for_tables().map_err(|error| store_error(dir, error))?;
        Ok(Self { parts: parts.to_path_buf(), dir: dir.to_path_buf(), limits, options })
    }

    fn table_path(&self, shard: u32, table: usize) -> PathBuf {
        self.parts.join(table_name(shard, table))
    }
}

fn table_name(shard: u32, table: usize) -> String {
    format!("{shard:05}-{table:03}.sst")
}

impl BulkWriter for RocksWriter {
    fn shard(&self, shard: u32) -> Result<Box<dyn ShardWriter + Send + '_>, StoreError> {
        // Tables are made one after another, so the first missing name ends the list; removed from
        // the last one down, so that the list has no gap when this is interrupted.
        let leftover = (0..).take_while(|&table| self.table_path(shard, table).exists()).count();
        for table in (0..leftover).rev() {
            durable::remove_file(&self.table_path(shard, table))?;
        }
        Ok(Box::new(RocksShard { writer: self, shard, order: Ascending::default(), tables: Vec::new(), open: None }))
    }

    fn seal(&self, shards: &[FinishedShard]) -> Result<(), StoreError> {
        seal(&self.parts, &self.dir, &self.options, shards)
    }
}

struct RocksShard<'a> {
    writer: &'a RocksWriter,
    shard: u32,
    order: Ascending,
    tables: Vec<FinishedTable>,
    open: Option<OpenTable<'a>>,
}

/// A table that is being written.
struct OpenTable<'a> {
    file: SstFileWriter<'a>,
    path: PathBuf,
    smallest: Vec<u8>,
    entries: u64,
}

impl<'a> OpenTable<'a> {
    fn create(options: &'a Options, path: PathBuf, smallest: &[u8]) -> Result<Self, StoreError> {
        let file = SstFileWriter::create(options);
        step("create", &path, || file.open(&path))?;
        Ok(Self { file, path, smallest: smallest.to_vec(), entries: 0 })
    }
}

impl<'a> RocksShard<'a> {
    /// Ends the open table at the last key taken, if there is one.
    fn finish_table(&mut self) -> Result<(), StoreError> {
        let Some(mut table) = self.open.take() else { return Ok(()) };
        step("sync", &table.path, || table.file.finish())?;
        let bytes = std::fs::metadata(&table.path).map_err(|source| StoreError::io(&table.path, source))?.len();
        self.tables.push(FinishedTable {
            file: table_name(self.shard, self.tables.len()),
            bytes,
            entries: table.entries,
            smallest: table.smallest,
            largest: self.order.last().unwrap_or_default().to_vec(),
        });
        Ok(())
    }

    /// The open table, or a new one that begins with `key`.
    fn table_for(&mut self, key: &[u8]) -> Result<&mut OpenTable<'a>, StoreError> {
        let table = match self.open.take() {
            Some(table) => table,
            None => {
                let path = self.writer.table_path(self.shard, self.tables.len());
                OpenTable::create(&self.writer.options, path, key)?
            }
        };
        Ok(self.open.insert(table))
    }
}

impl ShardWriter for RocksShard<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.order.admit(key)?;
        let table_bytes_max = self.writer.limits.table_bytes_max;
        let table = self.table_for(key)?;
        table.file.put(key, value).map_err(|error| store_error(&table.path, error))?;
        table.entries += 1;
        if table.file.file_size() >= table_bytes_max { self.finish_table() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<FinishedShard, StoreError> {
        self.finish_table()?;
        durable::sync_dir(&self.writer.parts)?;
        let entries = self.tables.iter().map(|table| table.entries).sum();
        Ok(FinishedShard { shard: self.shard, entries, tables: self.tables })
    }
}
