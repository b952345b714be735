//! A finished table, opened for reading.
//!
//! ```text
//! data blocks ‖ [filter] ‖ index and meta blocks in any order ‖ footer
//! metaindex: name → handle      index: key at or above its block's last → handle
//! ```
//! (LevelDB `doc/table_format.md`.) Opening reads the tail only: footer, metaindex, properties. The
//! index comes with the first use and is not kept for ever, so that thousands of tables can be
//! known at once. Filters are not used.

use std::path::Path;
use std::sync::Arc;

use super::block::{BlockBytes, BlockCursor, KeyOrder};
use super::block_cache::BlockCache;
use super::block_codec;
use super::footer::{Footer, FooterError, Handle};
use super::index_cursor::IndexCursor;
use super::internal_key::{self, Kind};
use super::properties::{self, IndexType};
pub use super::table_cursor::TableCursor;
use super::table_file::{TableFile, Window};
use crate::store::StoreError;

/// What is read of a table's end at first: enough for the small meta blocks.
const TAIL_BYTES: u64 = 4 << 10;

/// Pieces of [`Table::index_points`] have about this many bytes.
const PIECE_BYTES: u64 = 1 << 20;

/// Meta blocks that would have to be understood, with the feature that they mean.
const UNREAD_BLOCKS: [(&[u8], &str); 3] = [
    (b"pebble.range_key", "range keys"),
    (b"pebble.value_index", "values in value blocks"),
    (b"rocksdb.compression_dict", "a compression dictionary"),
];

/// A finished, immutable table file. It is opened read-only and shared between threads.
#[derive(Debug)]
pub struct Table {
    file: TableFile,
    footer: Footer,
    index_type: IndexType,
    range_deletions: Option<Handle>,
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

/// What the metaindex names and is used here.
#[derive(Default)]
struct MetaBlocks {
    properties: Option<Handle>,
    range_deletions: Option<Handle>,
}

impl Table {
    /// Opens the table at `path`. `size` is its size as the manifest says: the footer sits at the
    /// end of that size, the file may be longer.
    ///
    /// # Errors
    /// A file that is missing or shorter; a damaged footer, metaindex or properties block; a
    /// version or feature that is not read, by its name.
    pub fn open(path: &Path, size: u64, cache: &Arc<BlockCache>) -> Result<Arc<Self>, StoreError> {
        let file = TableFile::open(path, size, cache)?;
        let mut window = Window::default();
        let footer = Footer::parse(window.tail(&file, TAIL_BYTES)?, size).map_err(|error| match error {
            FooterError::Unsupported(feature) => file.unsupported(feature),
            error => StoreError::corrupt(path, None, error.to_string()),
        })?;
        let mut block = |handle| expanded(&file, &footer, &mut window, handle);
        let at = footer.metaindex.offset;
        let limit = size.saturating_sub(footer.format.footer_len() as u64);
        let meta = MetaBlocks::parse(&file, at, block(footer.metaindex)?, limit)?;
        let index_type = match meta.properties {
            Some(handle) => properties::parse(block(handle)?).map_err(|fault| file.fault(handle.offset, fault))?,
            None => IndexType::OneLevel,
        };
        Ok(Arc::new(Self { file, footer, index_type, range_deletions: meta.range_deletions }))
    }

    /// A cursor over internal keys. `readahead`: bytes read at once for long scans, which do not go
    /// through the cache (0 = block by block out of the cache, for point reads).
    #[must_use]
    pub fn cursor(self: &Arc<Self>, readahead: usize) -> TableCursor {
        TableCursor::new(Arc::clone(self), readahead)
    }

    /// Last user key and bytes of consecutive pieces of about 1 MiB, for cutting the table into
    /// shards. A last key may lie above the piece's last entry, but not above the next one.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn index_points(&self) -> Result<Vec<(Vec<u8>, u64)>, StoreError> {
        let mut points = Vec::new();
        let mut index = IndexCursor::new();
        let mut piece = 0;
        while let Some(handle) = index.next(self)? {
            piece += handle.stored_len();
            if piece >= PIECE_BYTES {
                points.push((index.user_key().to_vec(), piece));
                piece = 0;
            }
        }
        if piece > 0 {
            points.push((index.user_key().to_vec(), piece));
        }
        Ok(points)
    }

    /// The range tombstones of the table (Pebble; usually none).
    ///
    /// # Errors
    /// When their block cannot be read.
    pub fn range_deletions(&self) -> Result<Vec<RangeTombstone>, StoreError> {
        let Some(handle) = self.range_deletions else { return Ok(Vec::new()) };
        let fault = |fault| self.file.fault(handle.offset, fault);
        let mut cursor = BlockCursor::new(BlockBytes::Shared(self.block(handle)?), KeyOrder::Any).map_err(fault)?;
        let mut tombstones = Vec::new();
        while cursor.next().map_err(fault)? {
            let Some((start, sequence, Kind::RangeDelete)) = internal_key::split(cursor.key()) else {
                return Err(self.file.corrupt(handle.offset, "an entry that is no range tombstone"));
            };
            tombstones.push(RangeTombstone { start: start.to_vec(), end: cursor.value().to_vec(), sequence });
        }
        Ok(tombstones)
    }

    pub(super) fn file(&self) -> &TableFile {
        &self.file
    }

    pub(super) fn index(&self) -> Handle {
        self.footer.index
    }

    pub(super) fn is_two_level(&self) -> bool {
        self.index_type == IndexType::TwoLevel
    }

    /// Where the footer begins: blocks lie before it.
    pub(super) fn blocks_end(&self) -> u64 {
        self.file.size().saturating_sub(self.footer.format.footer_len() as u64)
    }

    /// The block at `handle`, through the cache.
    pub(super) fn block(&self, handle: Handle) -> Result<Arc<Vec<u8>>, StoreError> {
        self.file.cached(handle, || expanded(&self.file, &self.footer, &mut Window::default(), handle))
    }

    /// Expands the block at `handle` into `into`, reading `readahead` bytes through `window`.
    pub(super) fn expand(
        &self,
        window: &mut Window,
        handle: Handle,
        readahead: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let stored = window.stored(&self.file, handle, readahead)?;
        block_codec::open(stored, self.footer.checksum, into).map_err(|fault| self.file.fault(handle.offset, fault))
    }
}

fn expanded(file: &TableFile, footer: &Footer, window: &mut Window, handle: Handle) -> Result<Vec<u8>, StoreError> {
    let mut block = Vec::new();
    let stored = window.stored(file, handle, 0)?;
    block_codec::open(stored, footer.checksum, &mut block).map_err(|fault| file.fault(handle.offset, fault))?;
    Ok(block)
}

impl MetaBlocks {
    fn parse(file: &TableFile, at: u64, metaindex: Vec<u8>, limit: u64) -> Result<Self, StoreError> {
        let fault = |fault| file.fault(at, fault);
        let mut found = Self::default();
        let mut cursor = BlockCursor::new(BlockBytes::Own(metaindex), KeyOrder::Any).map_err(fault)?;
        while cursor.next().map_err(fault)? {
            let name = cursor.key();
            if let Some((_, feature)) = UNREAD_BLOCKS.iter().find(|(unread, _)| name == *unread) {
                return Err(file.unsupported(*feature));
            }
            let place = match name {
                b"rocksdb.properties" => &mut found.properties,
                // Both hold the same tombstones where both are named; the second is fragmented.
                b"rocksdb.range_del" | b"rocksdb.range_del2" => &mut found.range_deletions,
                _ => continue,
            };
            let handle = Handle::parse(cursor.value(), limit);
            *place = Some(handle.ok_or_else(|| file.corrupt(at, "a malformed block handle in the metaindex"))?);
        }
        Ok(found)
    }
}
