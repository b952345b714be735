//! Segments of a kind: each hashed from its records as they come, in ascending order, then all of them to one root.

use std::collections::BTreeMap;

use proofs::merkle::{Frontier, Hash};

use super::error::RootError;
use super::kind::RecordKind;
use super::leaf;

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
}

/// The finished segments of a kind, by number: how many records, and the root.
#[derive(Default)]
pub(super) struct Segments {
    done: BTreeMap<u64, (u64, Hash)>,
}

impl Segments {
    /// Adds a record to segment `number`; a segment that `open` has left is finished.
    pub(super) fn push(&mut self, open: &mut Open, number: u64, leaf: Hash) -> Result<(), OutOfOrder> {
        if open.number != number {
            self.close(open)?;
            if number < open.number {
                return Err(OutOfOrder);
            }
            open.number = number;
        }
        open.frontier.push(leaf);
        Ok(())
    }

    /// Finishes a segment.
    pub(super) fn close(&mut self, open: &mut Open) -> Result<(), OutOfOrder> {
        let frontier = std::mem::take(&mut open.frontier);
        if frontier.size() == 0 {
            return Ok(());
        }
        match self.done.insert(open.number, (frontier.size(), frontier.root())) {
            None => Ok(()),
            Some(_) => Err(OutOfOrder),
        }
    }

    /// The root over all segments; `None` without any record.
    pub(super) fn root(&self, kind: RecordKind) -> Option<KindRoot> {
        let mut frontier = Frontier::new();
        for (number, (records, root)) in &self.done {
            frontier.push(leaf::segment(*number, *records, root));
        }
        let records = self.done.values().map(|(records, _)| records).sum();
        (records > 0).then(|| KindRoot { kind, records, root: frontier.root() })
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
