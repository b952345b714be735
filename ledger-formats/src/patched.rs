//! A database seen with some of its rows replaced: a damaged source together with what repairs it.
//!
//! The base is only read. The patch holds rows that somebody proved, and the ranges of keys that were found unreadable
//! and for which the patch is complete. A damaged place outside of those ranges is an error as before.

use std::collections::{BTreeMap, btree_map};
use std::iter::Peekable;
use std::ops::Bound;

use crate::store::{Corruption, Cursor, Entry, KeyRange, Location, ReadStore, StoreError, StoreStats};

/// Keys that a damaged place may hold, both ends included.
pub type LostRange = (Vec<u8>, Vec<u8>);

/// What is laid over a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// Rows that count instead of the database's own, or that it lacks.
    pub rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Ranges that cannot be read and whose rows are all in `rows`.
    pub lost: Vec<LostRange>,
}

impl Patch {
    /// Whether the damaged place is one that this patch was made for.
    fn mends(&self, damage: &Corruption) -> bool {
        damage
            .range
            .as_ref()
            .is_some_and(|(first, last)| self.lost.iter().any(|(from, to)| from <= first && last <= to))
    }

    /// Whether a row was in a place that cannot be read.
    fn has_lost(&self, key: &[u8]) -> bool {
        self.lost.iter().any(|(from, to)| from.as_slice() <= key && key <= to.as_slice())
    }
}

/// A database with a patch laid over it.
pub struct PatchedStore {
    base: Box<dyn ReadStore>,
    patch: Patch,
}

impl PatchedStore {
    /// Lays `patch` over `base`.
    #[must_use]
    pub fn new(base: Box<dyn ReadStore>, patch: Patch) -> Self {
        Self { base, patch }
    }
}

impl ReadStore for PatchedStore {
    fn scan(&self, range: &KeyRange) -> Result<Box<dyn Cursor + Send + '_>, StoreError> {
        let end = range.end.as_deref().map(|end| end.max(range.start.as_slice()));
        let bounds = (Bound::Included(range.start.as_slice()), end.map_or(Bound::Unbounded, Bound::Excluded));
        Ok(Box::new(PatchedCursor {
            base: self.base.scan(range)?,
            patch: &self.patch,
            rows: self.patch.rows.range::<[u8], _>(bounds).peekable(),
            ahead: Ahead::Unread,
            key: Vec::new(),
            value: Vec::new(),
        }))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(value) = self.patch.rows.get(key) {
            return Ok(Some(value.clone()));
        }
        if self.patch.has_lost(key) { Ok(None) } else { self.base.get(key) }
    }

    /// A row of the patch lies in no file of the database.
    fn locate(&self, key: &[u8]) -> Result<Option<Location>, StoreError> {
        if self.patch.rows.contains_key(key) {
            return Ok(Some(Location::Within { files: Vec::new() }));
        }
        if self.patch.has_lost(key) { Ok(None) } else { self.base.locate(key) }
    }

    fn split_points(&self, bytes: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        self.base.split_points(bytes)
    }

    fn stats(&self) -> StoreStats {
        self.base.stats()
    }

    fn remarks(&self) -> Vec<String> {
        self.base.remarks()
    }
}

/// Where the scan of the base stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ahead {
    /// Its next row has to be read.
    Unread,
    /// Its next row is in the buffers.
    Row,
    /// It is at its end.
    End,
}

/// Both sides in one order. The next row of the base is copied before it is known whose turn it is: a repair is rare,
/// and the copy is small beside the reading.
struct PatchedCursor<'a> {
    base: Box<dyn Cursor + Send + 'a>,
    patch: &'a Patch,
    rows: Peekable<btree_map::Range<'a, Vec<u8>, Vec<u8>>>,
    ahead: Ahead,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl PatchedCursor<'_> {
    /// Fills the buffers with the next row of the base. Ends: each turn passes a row or a damaged place.
    fn read_ahead(&mut self) -> Result<(), StoreError> {
        while self.ahead == Ahead::Unread {
            match self.base.next() {
                Ok(Some((key, value))) => {
                    self.key.clear();
                    self.key.extend_from_slice(key);
                    self.value.clear();
                    self.value.extend_from_slice(value);
                    self.ahead = Ahead::Row;
                }
                Ok(None) => self.ahead = Ahead::End,
                Err(StoreError::Corrupt(damage)) if self.patch.mends(&damage) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Cursor for PatchedCursor<'_> {
    fn next(&mut self) -> Result<Option<Entry<'_>>, StoreError> {
        self.read_ahead()?;
        let base = (self.ahead == Ahead::Row).then_some(self.key.as_slice());
        let patched = self.rows.peek().map(|(key, _)| key.as_slice());
        let takes_patch = match (base, patched) {
            (None, None) => return Ok(None),
            (Some(_), None) => false,
            (None, Some(_)) => true,
            (Some(base), Some(patched)) => {
                if base == patched {
                    // The patch's row counts; the base's is passed over.
                    self.ahead = Ahead::Unread;
                }
                patched <= base
            }
        };
        if takes_patch {
            return Ok(self.rows.next().map(|(key, value)| (key.as_slice(), value.as_slice())));
        }
        self.ahead = Ahead::Unread;
        Ok(Some((&self.key, &self.value)))
    }
}
