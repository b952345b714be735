//! The file of a table: reads of its bytes, and errors that name it.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::BlockFault;
use super::block_cache::BlockCache;
use super::block_codec::BLOCK_BYTES_MAX;
use super::footer::Handle;
use crate::store::StoreError;

/// A table's file, opened when it is read.
#[derive(Debug)]
pub(super) struct TableFile {
    path: PathBuf,
    /// Its number in the cache.
    number: u64,
    cache: Arc<BlockCache>,
    /// Bytes that belong to the table; the file may be longer.
    size: u64,
}

impl TableFile {
    /// # Errors
    /// When the file cannot be opened or is shorter than `size`.
    pub(super) fn open(path: &Path, size: u64, cache: &Arc<BlockCache>) -> Result<Self, StoreError> {
        let file = Self { path: path.to_path_buf(), number: cache.table(), cache: Arc::clone(cache), size };
        let open = cache.file(file.number, path).map_err(|source| StoreError::io(path, source))?;
        let length = open.metadata().map_err(|source| StoreError::io(path, source))?.len();
        if length < size {
            let reason = format!("the file has {length} bytes, the manifest says {size}");
            return Err(StoreError::corrupt(path, None, reason));
        }
        Ok(file)
    }

    /// Bytes of the table.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The block at `handle` out of the cache; `load` is called when it is not there.
    pub(super) fn cached(
        &self,
        handle: Handle,
        load: impl FnOnce() -> Result<Vec<u8>, StoreError>,
    ) -> Result<Arc<Vec<u8>>, StoreError> {
        self.cache.block(self.number, handle.offset, load)
    }

    /// The error of a fault of the block at `offset`.
    pub(super) fn fault(&self, offset: u64, fault: BlockFault) -> StoreError {
        match fault {
            BlockFault::Unsupported(feature) => self.unsupported(feature),
            fault => self.corrupt(offset, fault.to_string()),
        }
    }

    /// The error of a damaged place.
    pub(super) fn corrupt(&self, offset: u64, reason: impl Into<String>) -> StoreError {
        StoreError::corrupt(&self.path, Some(offset), reason)
    }

    /// The refusal of a feature of the table.
    pub(super) fn unsupported(&self, feature: impl Into<String>) -> StoreError {
        StoreError::Unsupported { file: self.path.clone(), feature: feature.into() }
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), StoreError> {
        let file = self.cache.file(self.number, &self.path);
        file.and_then(|file| file.read_exact_at(into, offset)).map_err(|source| StoreError::io(&self.path, source))
    }
}

/// What a window reads at first. It doubles with every read that goes on where the last one ended, so that a scan that is soon left reads
/// little and a long one reads in large pieces.
const FIRST_READ: usize = 16 << 10;

/// A part of a table in memory, for reading neighbouring blocks at one go.
#[derive(Debug, Default)]
pub(super) struct Window {
    start: u64,
    bytes: Vec<u8>,
    /// Bytes of the last read; 0 before the first.
    last_read: usize,
}

impl Window {
    /// The block at `handle` as it is on disk, with what is behind its body. When it is not in the
    /// window, the window moves to it and takes up to `readahead` bytes or the block, whichever is more.
    /// The handle must lie inside the table.
    pub(super) fn stored(&mut self, file: &TableFile, handle: Handle, readahead: usize) -> Result<&[u8], StoreError> {
        let outside = || file.fault(handle.offset, BlockFault::Handle);
        let end = handle.end().filter(|&end| end <= file.size).ok_or_else(outside)?;
        let length = end - handle.offset;
        if length > BLOCK_BYTES_MAX {
            let what = format!("the block at {} with {length} bytes", handle.offset);
            return Err(StoreError::TooLarge { file: file.path.clone(), what, limit: BLOCK_BYTES_MAX });
        }
        if handle.offset < self.start || end > self.start + self.bytes.len() as u64 {
            let ahead = self.read_size(handle.offset, readahead) as u64;
            self.fill(file, handle.offset, length.max(ahead).min(file.size - handle.offset))?;
        }
        let part = || {
            let from = usize::try_from(handle.offset.checked_sub(self.start)?).ok()?;
            self.bytes.get(from..from.checked_add(usize::try_from(length).ok()?)?)
        };
        part().ok_or_else(outside)
    }

    /// How much to read at `offset`.
    fn read_size(&mut self, offset: u64, most: usize) -> usize {
        let end = self.start + self.bytes.len() as u64;
        // A block that lies across the end of the window is read again from its start.
        let goes_on = self.last_read > 0 && (self.start..=end).contains(&offset);
        self.last_read = if goes_on { self.last_read.saturating_mul(2) } else { FIRST_READ }.min(most);
        self.last_read
    }

    /// The last `length` bytes of the table, or all of it.
    pub(super) fn tail(&mut self, file: &TableFile, length: u64) -> Result<&[u8], StoreError> {
        let length = length.min(file.size);
        self.fill(file, file.size - length, length)?;
        Ok(&self.bytes)
    }

    fn fill(&mut self, file: &TableFile, start: u64, length: u64) -> Result<(), StoreError> {
        let too_large = |_| file.fault(start, BlockFault::Handle);
        let length = usize::try_from(length).map_err(too_large)?;
        if self.bytes.capacity() / 4 > length {
            // One huge block does not keep its memory for the rest of the scan.
            self.bytes = Vec::new();
        }
        self.bytes.resize(length, 0);
        self.start = start;
        file.read(start, &mut self.bytes).inspect_err(|_| self.bytes.clear())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a window that has just read `read` bytes from 1,000 on reads next at `offset`.
    fn next_read(read: usize, offset: u64, most: usize) -> usize {
        Window { start: 1_000, bytes: vec![0; read], last_read: read }.read_size(offset, most)
    }

    #[test]
    fn reads_grow_while_a_scan_goes_on_and_begin_small_after_a_jump() {
        let most = 512 << 10;
        assert_eq!(Window::default().read_size(0, most), FIRST_READ);
        assert_eq!(next_read(FIRST_READ, 1_000 + FIRST_READ as u64, most), 2 * FIRST_READ);
        assert_eq!(next_read(FIRST_READ, 1_000 + FIRST_READ as u64 - 5, most), 2 * FIRST_READ);
        assert_eq!(next_read(most, 1_000 + most as u64, most), most);
        assert_eq!(next_read(most, 900, most), FIRST_READ);
        assert_eq!(next_read(most, 1_001 + most as u64, most), FIRST_READ);
        assert_eq!(next_read(FIRST_READ, 1_000 + FIRST_READ as u64, 0), 0);
    }
}
