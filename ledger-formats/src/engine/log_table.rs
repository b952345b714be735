//! What the logs of a database hold, as one sorted table in memory.
//!
//! Keys and values lie in one arena, behind each other as they came; an entry is 32 bytes. Of
//! several versions of a key only the newest stays findable, which is right because a version older
//! than it can decide nothing. Engines keep logs at a few MiB; a limit guards against others.

use std::path::Path;

use super::internal_key::Kind;
use super::table::RangeTombstone;
use crate::store::StoreError;

/// Collects operations, in any order.
#[derive(Debug, Default)]
pub(super) struct LogTableBuilder {
    arena: Vec<u8>,
    entries: Vec<Slot>,
    tombstones: Vec<RangeTombstone>,
    bytes_max: u64,
}

/// A sorted table of the newest version of each key.
#[derive(Debug, Default)]
pub(super) struct LogTable {
    arena: Vec<u8>,
    entries: Vec<Slot>,
    tombstones: Vec<RangeTombstone>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    offset: usize,
    key: u32,
    value: u32,
    /// Sequence << 8 | kind.
    trailer: u64,
}

impl Slot {
    fn key(self, arena: &[u8]) -> &[u8] {
        arena.get(self.offset..self.offset + self.key as usize).unwrap_or_default()
    }

    fn value(self, arena: &[u8]) -> &[u8] {
        let start = self.offset + self.key as usize;
        arena.get(start..start + self.value as usize).unwrap_or_default()
    }
}

impl LogTableBuilder {
    /// A builder that takes at most `bytes_max` bytes.
    pub(super) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, ..Self::default() }
    }

    /// Adds one version of a key.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] beyond the limit; `file` is the log it came from.
    pub(super) fn add(&mut self, file: &Path, key: &[u8], trailer: u64, value: &[u8]) -> Result<(), StoreError> {
        let too_large = || StoreError::TooLarge {
            file: file.to_path_buf(),
            what: "what the logs hold".into(),
            limit: self.bytes_max,
        };
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| too_large());
        let (key_length, value_length) = (length(key)?, length(value)?);
        let overhead = (self.entries.len() + 1) * size_of::<Slot>();
        if (self.arena.len() + key.len() + value.len() + overhead) as u64 > self.bytes_max {
            return Err(too_large());
        }
        self.entries.push(Slot { offset: self.arena.len(), key: key_length, value: value_length, trailer });
        self.arena.extend_from_slice(key);
        self.arena.extend_from_slice(value);
        Ok(())
    }

    /// Adds a range tombstone.
    pub(super) fn add_tombstone(&mut self, tombstone: RangeTombstone) {
        self.tombstones.push(tombstone);
    }

    /// Sorts, and drops all but the newest version of each key.
    pub(super) fn finish(self) -> LogTable {
        let Self { arena, mut entries, tombstones, .. } = self;
        entries.sort_unstable_by(|a, b| a.key(&arena).cmp(b.key(&arena)).then_with(|| b.trailer.cmp(&a.trailer)));
        entries.dedup_by(|later, first| later.key(&arena) == first.key(&arena));
        LogTable { arena, entries, tombstones }
    }
}

/// One entry: key, trailer, value.
pub(super) type LogEntry<'a> = (&'a [u8], u64, &'a [u8]);

impl LogTable {
    /// Number of keys.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry at this place of the order.
    pub(super) fn entry(&self, index: usize) -> Option<LogEntry<'_>> {
        let slot = self.entries.get(index)?;
        Some((slot.key(&self.arena), slot.trailer, slot.value(&self.arena)))
    }

    /// Place of the first key that is not below `key`.
    pub(super) fn position(&self, key: &[u8]) -> usize {
        self.entries.partition_point(|slot| slot.key(&self.arena) < key)
    }

    /// The newest version of `key`.
    pub(super) fn get(&self, key: &[u8]) -> Option<(u64, &[u8])> {
        self.entry(self.position(key)).filter(|entry| entry.0 == key).map(|(_, trailer, value)| (trailer, value))
    }

    /// First and last key, if there is one.
    pub(super) fn bounds(&self) -> Option<(&[u8], &[u8])> {
        Some((self.entries.first()?.key(&self.arena), self.entries.last()?.key(&self.arena)))
    }

    /// The range tombstones of the logs.
    pub(super) fn tombstones(&self) -> &[RangeTombstone] {
        &self.tombstones
    }

    /// Last key and bytes of consecutive pieces of about `piece` bytes.
    pub(super) fn points(&self, piece: u64) -> Vec<(Vec<u8>, u64)> {
        let mut points = Vec::new();
        let mut bytes = 0;
        for (index, slot) in self.entries.iter().enumerate() {
            bytes += u64::from(slot.key) + u64::from(slot.value);
            if bytes >= piece.max(1) || index + 1 == self.entries.len() {
                points.push((slot.key(&self.arena).to_vec(), bytes));
                bytes = 0;
            }
        }
        points
    }
}

/// Sequence and kind in one number, as internal keys end.
pub(super) fn trailer(sequence: u64, kind: Kind) -> u64 {
    sequence << 8 | kind as u64
}
