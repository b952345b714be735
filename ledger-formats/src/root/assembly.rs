//! Leaves to roots: pieces of a database in the order of their keys, to the roots of its kinds and its own.

use std::collections::{BTreeMap, BTreeSet};

use proofs::merkle::{EMPTY_ROOT, Frontier, Hash, MemoryTree, inclusion_path};

use super::error::RootError;
use super::kind::{Content, RecordKind};
use super::lanes::Lanes;
use super::leaf;
use super::proof::{RecordProof, Rung};
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
    /// The proofs of the records that were watched and are there.
    pub proofs: Vec<RecordProof>,
}

/// One leaf of a database, to be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeafId {
    /// Its kind.
    pub kind: RecordKind,
    /// Whether it is under the own root.
    pub is_own: bool,
    /// Its hash.
    pub hash: Hash,
}

/// Takes the pieces of a database.
pub struct Assembly {
    /// Leaves whose proofs are wanted, by side and kind.
    watched: BTreeMap<(bool, RecordKind), BTreeSet<Hash>>,
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
        Self::watching(late, [])
    }

    /// Begins a database whose roots will come with the proofs of `leaves`.
    #[must_use]
    pub fn watching(late: Option<LateResults>, leaves: impl IntoIterator<Item = LeafId>) -> Self {
        let mut watched: BTreeMap<_, BTreeSet<Hash>> = BTreeMap::new();
        for LeafId { kind, is_own, hash } in leaves {
            watched.entry((is_own, kind)).or_default().insert(hash);
        }
        let late = late.map(|LateResults(height, leaf)| {
            let tree = (SHARED, RecordKind::Results);
            let segments = Segments::watching(watched.get(&tree).cloned().unwrap_or_default());
            (tree, Lanes::new(RecordKind::Results, segments, Some((height, leaf))))
        });
        Self {
            watched,
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
        let segments = || Segments::watching(self.watched.get(&tree).cloned().unwrap_or_default());
        let mut in_order = |segment: fn(u64, u16) -> u64, prefix| {
            let run = self.in_order.entry(tree).or_insert_with(|| Run { segments: segments(), ..Run::default() });
            let segment = segment(run.records, prefix);
            run.records += 1;
            run.segments.push(&mut run.open, segment, leaf.hash).map_err(|error| error.at(leaf.kind, 0))
        };
        match leaf.place {
            Place::Height { height, number } => {
                let lanes = self.by_height.entry(tree).or_insert_with(|| Lanes::new(leaf.kind, segments(), None));
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
        let mut proofs = Vec::new();
        for ((is_own, kind), segments) in &trees {
            let side = if *is_own { &own } else { &shared };
            let paths = segments.proofs().into_iter();
            proofs.extend(paths.filter_map(|path| side.proof(*kind, *is_own, path)));
        }
        Ok(DatabaseRoot { shared, own, unclear: self.unclear, unclear_total: self.unclear_total, proofs })
    }
}

impl Side {
    fn of_kinds(kinds: Vec<KindRoot>) -> Self {
        let mut side = Self { records: kinds.iter().map(|kind| kind.records).sum(), root: EMPTY_ROOT, kinds };
        side.root = side.tree().root();
        side
    }

    /// The tree over the kinds.
    fn tree(&self) -> MemoryTree {
        self.kinds.iter().map(|kind| leaf::kind(kind.kind.name(), kind.records, &kind.root)).collect()
    }

    /// The proof of a record of a kind of this side, from the paths below: see [`Segments::proofs`].
    fn proof(&self, kind: RecordKind, is_own: bool, below: (u64, Rung, Rung)) -> Option<RecordProof> {
        let (segment_number, segment_rung, kind_rung) = below;
        let index = self.kinds.iter().position(|own| own.kind == kind)?;
        let of_kind = self.kinds.get(index)?;
        let (tree, index) = (self.tree(), index as u64);
        let Ok(path) = inclusion_path(index, tree.size(), &tree);
        let leaf = leaf::kind(kind.name(), of_kind.records, &of_kind.root);
        let database_rung = Rung { index, total: tree.size(), leaf, path, root: self.root };
        let kind_records = of_kind.records;
        Some(RecordProof { kind, is_own, segment_number, kind_records, segment_rung, kind_rung, database_rung })
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
