//! Grouping of tables into runs, and the reading of one run from table to table.
//!
//! A run is a list of tables that ascend and do not overlap in user keys, whatever their levels. A
//! scan needs one cursor a run and has one table of each open, so few runs are good: the greedy
//! grouping below finds as few as there can be.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;

use super::manifest::TableMeta;
use super::open_tables::OpenTables;
use super::table::{RangeTombstone, TableCursor};
use crate::store::StoreError;

/// Bytes read at once while scanning a table.
const READAHEAD: usize = 512 << 10;

/// Groups tables (by index) into as few runs as possible.
pub(super) fn group(tables: &[TableMeta]) -> Vec<Vec<usize>> {
    let mut order: Vec<(usize, &TableMeta)> = tables.iter().enumerate().collect();
    order.sort_by(|a, b| a.1.first_key().cmp(b.1.first_key()));
    let mut runs: Vec<Vec<usize>> = Vec::new();
    // The run that ends first is on top; a table either goes behind it or fits behind none.
    let mut ends: BinaryHeap<Reverse<(&[u8], usize)>> = BinaryHeap::new();
    for (index, table) in order {
        let free = ends.peek().is_some_and(|Reverse((end, _))| *end < table.first_key());
        let run = if free { ends.pop().map(|Reverse((_, run))| run) } else { None };
        let run = run.unwrap_or_else(|| {
            runs.push(Vec::new());
            runs.len() - 1
        });
        if let Some(tables) = runs.get_mut(run) {
            tables.push(index);
        }
        ends.push(Reverse((table.last_key(), run)));
    }
    runs
}

/// The table of a run that may hold `key`.
pub(super) fn table_for(run: &[usize], tables: &[TableMeta], key: &[u8]) -> Option<usize> {
    let place = run.partition_point(|index| tables.get(*index).is_some_and(|table| table.last_key() < key));
    let index = *run.get(place)?;
    tables.get(index).is_some_and(|table| table.first_key() <= key).then_some(index)
}

/// Reads the entries of one run in order, one open table at a time.
#[derive(Debug)]
pub(super) struct RunCursor<'a> {
    tables: &'a OpenTables,
    rest: std::slice::Iter<'a, usize>,
    start: Vec<u8>,
    end: Option<Vec<u8>>,
    current: Option<Current<'a>>,
    /// Range tombstones of tables that were opened since they were last taken.
    pub(super) fresh: Vec<RangeTombstone>,
}

#[derive(Debug)]
struct Current<'a> {
    meta: &'a TableMeta,
    cursor: TableCursor,
    /// Replaces the sequence of every key.
    global: Option<u64>,
    sought: bool,
}

impl<'a> RunCursor<'a> {
    /// A cursor before the first entry of the run that is not below `start`. Tables from `end` on are
    /// not opened; entries from `end` on may come.
    pub(super) fn new(tables: &'a OpenTables, run: &'a [usize], start: &[u8], end: Option<&[u8]>) -> Self {
        let metas = tables.metas();
        let first = run.partition_point(|index| metas.get(*index).is_some_and(|table| table.last_key() < start));
        Self {
            tables,
            rest: run.get(first..).unwrap_or_default().iter(),
            start: start.to_vec(),
            end: end.map(<[u8]>::to_vec),
            current: None,
            fresh: Vec::new(),
        }
    }

    /// To the next entry; `false` at the end.
    ///
    /// # Errors
    /// After [`StoreError::Corrupt`] with a range the next call goes on behind it.
    pub(super) fn advance(&mut self) -> Result<bool, StoreError> {
        loop {
            if self.current.is_none() && !self.open_next()? {
                return Ok(false);
            }
            let Some(current) = &mut self.current else { return Ok(false) };
            let moved = if current.sought {
                current.cursor.next()
            } else {
                current.sought = true;
                // Kind and sequence at their largest: before every version of the start key.
                let seek = [self.start.as_slice(), &[0xff; 8]].concat();
                if current.meta.first_key() < self.start.as_slice() {
                    current.cursor.seek(&seek)
                } else {
                    current.cursor.next()
                }
            };
            match moved {
                Ok(true) => return Ok(true),
                Ok(false) => self.current = None,
                Err(error) => {
                    let meta = current.meta;
                    let skippable = matches!(&error, StoreError::Corrupt(place) if place.range.is_some());
                    if !skippable {
                        self.current = None;
                    }
                    return Err(bounded(error, meta));
                }
            }
        }
    }

    /// Internal key and value of the entry.
    pub(super) fn entry(&self) -> (&[u8], u64, &[u8]) {
        let Some(current) = &self.current else { return (&[], 0, &[]) };
        let (user, trailer) = current
            .cursor
            .key()
            .split_last_chunk()
            .map_or((&[][..], 0), |(user, trailer)| (user, u64::from_le_bytes(*trailer)));
        let trailer = current.global.map_or(trailer, |sequence| sequence << 8 | trailer & 0xff);
        (user, trailer, current.cursor.value())
    }

    /// The file that the entry is from.
    pub(super) fn table_path(&self) -> Option<PathBuf> {
        self.current.as_ref().map(|current| self.tables.path(current.meta))
    }

    fn open_next(&mut self) -> Result<bool, StoreError> {
        let Some(&index) = self.rest.next() else { return Ok(false) };
        let Some(meta) = self.tables.metas().get(index) else { return Ok(false) };
        if self.end.as_deref().is_some_and(|end| meta.first_key() >= end) {
            self.rest = [].iter();
            return Ok(false);
        }
        let opened = self.tables.table(index).and_then(|table| Ok((self.tables.tombstones(index)?, table)));
        let (tombstones, table) = opened.map_err(|error| bounded(error, meta))?;
        self.fresh.extend(tombstones.iter().cloned());
        let cursor = table.cursor(READAHEAD);
        self.current = Some(Current { meta, cursor, global: meta.global_sequence(), sought: false });
        Ok(true)
    }
}

/// Keeps the range of a damaged place within the bounds of its table; damage of the whole table gets
/// them as its range, so that a scan can go on behind it.
fn bounded(error: StoreError, meta: &TableMeta) -> StoreError {
    let StoreError::Corrupt(mut place) = error else { return error };
    let (first, last) = (meta.first_key().to_vec(), meta.last_key().to_vec());
    place.range = Some(match place.range {
        Some((low, high)) => (low.max(first), high.min(last)),
        None => (first, last),
    });
    StoreError::Corrupt(place)
}
