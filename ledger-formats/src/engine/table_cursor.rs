//! A forward cursor over the entries of a table.
//!
//! # Correctness
//! The end of the table is reported only when the index has ended. A damaged data block is reported
//! once, with the range of the keys that it may hold, and only then passed over. Any other error
//! leaves the cursor where it was: it is reported again, never passed over.

use std::sync::Arc;

use super::block::{BlockBytes, BlockCursor, BlockFault, KeyOrder};
use super::footer::Handle;
use super::index_cursor::IndexCursor;
use super::internal_key::{self, Kind};
use super::table::Table;
use super::table_file::Window;
use crate::store::StoreError;

/// A cursor over the internal keys of a table; starts before the first entry.
#[derive(Debug)]
pub struct TableCursor {
    table: Arc<Table>,
    /// Bytes read at once; 0: block by block, out of the cache.
    readahead: usize,
    window: Window,
    index: IndexCursor,
    data: BlockCursor,
    /// Where `data` is in the file.
    data_at: u64,
    /// A block that the index has named and that is not loaded yet.
    due: Option<Handle>,
    course: Course,
}

/// What the next step must do.
#[derive(Debug)]
enum Course {
    /// Go ahead.
    Ahead,
    /// Seek this again: it failed.
    Seek(Vec<u8>),
    /// Refuse the entry of this kind again.
    Refuse(Kind),
}

impl TableCursor {
    pub(super) fn new(table: Arc<Table>, readahead: usize) -> Self {
        Self {
            table,
            readahead,
            window: Window::default(),
            index: IndexCursor::new(),
            data: BlockCursor::empty(KeyOrder::Internal),
            data_at: 0,
            due: None,
            course: Course::Ahead,
        }
    }

    /// Offset of the block that the present entry is in.
    #[must_use]
    pub fn block_offset(&self) -> u64 {
        self.data_at
    }

    /// To the first entry at or after `internal_key` in internal order; `false` when there is none.
    ///
    /// # Errors
    /// See [`TableCursor::next`]. After a damaged data block, `next` goes on behind it.
    pub fn seek(&mut self, internal_key: &[u8]) -> Result<bool, StoreError> {
        self.course = Course::Ahead;
        let found = self.try_seek(internal_key);
        if let Err(error) = &found
            && !goes_on(error)
            && matches!(self.course, Course::Ahead)
        {
            self.course = Course::Seek(internal_key.to_vec());
        }
        found
    }

    /// To the next entry; `false` at the end.
    ///
    /// # Errors
    /// A damaged data block is reported once with the range of its keys ([`StoreError::Corrupt`]);
    /// the next call goes on behind it. After any other error only errors follow until what cannot
    /// be read can be read again.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "it lends, and it can fail")]
    pub fn next(&mut self) -> Result<bool, StoreError> {
        if !matches!(self.course, Course::Ahead) {
            return self.again();
        }
        loop {
            match self.data.next() {
                Ok(true) => return self.admit(),
                Ok(false) => {}
                Err(fault) => return Err(self.leave_block(fault)),
            }
            if !self.next_block()? {
                return Ok(false);
            }
        }
    }

    /// The internal key of the entry; valid after `seek` or `next` returned `true`.
    #[inline]
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.data.key()
    }

    /// The value of the entry; valid after `seek` or `next` returned `true`.
    #[inline]
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.data.value()
    }

    fn again(&mut self) -> Result<bool, StoreError> {
        match std::mem::replace(&mut self.course, Course::Ahead) {
            Course::Seek(target) => self.seek(&target),
            Course::Refuse(kind) => Err(self.refuse(kind)),
            Course::Ahead => self.next(),
        }
    }

    fn try_seek(&mut self, target: &[u8]) -> Result<bool, StoreError> {
        self.data.clear();
        self.due = None;
        let Some(handle) = self.index.seek(&self.table, target)? else { return Ok(false) };
        self.due = Some(handle);
        self.load(handle)?;
        match self.data.seek(target) {
            Ok(true) => self.admit(),
            Ok(false) => self.next(),
            Err(fault) => Err(self.leave_block(fault)),
        }
    }

    /// Loads the next data block; `false` behind the last one.
    fn next_block(&mut self) -> Result<bool, StoreError> {
        let handle = match self.due {
            Some(handle) => handle,
            None => match self.index.next(&self.table)? {
                Some(handle) => handle,
                None => return Ok(false),
            },
        };
        self.due = Some(handle);
        self.load(handle).map(|()| true)
    }

    /// Loads a data block. A damaged one is not due any more, one that could not be read still is.
    fn load(&mut self, handle: Handle) -> Result<(), StoreError> {
        self.data_at = handle.offset;
        match self.expand(handle) {
            Ok(block) => {
                self.due = None;
                self.data.set(block).map_err(|fault| self.leave_block(fault))?;
                self.check_first_key()
            }
            Err(error) => {
                if matches!(error, StoreError::Corrupt(_)) {
                    self.due = None;
                }
                Err(self.with_range(error))
            }
        }
    }

    /// A block begins above what the index says of the block before it.
    fn check_first_key(&mut self) -> Result<(), StoreError> {
        let first = self.data.first_key().and_then(internal_key::user_key);
        if first.is_some_and(|first| first < self.index.low()) {
            return Err(self.leave_block(BlockFault::Order { at: 0 }));
        }
        Ok(())
    }

    fn expand(&mut self, handle: Handle) -> Result<BlockBytes, StoreError> {
        if self.readahead == 0 {
            return self.table.block(handle).map(BlockBytes::Shared);
        }
        let mut buffer = self.data.take_buffer();
        self.table.expand(&mut self.window, handle, self.readahead, &mut buffer)?;
        Ok(BlockBytes::Own(buffer))
    }

    /// Lets an entry of a kind that is read pass.
    #[inline]
    fn admit(&mut self) -> Result<bool, StoreError> {
        let key = self.data.key();
        let kind = key[key.len() - internal_key::TRAILER_LEN];
        match Kind::from_byte(kind) {
            Some(kind) if kind.is_set() || kind.is_delete() => Ok(true),
            Some(kind) => Err(self.refuse(kind)),
            None => Err(self.leave_block(BlockFault::Kind { kind })),
        }
    }

    fn refuse(&mut self, kind: Kind) -> StoreError {
        self.course = Course::Refuse(kind);
        self.table.file().unsupported(format!("a {} record among the data", kind.name()))
    }

    /// Gives up the present block; the next one is next.
    fn leave_block(&mut self, fault: BlockFault) -> StoreError {
        self.data.clear();
        self.with_range(self.table.file().fault(self.data_at, fault))
    }

    /// Adds the range of the keys that the present block may hold.
    fn with_range(&self, mut error: StoreError) -> StoreError {
        if let StoreError::Corrupt(corruption) = &mut error {
            corruption.range = Some((self.index.low().to_vec(), self.index.user_key().to_vec()));
        }
        error
    }
}

/// Whether `next` goes on behind the error.
fn goes_on(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupt(corruption) if corruption.range.is_some())
}
