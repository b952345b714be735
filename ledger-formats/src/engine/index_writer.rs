//! Writes the index of a table, of one level or two.
//!
//! LevelDB's index is one block. Pebble cuts a large one into pieces under a block that names them,
//! so that a point read loads a piece of some KiB and not the whole; the byte map is the same on
//! both levels ([`super::table`]).

use super::block_writer::BlockWriter;
use super::footer::Handle;
use super::properties::IndexSize;
use crate::store::StoreError;

/// An index in the making; it is kept in memory until the table's data are written.
#[derive(Debug)]
pub(super) struct IndexWriter {
    /// A piece ends when it has reached this many bytes; `None` for one level.
    piece_bytes: Option<usize>,
    piece: BlockWriter,
    /// Finished pieces, each with its last key.
    pieces: Vec<(Vec<u8>, Vec<u8>)>,
    pieces_bytes: usize,
    handle: Vec<u8>,
}

impl IndexWriter {
    pub(super) fn new(piece_bytes: Option<usize>) -> Self {
        let piece = BlockWriter::new(1);
        Self { piece_bytes, piece, pieces: Vec::new(), pieces_bytes: 0, handle: Vec::new() }
    }

    /// Adds a data block under an internal key at or above all of its keys.
    pub(super) fn add(&mut self, key: &[u8], block: Handle) {
        if !self.piece.is_empty() && self.piece_bytes.is_some_and(|bytes| self.piece.len() >= bytes) {
            self.end_piece();
        }
        encode(block, &mut self.handle);
        self.piece.add(key, &self.handle);
    }

    /// About how large the index would be if it were finished now, in bytes.
    pub(super) fn len(&self) -> usize {
        self.pieces_bytes + self.piece.len()
    }

    /// Writes the index, block by block, through `write`; returns where its only or upper block is.
    pub(super) fn finish(
        mut self,
        mut write: impl FnMut(&[u8]) -> Result<Handle, StoreError>,
    ) -> Result<(Handle, IndexSize), StoreError> {
        if self.pieces.is_empty() {
            let handle = write(self.piece.finish())?;
            return Ok((handle, IndexSize { bytes: handle.stored_len(), pieces: None }));
        }
        self.end_piece();
        let mut top = BlockWriter::new(1);
        let mut bytes = 0;
        for (key, piece) in &self.pieces {
            let handle = write(piece)?;
            bytes += handle.stored_len();
            encode(handle, &mut self.handle);
            top.add(key, &self.handle);
        }
        let handle = write(top.finish())?;
        let pieces = Some((self.pieces.len() as u64, handle.stored_len()));
        Ok((handle, IndexSize { bytes: bytes + handle.stored_len(), pieces }))
    }

    fn end_piece(&mut self) {
        let key = self.piece.last_key().to_vec();
        let piece = self.piece.finish().to_vec();
        self.pieces_bytes += piece.len() + key.len();
        self.pieces.push((key, piece));
        self.piece.reset();
    }
}

fn encode(handle: Handle, into: &mut Vec<u8>) {
    into.clear();
    handle.put(into);
}
