//! Segments of a kind: each hashed from its records as they come, in ascending order, then all of them to one root.
//!
//! A record that is watched has its path kept: its segment is then held as a tree, 64 bytes a record.

use std::collections::{BTreeMap, BTreeSet};

use proofs::merkle::{Frontier, Hash, MemoryTree, inclusion_path};

use super::error::RootError;
use super::kind::RecordKind;
use super::leaf;
use super::proof::Rung;

/// The root of all records of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindRoot {
    /// The kind.
    pub kind: RecordKind,
    /// How many records.
    pub records: u64,
    /// The root over its segments.
    pub root: Hash,
}

/// The segment that records are being added to.
#[derive(Default)]
pub(super) struct Open {
    number: u64,
    frontier: Frontier,
    /// Where records are watched.
    tree: MemoryTree,
    /// Watched records: leaf and place.
    seen: Vec<(Hash, u64)>,
}

/// The finished segments of a kind, by number: how many records, and the root.
#[derive(Default)]
pub(super) struct Segments {
    done: BTreeMap<u64, (u64, Hash)>,
    watched: BTreeSet<Hash>,
    /// Watched records: number of the segment, and the path to its root.
    found: Vec<(u64, Rung)>,
}

impl Segments {
    /// Segments that keep the paths of these leaves.
    pub(super) fn watching(watched: BTreeSet<Hash>) -> Self {
        Self { watched, ..Self::default() }
    }

    /// Adds a record to segment `number`; a segment that `open` has left is finished.
    pub(super) fn push(&mut self, open: &mut Open, number: u64, leaf: Hash) -> Result<(), OutOfOrder> {
        if open.number != number {
            self.close(open)?;
            if number < open.number {
                return Err(OutOfOrder);
            }
            open.number = number;
        }
        if !self.watched.is_empty() {
            if self.watched.contains(&leaf) {
                open.seen.push((leaf, open.frontier.size()));
            }
            open.tree.push(leaf);
        }
        open.frontier.push(leaf);
        Ok(())
    }

    /// Finishes a segment.
    pub(super) fn close(&mut self, open: &mut Open) -> Result<(), OutOfOrder> {
        let Open { number, frontier, tree, seen } = std::mem::take(open);
        open.number = number;
        let (total, root) = (frontier.size(), frontier.root());
        if total == 0 {
            return Ok(());
        }
        for (leaf, index) in seen {
            let Ok(path) = inclusion_path(index, total, &tree);
            self.found.push((number, Rung { index, total, leaf, path, root }));
        }
        match self.done.insert(number, (total, root)) {
            None => Ok(()),
            Some(_) => Err(OutOfOrder),
        }
    }

    /// The root over all segments; `None` without any record.
    pub(super) fn root(&self, kind: RecordKind) -> Option<KindRoot> {
        let mut frontier = Frontier::new();
        self.leaves().for_each(|leaf| frontier.push(leaf));
        let records = self.records();
        (records > 0).then(|| KindRoot { kind, records, root: frontier.root() })
    }

    /// Records in all segments.
    pub(super) fn records(&self) -> u64 {
        self.done.values().map(|(records, _)| records).sum()
    }

    /// The watched records: number of the segment, path to its root, path from there to the kind's.
    pub(super) fn proofs(&self) -> Vec<(u64, Rung, Rung)> {
        if self.found.is_empty() {
            return Vec::new();
        }
        let tree: MemoryTree = self.leaves().collect();
        let (total, root) = (tree.size(), tree.root());
        let above = |number: u64| {
            let index = self.done.range(..number).count() as u64;
            let Ok(path) = inclusion_path(index, total, &tree);
            let (records, segment) = self.done.get(&number)?;
            Some(Rung { index, total, leaf: leaf::segment(number, *records, segment), path, root })
        };
        self.found.iter().filter_map(|(number, rung)| Some((*number, rung.clone(), above(*number)?))).collect()
    }

    fn leaves(&self) -> impl Iterator<Item = Hash> {
        self.done.iter().map(|(number, (records, root))| leaf::segment(*number, *records, root))
    }
}

/// A record of a segment that is finished already.
#[derive(Debug)]
pub(super) struct OutOfOrder;

impl OutOfOrder {
    pub(super) fn at(self, kind: RecordKind, height: u64) -> RootError {
        RootError::Disorder { kind: kind.name(), height }
    }
}
