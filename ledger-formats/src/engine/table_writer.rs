//! Writes one table of entries at sequence 0, as it lies at the bottom of a database.
//!
//! ```text
//! data blocks ‖ index ‖ properties (raw) ‖ metaindex (raw) ‖ footer
//! ```
//! Every engine that reads the footer reads the table: properties and metaindex stay uncompressed,
//! which Pebble demands. Pebble's index has two levels where it is large, as Pebble makes it
//! (one level of any size is read too, but every point read then loads it whole).
//!
//! # Correctness
//! The table is written front to back into a new file and fsynced by [`TableWriter::finish`]; until
//! then the file has no footer and is no table to any reader. Keys that do not ascend are refused
//! before anything of them is written.

use std::path::{Path, PathBuf};

use super::block_codec::{BLOCK_BYTES_MAX, Compression, Sealer};
use super::block_writer::BlockWriter;
use super::footer::{Footer, Handle, TableFormat};
use super::index_writer::IndexWriter;
use super::internal_key::{self, Kind};
use super::properties::{self, Counts, PropertySet};
use super::separator;
use crate::durable::NewFile;
use crate::store::StoreError;

/// Key and value of an entry together, at most, in bytes.
pub const ENTRY_BYTES_MAX: u64 = BLOCK_BYTES_MAX / 2;

/// Entries of a data block from one restart point to the next, as all engines have it.
const RESTART_INTERVAL: usize = 16;

/// How a table is written.
#[derive(Clone, Copy, Debug)]
pub struct TableOptions {
    /// Its footer.
    pub format: TableFormat,
    /// Its properties.
    pub properties: PropertySet,
    /// A data block ends when it has reached this many bytes, and so does a piece of the index.
    pub block_bytes: usize,
    /// Of data blocks and index.
    pub compression: Compression,
}

/// What a finished table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenTable {
    /// File size in bytes.
    pub bytes: u64,
    /// Entries in it.
    pub entries: u64,
    /// First user key.
    pub smallest: Vec<u8>,
    /// Last user key.
    pub largest: Vec<u8>,
}

/// A table in the making.
#[derive(Debug)]
pub struct TableWriter {
    path: PathBuf,
    file: NewFile,
    options: TableOptions,
    sealer: Sealer,
    data: BlockWriter,
    index: IndexWriter,
    /// A block that is written and not in the index yet: its key depends on the entry behind it.
    unindexed: Option<Handle>,
    counts: Counts,
    smallest: Vec<u8>,
    /// Internal key of the last entry.
    last: Vec<u8>,
    /// Memory for making index keys.
    separator: Vec<u8>,
}

impl TableWriter {
    /// Begins a table in a new file, emptying one that is there.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path, options: TableOptions) -> Result<Self, StoreError> {
        Ok(Self {
            path: path.to_path_buf(),
            file: NewFile::create(path)?,
            options,
            sealer: Sealer::new(),
            data: BlockWriter::new(RESTART_INTERVAL),
            index: IndexWriter::new(options.format.is_index_cut().then_some(options.block_bytes)),
            unindexed: None,
            counts: Counts::default(),
            smallest: Vec::new(),
            last: Vec::new(),
            separator: Vec::new(),
        })
    }

    /// Adds an entry above all that were added.
    ///
    /// # Errors
    /// [`StoreError::Unsorted`]; [`StoreError::TooLarge`] beyond [`ENTRY_BYTES_MAX`]; a failed write.
    #[inline]
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.check(key, value)?;
        if let Some(handle) = self.unindexed.take() {
            let last = internal_key::user_key(&self.last).unwrap_or_default();
            separator::between(last, key, &mut self.separator);
            self.index.add(&self.separator, handle);
        }
        internal_key::join(&mut self.last, key, 0, Kind::Set);
        self.data.add(&self.last, value);
        self.counts.entries += 1;
        self.counts.key_bytes += self.last.len() as u64;
        self.counts.value_bytes += value.len() as u64;
        if self.data.len() >= self.options.block_bytes {
            self.end_block()?;
        }
        Ok(())
    }

    /// About how large the table would be if it were finished now, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.file.written() + (self.data.len() + self.index.len()) as u64
    }

    /// Ends the table; its bytes are durable when this returns, its name when the folder is synced.
    ///
    /// # Errors
    /// When a write or fsync fails.
    pub fn finish(mut self) -> Result<WrittenTable, StoreError> {
        if !self.data.is_empty() {
            self.end_block()?;
        }
        let largest = internal_key::user_key(&self.last).unwrap_or_default().to_vec();
        if let Some(handle) = self.unindexed.take() {
            separator::after(&largest, &mut self.separator);
            self.index.add(&self.separator, handle);
        }
        let (file, sealer, compression) = (&mut self.file, &mut self.sealer, self.options.compression);
        let (index, size) = self.index.finish(|block| write_block(file, sealer, block, compression))?;
        self.counts.index = size;
        let properties = properties::encode(&self.counts, self.options.properties, compression);
        let properties = write_block(&mut self.file, &mut self.sealer, &properties, Compression::None)?;
        let metaindex = write_block(&mut self.file, &mut self.sealer, &metaindex(properties), Compression::None)?;
        let mut footer = Vec::new();
        Footer::put(self.options.format, metaindex, index, &mut footer);
        self.file.write_all(&footer)?;
        let bytes = self.file.finish()?;
        Ok(WrittenTable { bytes, entries: self.counts.entries, smallest: self.smallest, largest })
    }

    #[inline]
    fn check(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        if (key.len() + value.len()) as u64 > ENTRY_BYTES_MAX {
            let what = format!("the entry of {} key and {} value bytes", key.len(), value.len());
            return Err(StoreError::TooLarge { file: self.path.clone(), what, limit: ENTRY_BYTES_MAX });
        }
        match internal_key::user_key(&self.last) {
            Some(last) if last >= key => Err(StoreError::Unsorted { key: hex::encode(key), last: hex::encode(last) }),
            Some(_) => Ok(()),
            None => {
                self.smallest = key.to_vec();
                Ok(())
            }
        }
    }

    fn end_block(&mut self) -> Result<(), StoreError> {
        let handle = write_block(&mut self.file, &mut self.sealer, self.data.finish(), self.options.compression)?;
        self.data.reset();
        self.counts.data_blocks += 1;
        self.counts.data_bytes += handle.stored_len();
        self.unindexed = Some(handle);
        Ok(())
    }
}

fn metaindex(properties: Handle) -> Vec<u8> {
    let mut handle = Vec::new();
    properties.put(&mut handle);
    let mut block = BlockWriter::new(1);
    block.add(properties::BLOCK_NAME.as_bytes(), &handle);
    block.finish().to_vec()
}

fn write_block(
    file: &mut NewFile,
    sealer: &mut Sealer,
    block: &[u8],
    compression: Compression,
) -> Result<Handle, StoreError> {
    let offset = file.written();
    let sealed = sealer.seal(block, compression);
    file.write_all(sealed.body)?;
    file.write_all(&sealed.trailer)?;
    Ok(Handle { offset, length: sealed.body.len() as u64 })
}
