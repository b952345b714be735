//! Leaves to roots: pieces of a database in the order of their keys, to the roots of its kinds and its own.

use std::collections::BTreeMap;

use proofs::merkle::{Frontier, Hash};

use super::error::RootError;
use super::kind::{Content, RecordKind};
use super::lanes::Lanes;
use super::leaf;
use super::reader::{Leaf, Piece, UNCLEAR_KEPT};
use super::record::Place;
use super::segments::{KindRoot, Open, Segments};
use crate::comet::State;
use crate::comet::class::{Database, Kind};
use crate::comet::dialect::{self, Change};
use crate::comet::key::{Layout, StateKey, StateRecord};
use crate::comet::wire::Decode;
use crate::store::ReadStore;

/// Records of a segment of records that are neither by height nor by hash.
const ROWS_OF_A_SEGMENT: u64 = 65_536;

/// The sides of a database: whether records are its own.
const SHARED: bool = false;
const OWN: bool = true;

/// One of the two roots of a database, or of a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// How many records.
    pub records: u64,
    /// The root over the kinds, or over the databases.
    pub root: Hash,
    /// By kind, of a database.
    pub kinds: Vec<KindRoot>,
}

/// The roots of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseRoot {
    /// What every engine, layout and dialect says alike.
    pub shared: Side,
    /// What only this store says, as it says it.
    pub own: Side,
    /// Records whose values could not be understood and stand under the root as they are: the first ones, in words.
    pub unclear: Vec<String>,
    /// How many those are.
    pub unclear_total: u64,
}

/// Takes the pieces of a database.
pub struct Assembly {
    /// Trees in the making, by side and kind.
    by_height: BTreeMap<(bool, RecordKind), Lanes>,
    in_order: BTreeMap<(bool, RecordKind), Run>,
    layouts: [Option<Vec<u8>>; 2],
    unclear: Vec<String>,
    unclear_total: u64,
}

/// Records whose keys come in order in every layout.
#[derive(Default)]
struct Run {
    segments: Segments,
    open: Open,
    records: u64,
}

/// Results that only `lastABCIResponseKey` has: height and leaf.
pub struct LateResults(u64, Hash);

/// Looks for results that v1.0 would have in a record of their own.
///
/// # Errors
/// When the store cannot be read. What cannot be understood holds no results.
pub fn late_results(store: &dyn ReadStore, content: Content) -> Result<Option<LateResults>, RootError> {
    if content != Content::Records(Database::State) {
        return Ok(None);
    }
    let get = |record: StateRecord| store.get(record.key().as_bytes());
    let (Some(last), Some(state)) = (get(StateRecord::LastAbciResponse)?, get(StateRecord::State)?) else {
        return Ok(None);
    };
    let (Ok((height, Some(response))), Ok(state)) = (dialect::split_last_response(&last), State::decode(&state)) else {
        return Ok(None);
    };
    if height < state.last_block_height {
        return Ok(None);
    }
    for layout in Layout::ALL {
        let mut key = Vec::new();
        StateKey::AbciResponses { height }.encode(layout, &mut key);
        if store.get(&key)?.is_some() {
            return Ok(None);
        }
    }
    let mut canonical = Vec::new();
    let value = match dialect::canonical(Kind::AbciResponses, response, &mut canonical) {
        Ok(Change::Rewritten) => canonical.as_slice(),
        Ok(Change::None) | Err(_) => response,
    };
    Ok(Some(LateResults(height, leaf::record(&height.to_be_bytes(), value, &mut Vec::new()))))
}

impl Assembly {
    /// Begins a database. `late`: what [`late_results`] found in it.
    #[must_use]
    pub fn new(late: Option<LateResults>) -> Self {
        let late = late.map(|LateResults(height, leaf)| {
            let lanes = Lanes::new(RecordKind::Results, Some((height, leaf)));
            ((SHARED, RecordKind::Results), lanes)
        });
        Self {
            by_height: late.into_iter().collect(),
            in_order: BTreeMap::new(),
            layouts: [None, None],
            unclear: Vec::new(),
            unclear_total: 0,
        }
    }

    /// Takes the piece that follows the one before.
    ///
    /// # Errors
    /// When it does not follow, or has keys of another layout.
    pub fn take(&mut self, piece: Piece) -> Result<(), RootError> {
        for (own, seen) in self.layouts.iter_mut().zip(piece.layouts) {
            *own = own.take().or(seen);
        }
        if let [Some(first), Some(second)] = &self.layouts {
            let shown = |key: &[u8]| key.escape_ascii().take(100).map(char::from).collect();
            return Err(RootError::BothLayouts { first: shown(first), second: shown(second) });
        }
        let free = UNCLEAR_KEPT.saturating_sub(self.unclear.len());
        self.unclear.extend(piece.unclear.into_iter().take(free));
        self.unclear_total += piece.unclear_total;
        piece.leaves.iter().try_for_each(|leaf| self.add(leaf))
    }

    fn add(&mut self, leaf: &Leaf) -> Result<(), RootError> {
        let tree = (leaf.is_own, leaf.kind);
        let mut in_order = |segment: fn(u64, u16) -> u64, prefix| {
            let run = self.in_order.entry(tree).or_default();
            let segment = segment(run.records, prefix);
            run.records += 1;
            run.segments.push(&mut run.open, segment, leaf.hash).map_err(|error| error.at(leaf.kind, 0))
        };
        match leaf.place {
            Place::Height { height, number } => {
                let lanes = self.by_height.entry(tree).or_insert_with(|| Lanes::new(leaf.kind, None));
                lanes.add(height, number, leaf.hash)
            }
            Place::Hash(prefix) => in_order(|_, prefix| prefix.into(), prefix),
            Place::Row => in_order(|records, _| records / ROWS_OF_A_SEGMENT, 0),
        }
    }

    /// The roots.
    ///
    /// # Errors
    /// When records came in an order that no layout has.
    pub fn finish(self) -> Result<DatabaseRoot, RootError> {
        let mut trees = BTreeMap::new();
        for ((is_own, kind), lanes) in self.by_height {
            trees.insert((is_own, kind), lanes.finish()?);
        }
        for ((is_own, kind), mut run) in self.in_order {
            run.segments.close(&mut run.open).map_err(|error| error.at(kind, 0))?;
            trees.insert((is_own, kind), run.segments);
        }
        let side = |wanted: bool| {
            let trees = trees.iter().filter(|((is_own, _), _)| *is_own == wanted);
            Side::of_kinds(trees.filter_map(|((_, kind), segments)| segments.root(*kind)).collect())
        };
        let (shared, own) = (side(SHARED), side(OWN));
        Ok(DatabaseRoot { shared, own, unclear: self.unclear, unclear_total: self.unclear_total })
    }
}

impl Side {
    fn of_kinds(kinds: Vec<KindRoot>) -> Self {
        let mut frontier = Frontier::new();
        kinds.iter().for_each(|kind| frontier.push(leaf::kind(kind.kind.name(), kind.records, &kind.root)));
        Self { records: kinds.iter().map(|kind| kind.records).sum(), root: frontier.root(), kinds }
    }
}

/// One side of a home: the root over its databases, which are given with their names, in any order.
#[must_use]
pub fn home_side<'a>(databases: impl IntoIterator<Item = (&'a str, &'a Side)>) -> Side {
    let mut databases: Vec<_> = databases.into_iter().filter(|(_, side)| side.records > 0).collect();
    databases.sort_unstable_by_key(|(name, _)| *name);
    let mut frontier = Frontier::new();
    databases.iter().for_each(|(name, side)| frontier.push(leaf::database(name, side.records, &side.root)));
    let records = databases.iter().map(|(_, side)| side.records).sum();
    Side { records, root: frontier.root(), kinds: Vec::new() }
}
