//! The merged scan: runs of tables and the logs' table as one ascending sequence of live rows.
//!
//! Sources are merged by internal key: user key ascending, then the newest version first. The first
//! entry of a user key decides it: a value is shown, a deletion or a newer range tombstone hides it,
//! and everything older of that key is skipped. Values are lent from where they lie, never copied.
//!
//! It must never show an older value in place of one that it cannot read: what lies in the range of
//! a damaged place is shown from no source ([`Cursor`]'s contract).

mod damage;

use std::path::{Path, PathBuf};

use damage::Damage;

use super::EngineKind;
use super::internal_key::Kind;
use super::log_table::LogTable;
use super::runs::RunCursor;
use super::table::RangeTombstone;
use crate::store::{Cursor, Entry, StoreError};

/// One of the sorted inputs.
#[derive(Debug)]
pub(super) enum Source<'a> {
    /// The logs' table and the place of the entry; before the first `advance`, one place earlier.
    Log {
        /// The table.
        table: &'a LogTable,
        /// Place of the next entry.
        next: usize,
    },
    /// A run of tables.
    Run(Box<RunCursor<'a>>),
}

impl Source<'_> {
    fn advance(&mut self) -> Result<bool, StoreError> {
        match self {
            Self::Log { table, next } => {
                *next += 1;
                Ok(*next <= table.len())
            }
            Self::Run(run) => run.advance(),
        }
    }

    /// User key, trailer, value; valid after `advance` returned `true`.
    fn entry(&self) -> (&[u8], u64, &[u8]) {
        match self {
            Self::Log { table, next } => table.entry(next.wrapping_sub(1)).unwrap_or((&[], 0, &[])),
            Self::Run(run) => run.entry(),
        }
    }
}

/// Merges sources into live rows.
#[derive(Debug)]
pub(super) struct MergeCursor<'a> {
    dir: &'a Path,
    engine: EngineKind,
    sources: Vec<Source<'a>>,
    /// Sources that stand on no entry yet.
    unplaced: Vec<usize>,
    /// Sources that stand on an entry, as a binary heap whose first has the smallest entry.
    heap: Vec<usize>,
    /// The first of the heap was used and has to move before the heap is right again.
    used: bool,
    end: Option<Vec<u8>>,
    /// The last user key that was decided.
    last: Option<Vec<u8>>,
    tombstones: Vec<RangeTombstone>,
    damage: Damage,
    state: State,
}

/// Whether the scan can go on.
#[derive(Debug)]
enum State {
    Going,
    Ended,
    /// The message of the error that ended it.
    Failed(String),
}

impl<'a> MergeCursor<'a> {
    /// A scan of `sources`, each of which stands before its first entry, up to `end`. `tombstones`
    /// are those of the logs.
    pub(super) fn new(
        dir: &'a Path,
        engine: EngineKind,
        sources: Vec<Source<'a>>,
        end: Option<&[u8]>,
        tombstones: &[RangeTombstone],
    ) -> Self {
        Self {
            dir,
            engine,
            unplaced: (0..sources.len()).collect(),
            heap: Vec::with_capacity(sources.len()),
            damage: Damage::new(sources.len()),
            sources,
            used: false,
            end: end.map(<[u8]>::to_vec),
            last: None,
            tombstones: tombstones.to_vec(),
            state: State::Going,
        }
    }

    /// To the next live row, which is then the entry of the first source of the heap.
    fn advance(&mut self) -> Result<bool, StoreError> {
        loop {
            if !self.place()? {
                return Ok(false);
            }
            self.used = true;
            let Some(source) = self.heap.first().and_then(|top| self.sources.get(*top)) else { return Ok(false) };
            let (user, trailer, _) = source.entry();
            if self.end.as_deref().is_some_and(|end| user >= end) {
                return Ok(false);
            }
            match &mut self.last {
                Some(last) => match user.cmp(last.as_slice()) {
                    std::cmp::Ordering::Equal => continue,
                    std::cmp::Ordering::Less => return Err(self.disorder()),
                    std::cmp::Ordering::Greater => {
                        last.clear();
                        last.extend_from_slice(user);
                    }
                },
                None => self.last = Some(user.to_vec()),
            }
            if self.damage.hides(user) {
                continue;
            }
            if is_live(self.engine, trailer).map_err(|feature| self.unsupported(feature))?
                && !self.tombstones.iter().any(|tombstone| hides(tombstone, user, trailer))
            {
                return Ok(true);
            }
        }
    }

    /// Brings every source onto an entry and the smallest to the top; `false` when all are at their end.
    fn place(&mut self) -> Result<bool, StoreError> {
        while let Some(&index) = self.unplaced.last() {
            let moved = self.step(index)?;
            self.unplaced.pop();
            if moved {
                self.heap.push(index);
                self.sift_up(self.heap.len() - 1);
            }
        }
        if std::mem::take(&mut self.used)
            && let Some(&top) = self.heap.first()
        {
            let moved = self.step(top).inspect_err(|_| self.used = true)?;
            if !moved {
                self.heap.swap_remove(0);
            }
            self.sift_down();
        }
        Ok(!self.heap.is_empty())
    }

    /// Moves one source; after damage it can be moved again.
    fn step(&mut self, index: usize) -> Result<bool, StoreError> {
        let Some(source) = self.sources.get_mut(index) else { return Ok(false) };
        let moved = source.advance();
        if let Source::Run(run) = source
            && !run.fresh.is_empty()
        {
            let last = self.last.as_deref();
            self.tombstones.retain(|tombstone| last.is_none_or(|last| last < tombstone.end.as_slice()));
            self.tombstones.append(&mut run.fresh);
        }
        if let Err(StoreError::Corrupt(place)) = &moved
            && let Some((low, high)) = &place.range
        {
            // Behind the end of this scan it is the business of the next one.
            if self.end.as_deref().is_some_and(|end| low.as_slice() >= end) {
                return Ok(false);
            }
            self.damage.add(index, low, high);
        }
        moved
    }

    fn sift_up(&mut self, mut at: usize) {
        while at > 0 && self.less(at, (at - 1) / 2) {
            self.heap.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn sift_down(&mut self) {
        let mut at = 0;
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            if left >= self.heap.len() {
                return;
            }
            let child = if right < self.heap.len() && self.less(right, left) { right } else { left };
            if !self.less(child, at) {
                return;
            }
            self.heap.swap(child, at);
            at = child;
        }
    }

    /// Whether the entry at place `a` of the heap comes before that at place `b`.
    fn less(&self, a: usize, b: usize) -> bool {
        let entry = |place: usize| self.heap.get(place).and_then(|index| self.sources.get(*index)).map(Source::entry);
        let (Some((key_a, trailer_a, _)), Some((key_b, trailer_b, _))) = (entry(a), entry(b)) else { return false };
        key_a.cmp(key_b).then_with(|| trailer_b.cmp(&trailer_a)).is_lt()
    }

    /// The file that the top entry is from, as far as it is known.
    fn top_file(&self) -> PathBuf {
        match self.heap.first().and_then(|top| self.sources.get(*top)) {
            Some(Source::Run(run)) => run.table_path().unwrap_or_else(|| self.dir.to_path_buf()),
            _ => self.dir.to_path_buf(),
        }
    }

    fn disorder(&self) -> StoreError {
        StoreError::corrupt(&self.top_file(), None, "its keys are not in ascending order")
    }

    fn unsupported(&self, feature: String) -> StoreError {
        StoreError::Unsupported { file: self.top_file(), feature }
    }
}

impl Cursor for MergeCursor<'_> {
    fn next(&mut self) -> Result<Option<Entry<'_>>, StoreError> {
        match &self.state {
            State::Going => {}
            State::Ended => return Ok(None),
            State::Failed(message) => {
                return Err(StoreError::Io {
                    path: self.dir.to_path_buf(),
                    source: std::io::Error::other(message.clone()),
                });
            }
        }
        match self.advance() {
            Ok(true) => {}
            Ok(false) => {
                self.state = State::Ended;
                return Ok(None);
            }
            Err(error) => {
                if !matches!(&error, StoreError::Corrupt(place) if place.range.is_some()) {
                    self.state = State::Failed(error.to_string());
                }
                return Err(error);
            }
        }
        let top = self.heap.first().and_then(|top| self.sources.get(*top));
        Ok(top.map(Source::entry).map(|(key, _, value)| (key, value)))
    }
}

/// Whether a version gives its key a value; an error names a kind that is not read in this engine.
pub(super) fn is_live(engine: EngineKind, trailer: u64) -> Result<bool, String> {
    let [byte, ..] = trailer.to_le_bytes();
    match (Kind::from_byte(byte), engine) {
        (Some(Kind::Set), _) => Ok(true),
        (Some(Kind::Delete), _) => Ok(false),
        (Some(Kind::SetWithDelete), EngineKind::Pebble) => Ok(true),
        (Some(Kind::SingleDelete | Kind::DeleteSized), EngineKind::Pebble) => Ok(false),
        (Some(kind), _) => Err(format!("{} in a table of {engine}", kind.name())),
        (None, _) => Err(format!("key kind {byte}")),
    }
}

/// Whether a range tombstone hides this version of a key.
pub(super) fn hides(tombstone: &RangeTombstone, user: &[u8], trailer: u64) -> bool {
    trailer >> 8 < tombstone.sequence && tombstone.start.as_slice() <= user && user < tombstone.end.as_slice()
}
