//! The index of a table, of one level or two: which blocks hold which keys, in order.
//!
//! Each entry's key is at or above the last key of its block and below the first key of the next
//! one; its value is the block's handle. Of two levels, the upper one's blocks are index blocks.
//! A damaged index is never passed over: the cursor goes on failing.

use super::block::{BlockBytes, BlockCursor, BlockFault, KeyOrder};
use super::footer::Handle;
use super::internal_key;
use super::table::Table;
use crate::store::StoreError;

/// A forward cursor over a table's index; starts before the first block.
#[derive(Debug)]
pub(super) struct IndexCursor {
    loaded: bool,
    /// The upper level; empty when there is one level only.
    top: BlockCursor,
    leaf: BlockCursor,
    leaf_at: u64,
    /// A lower block that is named by `top` and not loaded yet.
    due: Option<Handle>,
    /// User key of the entry before the present one.
    low: Vec<u8>,
    /// A fault of the index and the offset of its block: nothing behind it can be found.
    broken: Option<(u64, BlockFault)>,
}

impl IndexCursor {
    pub(super) fn new() -> Self {
        let (top, leaf) = (BlockCursor::empty(KeyOrder::Internal), BlockCursor::empty(KeyOrder::Internal));
        Self { loaded: false, top, leaf, leaf_at: 0, due: None, low: Vec::new(), broken: None }
    }

    /// The handle of the next block; `None` behind the last one.
    pub(super) fn next(&mut self, table: &Table) -> Result<Option<Handle>, StoreError> {
        if let Some((at, fault)) = self.broken.clone() {
            return Err(table.file().fault(at, fault));
        }
        self.load(table)?;
        loop {
            if let Some(user) = internal_key::user_key(self.leaf.key()) {
                self.low.clear();
                self.low.extend_from_slice(user);
            }
            let moved = self.leaf.next();
            if self.checked(table, self.leaf_at, moved)? {
                return self.handle(table).map(Some);
            }
            if !self.descend(table)? {
                return Ok(None);
            }
        }
    }

    /// The handle of the only block that can hold the first entry at or after `target`, which may
    /// also be the first entry of the block after it.
    pub(super) fn seek(&mut self, table: &Table, target: &[u8]) -> Result<Option<Handle>, StoreError> {
        self.loaded &= self.broken.take().is_none();
        self.load(table)?;
        self.low.clear();
        if table.is_two_level() {
            self.leaf.clear();
            let found = seek_block(&mut self.top, target, &mut self.low);
            if !self.checked(table, table.index().offset, found)? {
                return Ok(None);
            }
            self.due = Some(self.top_handle(table)?);
            self.descend(table)?;
        }
        let found = seek_block(&mut self.leaf, target, &mut self.low);
        if self.checked(table, self.leaf_at, found)? {
            return self.handle(table).map(Some);
        }
        self.next(table)
    }

    /// The user key of the present entry, at or above all user keys of its block.
    pub(super) fn user_key(&self) -> &[u8] {
        internal_key::user_key(self.leaf.key()).unwrap_or_default()
    }

    /// The user key of the entry before the present one; empty at the first.
    pub(super) fn low(&self) -> &[u8] {
        &self.low
    }

    /// Loads the index, or its upper level, and goes before its first entry.
    fn load(&mut self, table: &Table) -> Result<(), StoreError> {
        if self.loaded {
            return Ok(());
        }
        let handle = table.index();
        let block = BlockBytes::Shared(table.block(handle)?);
        self.top.clear();
        self.leaf.clear();
        self.due = None;
        let set = if table.is_two_level() { self.top.set(block) } else { self.leaf.set(block) };
        self.checked(table, handle.offset, set)?;
        self.leaf_at = handle.offset;
        self.loaded = true;
        Ok(())
    }

    /// Loads the next lower block; `false` when there is none. One that cannot be loaded stays due.
    fn descend(&mut self, table: &Table) -> Result<bool, StoreError> {
        if self.due.is_none() {
            let moved = self.top.next();
            if !self.checked(table, table.index().offset, moved)? {
                return Ok(false);
            }
            self.due = Some(self.top_handle(table)?);
        }
        if let Some(handle) = self.due {
            let set = self.leaf.set(BlockBytes::Shared(table.block(handle)?));
            self.checked(table, handle.offset, set)?;
            self.leaf_at = handle.offset;
            self.due = None;
        }
        Ok(true)
    }

    fn top_handle(&mut self, table: &Table) -> Result<Handle, StoreError> {
        let handle = Handle::parse(self.top.value(), table.blocks_end()).ok_or(BlockFault::Handle);
        self.checked(table, table.index().offset, handle)
    }

    fn handle(&mut self, table: &Table) -> Result<Handle, StoreError> {
        let handle = Handle::parse(self.leaf.value(), table.blocks_end()).ok_or(BlockFault::Handle);
        self.checked(table, self.leaf_at, handle)
    }

    /// Keeps the first fault, so that it is reported for ever.
    fn checked<T>(&mut self, table: &Table, at: u64, result: Result<T, BlockFault>) -> Result<T, StoreError> {
        result.map_err(|fault| {
            self.broken = Some((at, fault.clone()));
            table.file().fault(at, fault)
        })
    }
}

/// To the first entry at or after `target`; the user key of the entry before it goes into `low`.
fn seek_block(level: &mut BlockCursor, target: &[u8], low: &mut Vec<u8>) -> Result<bool, BlockFault> {
    level.seek_before(target)?;
    while level.next()? {
        if internal_key::compare(level.key(), target).is_ge() {
            return Ok(true);
        }
        low.clear();
        low.extend_from_slice(internal_key::user_key(level.key()).unwrap_or_default());
    }
    Ok(false)
}
