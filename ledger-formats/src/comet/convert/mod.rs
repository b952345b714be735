//! A store read as if another release, or another layout, had written it: the source of a copy that converts.
//!
//! [`ConvertedStore`] wraps a store and is one: scans, point reads and split points speak of the keys and values of the
//! *target*, in the target's key order, cut into ranges of target keys like any other store. Nothing is sorted and
//! nothing but a block of more than one part is held: see [`lane`](self) for why that is possible.
//!
//! | record | to v0.38, v0.40 | to v1.0 | layout only |
//! |---|---|---|---|
//! | validators, parameters, results, state, pending evidence | converted | converted | as they are |
//! | `version` | dropped | the layout | the layout |
//! | `genesisDoc` | as it is | dropped: v1.0 deletes it at every start | as it is |
//! | `genesisDocHash`, retain heights of v1.0 | dropped | as they are | as they are |
//! | number of light blocks | as it is | as it is | respelled: one for each chain, or one for all |
//! | `lastABCIResponseKey` | made from the results of the last block | dropped; results that only it has are kept | as it is |
//! | everything else, unknown keys too | as it is | as it is | as it is |
//!
//! # Correctness
//! It never changes its source. What cannot be said in the target is an error that names the record
//! ([`StoreError::Refused`]), never a guess; [`survey()`] finds all such records before anything is written.

mod cursor;
mod group;
mod judge;
mod lane;
mod made;
mod rules;
mod survey;

pub use rules::rule;
pub use survey::{ClassCount, Fate, Refused, Survey, survey};

use super::class::Database;
use super::dialect::Target;
use super::key::{ChainName, Layout};
use super::layout::{self, RecordKey, describe};
use crate::store::{Cursor, KeyRange, Location, ReadStore, StoreError, StoreStats};
use cursor::ConvertedCursor;
use serde::{Deserialize, Serialize};

/// Zeros that make a shortened key whole: the digits of a hash in hex are the longest.
const PADDING_MAX: usize = 64;

/// What a store becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// The layout that its keys have.
    pub from: Layout,
    /// The layout that they get.
    pub to: Layout,
    /// The dialect that its values get; `None` to leave them as they are.
    pub dialect: Option<Target>,
}

/// A store as its conversion will be.
pub struct ConvertedStore<'a> {
    view: View<'a>,
}

/// What the parts of a conversion share.
struct View<'a> {
    source: Box<dyn ReadStore + 'a>,
    database: Database,
    conversion: Conversion,
    /// Rows that the source does not have, by target key.
    made: Vec<(Vec<u8>, Vec<u8>)>,
    /// Digits of the greatest height that the store can hold by what it says of itself.
    digits: u32,
    /// The chain of a light client whose keys change their spelling.
    chain: Option<ChainName>,
}

impl<'a> ConvertedStore<'a> {
    /// Wraps a store whose keys have the layout `conversion.from`.
    ///
    /// # Errors
    /// When the records that some rows are made from cannot be read or understood.
    pub fn new(
        source: Box<dyn ReadStore + 'a>,
        database: Database,
        conversion: Conversion,
    ) -> Result<Self, StoreError> {
        let digits = made::digits(source.as_ref(), database)?;
        let chain = made::chain(source.as_ref(), database, conversion)?;
        let made = made::rows(source.as_ref(), database, conversion)?;
        Ok(Self { view: View { source, database, conversion, made, digits, chain } })
    }
}

impl ReadStore for ConvertedStore<'_> {
    fn scan(&self, range: &KeyRange) -> Result<Box<dyn Cursor + Send + '_>, StoreError> {
        Ok(Box::new(ConvertedCursor::new(&self.view, range)))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(value) = self.view.made(key) {
            return Ok(Some(value.to_vec()));
        }
        let view = &self.view;
        let source_key = view.source_key(key);
        let kind = super::class::class(view.database, &source_key).kind;
        if rules::is_dropped(kind, view.conversion) {
            return Ok(None);
        }
        let Some(mut value) = view.source.get(&source_key)? else { return Ok(None) };
        view.convert_value(kind, &source_key, &mut value, &mut Vec::new())?;
        Ok(Some(value))
    }

    /// Where the row of the source lies that the value is made from; of a row that is made anew, where its source is.
    fn locate(&self, key: &[u8]) -> Result<Option<Location>, StoreError> {
        if self.get(key)?.is_none() { Ok(None) } else { self.view.source.locate(&self.view.source_key(key)) }
    }

    /// The source's points in the target's spelling. Pieces are of like size only roughly.
    fn split_points(&self, bytes: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let Conversion { from, to, .. } = self.view.conversion;
        let points = self.view.source.split_points(bytes)?;
        if from == to {
            return Ok(points);
        }
        let mut points: Vec<Vec<u8>> = points.iter().filter_map(|point| self.view.respelled_point(point)).collect();
        points.sort_unstable();
        points.dedup();
        Ok(points)
    }

    fn stats(&self) -> StoreStats {
        self.view.source.stats()
    }

    fn remarks(&self) -> Vec<String> {
        self.view.source.remarks()
    }
}

impl View<'_> {
    fn changes_layout(&self) -> bool {
        self.conversion.from != self.conversion.to
    }

    /// The key that the source has for a key of the target.
    fn source_key(&self, key: &[u8]) -> Vec<u8> {
        let mut source_key = Vec::with_capacity(key.len());
        match RecordKey::decode(self.database, self.conversion.to, key) {
            Some(record) => record.encode(self.conversion.from, &mut source_key),
            None => source_key.extend_from_slice(key),
        }
        source_key
    }

    /// The value of a row that is made.
    fn made(&self, key: &[u8]) -> Option<&[u8]> {
        let at = self.made.binary_search_by(|(made, _)| made.as_slice().cmp(key)).ok()?;
        self.made.get(at).map(|(_, value)| value.as_slice())
    }

    /// Converts a value in place. `spare` is a buffer that is used again and again.
    fn convert_value(
        &self,
        kind: super::class::Kind,
        source_key: &[u8],
        value: &mut Vec<u8>,
        spare: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let Some(to) = self.conversion.dialect else { return Ok(()) };
        match super::dialect::convert(kind, value, to, spare) {
            Ok(super::dialect::Change::None) => Ok(()),
            Ok(super::dialect::Change::Rewritten) => {
                std::mem::swap(value, spare);
                Ok(())
            }
            Err(error) => Err(self.refused(source_key, error.to_string())),
        }
    }

    fn refused(&self, source_key: &[u8], reason: String) -> StoreError {
        StoreError::Refused {
            database: self.database.name().to_owned(),
            record: describe(self.database, source_key),
            reason,
        }
    }

    /// A point between source keys as one between target keys: whole keys, or keys cut short, as engines' indexes
    /// have them.
    fn respelled_point(&self, point: &[u8]) -> Option<Vec<u8>> {
        let Conversion { from, to, .. } = self.conversion;
        let mut out = Vec::with_capacity(point.len() + 8);
        let mut padded = point.to_vec();
        for _ in 0..=PADDING_MAX {
            let as_part = [padded.as_slice(), b":0"].concat();
            let key = RecordKey::decode(self.database, from, &padded);
            if let Some(key) = key.or_else(|| RecordKey::decode(self.database, from, &as_part)) {
                key.encode(to, &mut out);
                return Some(out);
            }
            padded.push(if from == Layout::V1 { b'0' } else { 0 });
        }
        None
    }

    /// Digits of the heights for which there are lanes.
    fn lane_digits(&self) -> u32 {
        match self.conversion.from {
            Layout::V1 => self.digits,
            // Stretches of digits that no height has are empty and cost nothing.
            Layout::V2 => layout::digits::DIGITS_MAX,
        }
    }
}
