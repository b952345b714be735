//! The scan of a converted store: lanes and made rows, merged by target key.

use super::View;
use super::judge::Walk;
use super::lane::Lane;
use crate::comet::layout::{chain, families};
use crate::store::{Cursor, Entry, KeyRange, StoreError};

/// A scan over a range of target keys.
pub(super) struct ConvertedCursor<'a> {
    /// Lanes that have a row at hand.
    ready: Vec<Lane<'a>>,
    /// Lanes that must move before the next row is known.
    waiting: Vec<Lane<'a>>,
    /// Made rows that are left.
    made: &'a [(Vec<u8>, Vec<u8>)],
    /// The lane whose row was lent last.
    lent: Option<usize>,
    /// Set by an error behind which the scan cannot go on.
    is_broken: bool,
    view: &'a View<'a>,
}

impl<'a> ConvertedCursor<'a> {
    pub(super) fn new(view: &'a View<'a>, range: &KeyRange) -> Self {
        let from = view.made.partition_point(|(key, _)| *key < range.start);
        let to = view.made.partition_point(|(key, _)| range.end.as_ref().is_none_or(|end| key < end));
        let waiting = if view.changes_layout() { lanes(view, range) } else { vec![all(view, range)] };
        Self {
            ready: Vec::new(),
            waiting,
            made: view.made.get(from..to.max(from)).unwrap_or_default(),
            lent: None,
            is_broken: false,
            view,
        }
    }

    /// The lane with the least key.
    fn least(&self) -> Option<usize> {
        (0..self.ready.len()).min_by(|a, b| self.ready[*a].key.cmp(&self.ready[*b].key))
    }
}

impl Cursor for ConvertedCursor<'_> {
    fn next(&mut self) -> Result<Option<Entry<'_>>, StoreError> {
        if self.is_broken {
            return Err(self.view.refused(b"", "an error before ended this scan".to_owned()));
        }
        if let Some(lent) = self.lent.take() {
            self.waiting.push(self.ready.swap_remove(lent));
        }
        while let Some(mut lane) = self.waiting.pop() {
            match lane.advance() {
                Ok(true) => self.ready.push(lane),
                Ok(false) => {}
                Err(error) => {
                    self.waiting.push(lane);
                    self.is_broken = !matches!(&error, StoreError::Corrupt(damage) if damage.range.is_some());
                    return Err(error);
                }
            }
        }
        let least = self.least();
        let made = self.made;
        if let Some(((key, value), rest)) = made.split_first()
            && least.is_none_or(|at| *key < self.ready[at].key)
        {
            self.made = rest;
            return Ok(Some((key, value)));
        }
        self.lent = least;
        Ok(least.map(|at| (self.ready[at].key.as_slice(), self.ready[at].value.as_slice())))
    }
}

/// The one lane of a store whose keys keep their spelling.
fn all<'a>(view: &'a View<'a>, range: &KeyRange) -> Lane<'a> {
    Lane::new(view, Walk::Plain, vec![range.clone()], range.clone())
}

/// The lanes of a store whose keys are spelled anew, as far as they have keys in `range`.
fn lanes<'a>(view: &'a View<'a>, range: &KeyRange) -> Vec<Lane<'a>> {
    let from = view.conversion.from;
    let mut lanes = Vec::new();
    if let Some(chain) = view.chain {
        lanes.push(Lane::new(view, Walk::Chain(chain), vec![chain::stretch(chain, from)], range.clone()));
    }
    for family in families(view.database) {
        let lane = |digits, stretch| Lane::new(view, Walk::Family { family, digits }, vec![stretch], range.clone());
        if !family.decimal {
            if overlap(&family.stretch(view.conversion.to), range) {
                lanes.push(lane(None, family.stretch(from)));
            }
            continue;
        }
        for digits in 1..=view.lane_digits() {
            if let Some(stretch) = family.lane(from, digits, range) {
                lanes.push(lane(Some(digits), stretch));
            }
        }
    }
    lanes.push(Lane::new(view, Walk::Plain, between(view, range), range.clone()));
    lanes
}

fn overlap(a: &KeyRange, b: &KeyRange) -> bool {
    a.end.as_ref().is_none_or(|end| *end > b.start) && b.end.as_ref().is_none_or(|end| *end > a.start)
}

/// The source keys in `range` that are in the stretch of no family: they are target keys too.
fn between(view: &View<'_>, range: &KeyRange) -> Vec<KeyRange> {
    let from = view.conversion.from;
    let mut stretches: Vec<KeyRange> = families(view.database).iter().map(|family| family.stretch(from)).collect();
    stretches.extend(view.chain.map(|chain| chain::stretch(chain, from)));
    stretches.sort_unstable_by(|a, b| a.start.cmp(&b.start));
    let mut between = Vec::new();
    let mut start = Some(range.start.clone());
    for stretch in stretches {
        let Some(from) = start.take() else { break };
        if from < stretch.start {
            between.push(KeyRange { start: from.clone(), end: Some(stretch.start) });
        }
        start = stretch.end.map(|end| end.max(from));
    }
    between.extend(start.map(|start| KeyRange { start, end: None }));
    // Each is cut off at the end of the range.
    between
        .into_iter()
        .filter_map(|piece| {
            let end = match (piece.end, &range.end) {
                (Some(own), Some(end)) => Some(own.min(end.clone())),
                (own, end) => own.or_else(|| end.clone()),
            };
            end.as_ref().is_none_or(|end| piece.start < *end).then_some(KeyRange { start: piece.start, end })
        })
        .collect()
}
