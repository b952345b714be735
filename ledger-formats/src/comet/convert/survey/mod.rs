//! What a conversion will do with every kind of record, and what it must refuse: found by reading, before anything is
//! written.
//!
//! Where keys change their spelling every row is read and counted, so that the copy can be held against the count.
//! Where only values change, the parts of blocks, which are most of a store, are not read: they stay as they are.
//! The store is read in pieces side by side; what is found is put together in the order of the keys.

mod attack;
mod bases;
mod walk;

use rayon::prelude::*;

use super::{Conversion, made};
use crate::comet::class::{Database, Kind, class};
use crate::comet::key::{BlockKey, Layout};
use crate::comet::layout::digits::DIGITS_MAX;
use crate::comet::layout::families;
use crate::store::{KeyRange, ReadStore, StoreError};
use walk::Walk;

/// Refusals that are kept with their words; all are counted.
pub const REFUSED_KEPT: usize = 20;
/// On-disk bytes of a piece: large enough for long reads, small enough to keep all threads busy.
const PIECE_BYTES: u64 = 16 << 20;

/// What happens to records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// Key and value stay.
    Copied,
    /// The key is spelled anew, the value stays.
    Respelled,
    /// The value is encoded anew; the key too, where the layout changes.
    Rewritten,
    /// Made anew from other records.
    Rebuilt,
    /// Left out by a rule.
    Dropped,
    /// Of no known kind: copied as it is.
    Unknown,
}

impl Fate {
    /// The fate in a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Respelled => "key respelled",
            Self::Rewritten => "rewritten",
            Self::Rebuilt => "rebuilt",
            Self::Dropped => "dropped by rule",
            Self::Unknown => "unknown, copied",
        }
    }
}

/// How many records of a class share a fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassCount {
    /// The class, as counts name it.
    pub class: &'static str,
    /// What happens to them.
    pub fate: Fate,
    /// How many; `None` where they were not counted.
    pub keys: Option<u64>,
    /// Why, where a rule says so.
    pub reason: Option<&'static str>,
}

/// A record that the conversion cannot carry over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The database.
    pub database: &'static str,
    /// The record in words: its height and key.
    pub record: String,
    /// Why not, with the field.
    pub reason: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}: {}", self.database, self.record, self.reason)
    }
}

/// What a conversion will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// By class and fate.
    pub classes: Vec<ClassCount>,
    /// Rows that the target will have, where all were counted.
    pub rows_after: Option<u64>,
    /// The first refusals.
    pub refused: Vec<Refused>,
    /// The number of refusals.
    pub refused_total: u64,
    /// What the target cannot say and does not need: a line each.
    pub losses: Vec<String>,
    /// What is odd and stays as it is: a line each.
    pub remarks: Vec<String>,
}

/// Reads a store and says what the conversion will do with it.
///
/// # Errors
/// When the store cannot be read. What cannot be converted is no error, but in the survey.
pub fn survey(source: &dyn ReadStore, database: Database, conversion: Conversion) -> Result<Survey, StoreError> {
    let stretch = if conversion.from == conversion.to { parts_of_blocks(database, conversion.from) } else { None };
    let (digits, refused) = match made::digits(source, database) {
        Ok(digits) => (digits, None),
        Err(StoreError::Refused { record, reason, .. }) => (DIGITS_MAX, Some((record, reason))),
        Err(error) => return Err(error),
    };
    let points = source.split_points(PIECE_BYTES)?;
    let chain = made::chain(source, database, conversion)?;
    let walked = pieces(stretch.as_ref(), &points)
        .into_par_iter()
        .map(|piece| Walk::new(source, database, conversion, digits, chain).over(&piece))
        .collect::<Result<Vec<_>, _>>()?;
    let mut whole = Walk::new(source, database, conversion, digits, chain);
    walked.into_iter().for_each(|piece| whole.append(piece));
    if let Some((record, reason)) = refused {
        whole.refuse_record(record, reason);
    }
    if let Some(stretch) = &stretch
        && source.scan(stretch)?.next()?.is_some()
    {
        let mut key = Vec::new();
        BlockKey::Part { height: 1, part: 0 }.encode(conversion.from, &mut key);
        whole.leave_uncounted(class(database, &key).name());
    }
    match made::rows(source, database, conversion) {
        Ok(rows) => rows.iter().for_each(|(key, _)| whole.make(key)),
        Err(StoreError::Refused { record, reason, .. }) => whole.refuse_record(record, reason),
        Err(error) => return Err(error),
    }
    Ok(whole.finish(stretch.is_none()))
}

/// The keys that need not be read where only values change.
fn parts_of_blocks(database: Database, layout: Layout) -> Option<KeyRange> {
    let parts = families(database).iter().find(|family| family.kind == Kind::BlockPart);
    parts.map(|family| family.stretch(layout))
}

/// The whole key space without a stretch of it, cut at the points, which ascend.
fn pieces(without: Option<&KeyRange>, points: &[Vec<u8>]) -> Vec<KeyRange> {
    let sides = match without {
        None => vec![KeyRange::all()],
        Some(stretch) => vec![
            KeyRange { start: Vec::new(), end: Some(stretch.start.clone()) },
            KeyRange { start: stretch.end.clone().unwrap_or_default(), end: None },
        ],
    };
    let mut pieces = Vec::with_capacity(points.len() + sides.len());
    for KeyRange { mut start, end } in sides {
        for point in points {
            if *point > start && end.as_ref().is_none_or(|end| point < end) {
                pieces.push(KeyRange { start: std::mem::replace(&mut start, point.clone()), end: Some(point.clone()) });
            }
        }
        pieces.push(KeyRange { start, end });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: &[u8], end: Option<&[u8]>) -> KeyRange {
        KeyRange { start: start.to_vec(), end: end.map(<[u8]>::to_vec) }
    }

    #[test]
    fn pieces_leave_nothing_out_but_the_stretch() {
        let points = [b"A".to_vec(), b"P:1".to_vec(), b"P;".to_vec(), b"Z".to_vec()];
        let stretch = range(b"P:", Some(b"P;"));
        let expected = [range(b"", Some(b"A")), range(b"A", Some(b"P:")), range(b"P;", Some(b"Z")), range(b"Z", None)];
        assert_eq!(pieces(Some(&stretch), &points), expected);
        assert_eq!(pieces(None, &[]), [KeyRange::all()]);
        assert_eq!(pieces(None, &points).len(), 5);
        assert_eq!(pieces(Some(&stretch), &[]), [range(b"", Some(b"P:")), range(b"P;", None)]);
    }
}
