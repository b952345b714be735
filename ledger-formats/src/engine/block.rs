//! A block of a table: sorted entries with shared key prefixes, walked and searched.
//!
//! ```text
//! entry*  u32[n] offsets of restart points  u32 n                   (n ≥ 1)
//! entry = uv shared, uv unshared, uv value length, key[unshared], value
//! ```
//! A key begins with `shared` bytes of the key before it; at a restart point `shared` is 0.
//! (LevelDB `doc/table_format.md`, `table/block_builder.cc`.) What is on disk around a block
//! (compression, checksum) is in [`super::block_codec`]. Nothing here trusts the bytes.

use std::cmp::Ordering;
use std::ops::{Deref, Range};
use std::sync::Arc;

pub use super::block_fault::BlockFault;
use super::{internal_key, varint};

/// The bytes of an expanded block: a cursor's own, or shared with the cache.
#[derive(Debug)]
pub enum BlockBytes {
    /// A buffer that is used again for the next block.
    Own(Vec<u8>),
    /// A block of the cache.
    Shared(Arc<Vec<u8>>),
}

impl Deref for BlockBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// How the keys of a block must follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrder {
    /// Internal keys, strictly ascending.
    Internal,
    /// Any keys in any order (names of properties and of meta blocks, range tombstones).
    Any,
}

/// A forward cursor over one block.
#[derive(Debug)]
pub struct BlockCursor {
    bytes: BlockBytes,
    /// Where the restart array begins.
    entries_end: usize,
    /// Offset of the entry after the present one.
    at: usize,
    key: Vec<u8>,
    value: Range<usize>,
    order: KeyOrder,
}

/// Lengths at the front of an entry.
struct EntryHead {
    shared: usize,
    unshared: usize,
    value: usize,
    /// Bytes of the three numbers.
    head: usize,
}

impl BlockCursor {
    /// A cursor over no block at all.
    #[must_use]
    pub fn empty(order: KeyOrder) -> Self {
        Self { bytes: BlockBytes::Own(Vec::new()), entries_end: 0, at: 0, key: Vec::new(), value: 0..0, order }
    }

    /// A cursor before the first entry of a block.
    ///
    /// # Errors
    /// When the restart array does not fit.
    pub fn new(bytes: BlockBytes, order: KeyOrder) -> Result<Self, BlockFault> {
        let mut cursor = Self::empty(order);
        cursor.set(bytes)?;
        Ok(cursor)
    }

    /// Goes before the first entry of another block. After an error the cursor is empty.
    ///
    /// # Errors
    /// When the restart array does not fit.
    pub fn set(&mut self, bytes: BlockBytes) -> Result<(), BlockFault> {
        self.clear();
        self.bytes = bytes;
        let length = self.bytes.len();
        let restarts = self.restarts();
        let array = usize::try_from(restarts).ok().and_then(|n| n.checked_mul(4)?.checked_add(4));
        match array.and_then(|array| length.checked_sub(array)) {
            Some(entries_end) if restarts > 0 => {
                self.entries_end = entries_end;
                Ok(())
            }
            _ => Err(BlockFault::Restarts { restarts, length }),
        }
    }

    /// Leaves the block: there is no entry any more.
    pub fn clear(&mut self) {
        self.entries_end = 0;
        self.at = 0;
        self.key.clear();
        self.value = 0..0;
    }

    /// Leaves the block and gives its buffer back for the next one (empty if it was shared).
    pub fn take_buffer(&mut self) -> Vec<u8> {
        self.clear();
        match std::mem::replace(&mut self.bytes, BlockBytes::Own(Vec::new())) {
            BlockBytes::Own(buffer) => buffer,
            BlockBytes::Shared(_) => Vec::new(),
        }
    }

    /// To the next entry; `false` at the end. A faulty entry is not passed: `next` fails again.
    ///
    /// # Errors
    /// [`BlockFault::Entry`], [`BlockFault::Order`].
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "it lends, and it can fail")]
    pub fn next(&mut self) -> Result<bool, BlockFault> {
        let at = self.at;
        let Some(entry) = self.bytes.get(at..self.entries_end) else { return Ok(false) };
        if entry.is_empty() {
            return Ok(false);
        }
        let malformed = BlockFault::Entry { at };
        let Some(head) = entry_head(entry) else { return Err(malformed) };
        let key_end = head.head + head.unshared;
        let Some(suffix) = entry.get(head.head..key_end) else { return Err(malformed) };
        if head.shared > self.key.len() || head.value > entry.len() - key_end {
            return Err(malformed);
        }
        if self.order == KeyOrder::Internal {
            if head.shared + head.unshared < internal_key::TRAILER_LEN {
                return Err(malformed);
            }
            if !self.key.is_empty() && !ascends(&self.key, head.shared, suffix) {
                return Err(BlockFault::Order { at });
            }
        }
        self.key.truncate(head.shared);
        self.key.extend_from_slice(suffix);
        let value = at + key_end;
        self.at = value + head.value;
        self.value = value..self.at;
        Ok(true)
    }

    /// Goes before an entry from which `target` (an internal key) is found by few steps of `next`:
    /// the last restart point before `target`, or the first one.
    ///
    /// # Errors
    /// [`BlockFault::Entry`] for a restart point that is none.
    pub fn seek_before(&mut self, target: &[u8]) -> Result<(), BlockFault> {
        let (mut low, mut high) = (0, self.restarts().min(self.restarts_max()));
        // Below `low` all restart keys are under the target, from `high` on none is.
        while low < high {
            let middle = low + (high - low) / 2;
            let below = internal_key::compare(self.restart_key(middle)?, target) == Ordering::Less;
            (low, high) = if below { (middle + 1, high) } else { (low, middle) };
        }
        self.at = if low == 0 { 0 } else { self.restart_offset(low - 1) };
        self.key.clear();
        self.value = 0..0;
        Ok(())
    }

    /// To the first entry at or after `target` in internal order; `false` when there is none.
    ///
    /// # Errors
    /// See [`BlockCursor::next`] and [`BlockCursor::seek_before`].
    pub fn seek(&mut self, target: &[u8]) -> Result<bool, BlockFault> {
        self.seek_before(target)?;
        while self.next()? {
            if internal_key::compare(&self.key, target) != Ordering::Less {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The key of the entry; empty before the first one.
    #[inline]
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The value of the entry.
    #[inline]
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.bytes.get(self.value.clone()).unwrap_or_default()
    }

    /// The first key of the block; `None` when there is none or it is malformed.
    #[must_use]
    pub fn first_key(&self) -> Option<&[u8]> {
        self.restart_key(0).ok()
    }

    /// The number of restart points as the block's last four bytes say.
    fn restarts(&self) -> u32 {
        self.bytes.last_chunk().map_or(0, |number| u32::from_le_bytes(*number))
    }

    /// No restart points at all in a cursor that was cleared.
    fn restarts_max(&self) -> u32 {
        if self.entries_end == 0 { 0 } else { u32::MAX }
    }

    fn restart_offset(&self, index: u32) -> usize {
        let place = usize::try_from(index).ok().and_then(|index| self.entries_end.checked_add(index * 4));
        let offset = place.and_then(|place| self.bytes.get(place..)?.first_chunk());
        offset.and_then(|offset| usize::try_from(u32::from_le_bytes(*offset)).ok()).unwrap_or(usize::MAX)
    }

    fn restart_key(&self, index: u32) -> Result<&[u8], BlockFault> {
        let at = self.restart_offset(index);
        let key = || {
            let entry = self.bytes.get(at..self.entries_end)?;
            let head = entry_head(entry)?;
            if head.shared == 0 { entry.get(head.head..head.head + head.unshared) } else { None }
        };
        key().ok_or(BlockFault::Entry { at })
    }
}

/// Walks all entries of a data or index block and returns their number.
///
/// # Errors
/// The first fault.
pub fn check(bytes: &[u8]) -> Result<u64, BlockFault> {
    let mut cursor = BlockCursor::new(BlockBytes::Own(bytes.to_vec()), KeyOrder::Internal)?;
    let mut entries = 0;
    while cursor.next()? {
        entries += 1;
    }
    Ok(entries)
}

#[inline]
fn entry_head(entry: &[u8]) -> Option<EntryHead> {
    if let Some(&[shared, unshared, value]) = entry.first_chunk()
        && (shared | unshared | value) < 0x80
    {
        return Some(EntryHead { shared: shared.into(), unshared: unshared.into(), value: value.into(), head: 3 });
    }
    let mut rest = entry;
    let mut number = || varint::take(&mut rest).and_then(|number| u32::try_from(number).ok());
    let numbers = [number()?, number()?, number()?];
    let [shared, unshared, value] = numbers.map(|number| number as usize);
    Some(EntryHead { shared, unshared, value, head: entry.len() - rest.len() })
}

/// Whether the key made of the first `shared` bytes of `last` and of `suffix` is above `last`. Both
/// are internal keys of at least a trailer's length.
#[inline]
fn ascends(last: &[u8], shared: usize, suffix: &[u8]) -> bool {
    let last_user = last.len() - internal_key::TRAILER_LEN;
    let next_user = shared + suffix.len() - internal_key::TRAILER_LEN;
    if shared <= last_user.min(next_user) {
        // What is shared is equal, so only the rest is compared.
        return internal_key::compare(&last[shared..], suffix) == Ordering::Less;
    }
    let next = [&last[..shared], suffix].concat();
    internal_key::compare(last, &next) == Ordering::Less
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::internal_key::Kind;

    /// The data block of engines' smallest table: "k" = "v".
    const ONE: &str = "0009016b0100000000000000760000000001000000";

    fn entry(shared: u8, key: &[u8], value: &[u8]) -> Vec<u8> {
        let mut bytes = vec![shared, key.len().to_le_bytes()[0], value.len().to_le_bytes()[0]];
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
        bytes
    }

    fn block(entries: &[Vec<u8>], restarts: &[u32]) -> Vec<u8> {
        let mut bytes = entries.concat();
        restarts.iter().for_each(|restart| bytes.extend_from_slice(&restart.to_le_bytes()));
        bytes.extend_from_slice(&u32::try_from(restarts.len()).unwrap().to_le_bytes());
        bytes
    }

    fn internal(user: &[u8], sequence: u64) -> Vec<u8> {
        let mut key = Vec::new();
        internal_key::join(&mut key, user, sequence, Kind::Set);
        key
    }

    #[test]
    fn reads_a_real_block() {
        let mut cursor = BlockCursor::new(BlockBytes::Own(hex::decode(ONE).unwrap()), KeyOrder::Internal).unwrap();
        assert!(cursor.next().unwrap());
        assert_eq!((cursor.key(), cursor.value()), (&internal(b"k", 0)[..], &b"v"[..]));
        assert!(!cursor.next().unwrap());
        assert!(cursor.seek(&internal(b"k", 5)).unwrap());
        assert!(!cursor.seek(&internal(b"l", 5)).unwrap());
    }

    #[test]
    fn an_empty_block_has_no_entries() {
        assert_eq!(check(&[0, 0, 0, 0, 1, 0, 0, 0]), Ok(0));
    }

    #[test]
    fn restart_arrays_that_do_not_fit_are_refused() {
        for bytes in [&[][..], &[0, 0, 0], &[0, 0, 0, 0], &[0, 0, 0, 0, 2, 0, 0, 0], &[0xff; 12]] {
            assert!(matches!(check(bytes), Err(BlockFault::Restarts { .. })), "{bytes:?}");
        }
    }

    #[test]
    fn entries_must_ascend_in_internal_order() {
        let pair = |a: &[u8], b: &[u8]| check(&block(&[entry(0, a, b""), entry(0, b, b"")], &[0]));
        assert_eq!(pair(&internal(b"a", 2), &internal(b"a", 1)), Ok(2));
        assert!(matches!(pair(&internal(b"a", 1), &internal(b"a", 1)), Err(BlockFault::Order { .. })));
        assert!(matches!(pair(&internal(b"a", 1), &internal(b"a", 2)), Err(BlockFault::Order { .. })));
        assert!(matches!(pair(&internal(b"b", 1), &internal(b"a", 2)), Err(BlockFault::Order { .. })));
    }

    #[test]
    fn a_prefix_may_reach_into_the_trailer() {
        // "a" at sequence 0 is `61 01 00..`, and the next user key begins with `61 01`.
        let (a, b) = (internal(b"a", 0), internal(b"a\x01\x00", 0));
        assert_eq!(a[..3], b[..3]);
        assert_eq!(check(&block(&[entry(0, &a, b""), entry(3, &b[3..], b"")], &[0])), Ok(2));
        let down = internal(b"a", 9);
        assert_eq!(a[..2], down[..2]);
        assert!(matches!(
            check(&block(&[entry(0, &a, b""), entry(2, &down[2..], b"")], &[0])),
            Err(BlockFault::Order { .. })
        ));
    }

    #[test]
    fn lengths_beyond_the_block_are_refused() {
        let key = internal(b"a", 0);
        for (at, byte) in [(0, 1), (1, 60), (2, 60), (1, 7)] {
            let mut bytes = block(&[entry(0, &key, b"v")], &[0]);
            bytes[at] = byte;
            assert!(check(&bytes).is_err(), "byte {at} set to {byte}");
        }
    }

    #[test]
    fn seek_finds_the_first_entry_not_below() {
        let keys = [internal(b"b", 1), internal(b"d", 1), internal(b"f", 1)];
        let entries = keys.clone().map(|key| entry(0, &key, b""));
        let step = u32::try_from(entries[0].len()).unwrap();
        let bytes = block(&entries, &[0, step, 2 * step]);
        let mut cursor = BlockCursor::new(BlockBytes::Own(bytes), KeyOrder::Internal).unwrap();
        for (target, found) in [(b"a", Some(0)), (b"b", Some(0)), (b"c", Some(1)), (b"f", Some(2)), (b"g", None)] {
            assert_eq!(cursor.seek(&internal(target, 9)).unwrap(), found.is_some());
            if let Some(index) = found {
                let expected: &[u8] = &keys[index as usize];
                assert_eq!(cursor.key(), expected);
            }
        }
    }

    #[test]
    fn restart_points_outside_the_entries_are_refused() {
        let key = internal(b"a", 0);
        let mut cursor =
            BlockCursor::new(BlockBytes::Own(block(&[entry(0, &key, b"")], &[77])), KeyOrder::Internal).unwrap();
        assert!(matches!(cursor.seek(&key), Err(BlockFault::Entry { at: 77 })));
    }
}
