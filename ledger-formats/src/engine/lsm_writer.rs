//! Makes a whole new LevelDB or Pebble database from shards that are written side by side.
//!
//! A shard writes its tables as `<shard>-<table>.table` into a folder of parts; sealing moves them
//! into the database under their numbers ([`super::lsm_seal`]). The folder holds no log and no LOCK:
//! every engine makes its own.
//!
//! # Correctness
//! Each table is fsynced as it ends, the parts folder when its shard ends: a finished shard is
//! durable. A torso of an interrupted attempt is emptied or removed by the next one, and no
//! [`FinishedShard`] names it.

use std::path::{Path, PathBuf};

use super::block_codec::Compression;
use super::lsm_seal;
pub use super::lsm_target::LsmTarget;
use super::table_writer::{TableOptions, TableWriter};
use crate::durable;
use crate::store::{BulkWriter, FinishedShard, FinishedTable, ShardWriter, StoreError};

/// Sizes and compression of a new database.
#[derive(Clone, Copy, Debug)]
pub struct LsmWriterOptions {
    /// A table ends when it has reached this many bytes; `None` for what suits the target.
    pub table_bytes: Option<u64>,
    /// A data block ends when it has reached this many bytes.
    pub block_bytes: usize,
    /// Of data and index blocks.
    pub compression: Compression,
}

impl Default for LsmWriterOptions {
    /// Blocks of 4 KiB under Snappy, as the engines have them.
    fn default() -> Self {
        Self { table_bytes: None, block_bytes: 4 << 10, compression: Compression::Snappy }
    }
}

/// Writes a database of sorted tables.
#[derive(Debug)]
pub struct LsmWriter {
    target: LsmTarget,
    parts: PathBuf,
    dir: PathBuf,
    options: LsmWriterOptions,
}

impl LsmWriter {
    /// A writer that will make the database `dir` out of tables in the folder `parts`, which is
    /// created; both must lie on one file system.
    ///
    /// # Errors
    /// When `parts` cannot be created.
    pub fn new(target: LsmTarget, parts: &Path, dir: &Path, options: LsmWriterOptions) -> Result<Self, StoreError> {
        durable::create_dir_all(parts)?;
        Ok(Self { target, parts: parts.to_path_buf(), dir: dir.to_path_buf(), options })
    }

    fn table_bytes(&self) -> u64 {
        self.options.table_bytes.unwrap_or_else(|| self.target.table_bytes())
    }

    fn part_path(&self, shard: u32, table: usize) -> PathBuf {
        self.parts.join(part_name(shard, table))
    }

    /// Removes what an attempt at the shard has left. Its files are numbered without a gap, and go
    /// from the last one down, so that this holds after another interruption too.
    fn drop_parts(&self, shard: u32) -> Result<(), StoreError> {
        let left = (0..).take_while(|&table| self.part_path(shard, table).exists()).count();
        for table in (0..left).rev() {
            durable::remove_file(&self.part_path(shard, table))?;
        }
        Ok(())
    }
}

impl BulkWriter for LsmWriter {
    fn shard(&self, shard: u32) -> Result<Box<dyn ShardWriter + Send + '_>, StoreError> {
        self.drop_parts(shard)?;
        Ok(Box::new(LsmShard { writer: self, shard, table: None, finished: Vec::new() }))
    }

    fn seal(&self, shards: &[FinishedShard]) -> Result<(), StoreError> {
        lsm_seal::seal(self.target, &self.parts, &self.dir, shards)
    }
}

/// One shard in the making.
struct LsmShard<'a> {
    writer: &'a LsmWriter,
    shard: u32,
    table: Option<TableWriter>,
    finished: Vec<FinishedTable>,
}

impl LsmShard<'_> {
    fn begin_table(&self, key: &[u8]) -> Result<TableWriter, StoreError> {
        if let Some(last) = self.finished.last()
            && last.largest.as_slice() >= key
        {
            return Err(StoreError::Unsorted { key: hex::encode(key), last: hex::encode(&last.largest) });
        }
        let LsmWriter { target, options, .. } = self.writer;
        let options = TableOptions {
            format: target.table_format(),
            properties: target.properties(),
            block_bytes: options.block_bytes,
            compression: options.compression,
        };
        TableWriter::create(&self.writer.part_path(self.shard, self.finished.len()), options)
    }

    fn end_table(&mut self) -> Result<(), StoreError> {
        let Some(table) = self.table.take() else { return Ok(()) };
        let written = table.finish()?;
        self.finished.push(FinishedTable {
            file: part_name(self.shard, self.finished.len()),
            bytes: written.bytes,
            entries: written.entries,
            smallest: written.smallest,
            largest: written.largest,
        });
        Ok(())
    }
}

impl ShardWriter for LsmShard<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        if self.table.is_none() {
            self.table = Some(self.begin_table(key)?);
        }
        if let Some(table) = &mut self.table {
            table.add(key, value)?;
            if table.bytes() >= self.writer.table_bytes() {
                self.end_table()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<FinishedShard, StoreError> {
        self.end_table()?;
        durable::sync_dir(&self.writer.parts)?;
        let entries = self.finished.iter().map(|table| table.entries).sum();
        Ok(FinishedShard { shard: self.shard, entries, tables: self.finished })
    }
}

fn part_name(shard: u32, table: usize) -> String {
    format!("{shard:05}-{table:03}.table")
}
