//! Layers 1 and 2 in one scan: counts by class, and the digest of every shard against what the copy read.
//!
//! Each database is scanned once, in pieces side by side: the shards of its copy, or pieces of like size when it is
//! verified by itself. On the way rows are noted that layer 3 needs (which heights are there), and rows that no block
//! binds (index, evidence) are checked against their own content.

mod digest;
pub(super) mod heights;
pub(super) mod index_sum;
mod light;
mod piece;
mod rows;

use std::sync::{Mutex, PoisonError};

use ledger_formats::store::KeyRange;
use rayon::prelude::*;

use super::findings::{Findings, Place};
use super::what::What;
use super::{InputDatabase, VerifyError};
use crate::context::Context;
use crate::shard_summary::ShardSummary;

pub(super) use rows::{Inventory, StoreHeights};

/// Least on-disk bytes of a piece of a database that has no shards, and most pieces.
const PIECE_BYTES: u64 = 16 << 20;
const PIECES_MAX: u64 = 4_096;

/// What one database holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey {
    /// Rows.
    pub keys: u64,
    /// Bytes of keys.
    pub key_bytes: u64,
    /// Bytes of values.
    pub value_bytes: u64,
    /// Rows by class, and the heights they are of.
    pub inventory: Inventory,
    /// Shards compared with the source.
    pub shards: u64,
    /// Whether all of them are equal and no row lies outside; `None` without a source.
    pub equals_source: Option<bool>,
}

/// A range of keys to be scanned.
struct Piece<'a> {
    database: usize,
    range: KeyRange,
    expected: Expected<'a>,
}

/// What a piece is compared with.
#[derive(Clone, Copy)]
enum Expected<'a> {
    /// Nothing: there is no source.
    Unknown,
    /// What the copy read.
    Shard(&'a ShardSummary),
    /// No rows: the source's shards do not reach here.
    Empty,
}

/// Scans all databases and gives a survey of each, in their order.
pub(super) fn run(
    databases: &[InputDatabase<'_>],
    stored: StoreHeights,
    findings: &Findings<'_>,
    context: &Context<'_>,
) -> Result<Vec<Survey>, VerifyError> {
    let mut pieces = Vec::new();
    for (number, database) in databases.iter().enumerate() {
        cut(number, database, findings, &mut pieces);
    }
    context.listener.begin("verify: counts and digests", bytes_to_read(databases));
    let surveys = Mutex::new(vec![Survey::default(); databases.len()]);
    let scanned = pieces.par_iter().with_max_len(1).try_for_each(|piece| {
        let database = databases.get(piece.database).expect("pieces are cut from these databases");
        let survey = piece::scan(database, piece, stored, findings, context)?;
        let mut surveys = surveys.lock().unwrap_or_else(PoisonError::into_inner);
        surveys.get_mut(piece.database).expect("one survey a database").merge(survey);
        Ok(())
    });
    context.listener.end();
    scanned.map(|()| surveys.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn bytes_to_read(databases: &[InputDatabase<'_>]) -> u64 {
    let size = |database: &InputDatabase<'_>| match &database.source {
        Some(shards) => shards.iter().map(|(_, summary)| summary.key_bytes + summary.value_bytes).sum(),
        None => database.store.stats().disk_bytes,
    };
    databases.iter().map(size).sum()
}

/// Cuts a database into pieces that together are all keys.
fn cut<'a>(number: usize, database: &'a InputDatabase<'_>, findings: &Findings<'_>, pieces: &mut Vec<Piece<'a>>) {
    let piece = |range, expected| Piece { database: number, range, expected };
    if let Some(shards) = &database.source {
        pieces.extend(shards.iter().map(|(range, summary)| piece(range.clone(), Expected::Shard(summary))));
        let ranges = shards.iter().map(|(range, _)| range);
        pieces.extend(outside(ranges).into_iter().map(|range| piece(range, Expected::Empty)));
        return;
    }
    let bytes = PIECE_BYTES.max(database.store.stats().disk_bytes / PIECES_MAX);
    let points = database.store.split_points(bytes).unwrap_or_else(|error| {
        let place = Place { database: &database.name, key: b"", height: None };
        findings.report(What::Unreadable, place, &"an index of the tables", &error);
        Vec::new()
    });
    let starts = std::iter::once(Vec::new()).chain(points.iter().cloned());
    let ends = points.iter().cloned().map(Some).chain(std::iter::once(None));
    pieces.extend(starts.zip(ends).map(|(start, end)| piece(KeyRange { start, end }, Expected::Unknown)));
}

/// The keys that lie in none of `ranges`.
fn outside<'a>(ranges: impl Iterator<Item = &'a KeyRange>) -> Vec<KeyRange> {
    let mut sorted: Vec<&KeyRange> = ranges.collect();
    sorted.sort_by(|a, b| a.start.cmp(&b.start));
    let mut gaps = Vec::new();
    let mut reached: Option<Vec<u8>> = Some(Vec::new());
    for range in sorted {
        let Some(start) = &reached else { break };
        if *start < range.start {
            gaps.push(KeyRange { start: start.clone(), end: Some(range.start.clone()) });
        }
        reached = match (&range.end, reached) {
            (Some(end), Some(start)) => Some(start.max(end.clone())),
            _ => None,
        };
    }
    gaps.extend(reached.map(|start| KeyRange { start, end: None }));
    gaps
}

impl Survey {
    fn merge(&mut self, other: Self) {
        self.keys += other.keys;
        self.key_bytes += other.key_bytes;
        self.value_bytes += other.value_bytes;
        self.shards += other.shards;
        self.inventory.merge(other.inventory);
        self.equals_source = match (self.equals_source, other.equals_source) {
            (Some(one), Some(two)) => Some(one && two),
            (one, two) => one.or(two),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: &[u8], end: Option<&[u8]>) -> KeyRange {
        KeyRange { start: start.to_vec(), end: end.map(<[u8]>::to_vec) }
    }

    #[test]
    fn what_no_shard_covers_is_found() {
        assert_eq!(outside([KeyRange::all()].iter()), []);
        assert_eq!(outside([].iter()), [KeyRange::all()]);
        let tiled = [range(b"", Some(b"b")), range(b"b", None)];
        assert_eq!(outside(tiled.iter()), []);
        let holes = [range(b"x", Some(b"y")), range(b"b", Some(b"d")), range(b"c", Some(b"c5"))];
        let expected = [range(b"", Some(b"b")), range(b"d", Some(b"x")), range(b"y", None)];
        assert_eq!(outside(holes.iter()), expected);
    }
}
