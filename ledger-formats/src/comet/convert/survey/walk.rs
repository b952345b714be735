//! The reading of one piece of a store for a survey.

use std::collections::BTreeMap;

use super::super::judge::{NEARLY, OTHER_CHAIN};
use super::super::rules;
use super::attack::attack_in_block;
use super::bases::Bases;
use super::{ClassCount, Conversion, Fate, REFUSED_KEPT, Refused, Survey};
use crate::comet::class::{Class, Database, Kind, class};
use crate::comet::dialect::{self, Change, Target};
use crate::comet::key::{ChainName, Layout, StateRecord};
use crate::comet::layout::{RecordKey, chain, describe, digits, family_of};
use crate::comet::wire::Decode;
use crate::comet::{ConsensusParamsInfo, DecodeError, Evidence, LightBlock, Results, State, ValidatorsInfo};
use crate::store::{KeyRange, ReadStore, StoreError};

/// By class and fate: how many keys, where they were counted, and why that fate.
type Counts = BTreeMap<(&'static str, Fate), (Option<u64>, Option<&'static str>)>;

/// Reads stretches of a store and counts what becomes of their rows.
pub(super) struct Walk<'a> {
    source: &'a dyn ReadStore,
    database: Database,
    conversion: Conversion,
    /// Digits of the greatest height that the store can hold by what it says of itself.
    digits: u32,
    /// The chain of a light client whose keys change their spelling.
    chain: Option<ChainName>,
    counts: Counts,
    bases: Bases,
    survey: Survey,
    rows: u64,
    spare: Vec<u8>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        source: &'a dyn ReadStore,
        database: Database,
        conversion: Conversion,
        digits: u32,
        chain: Option<ChainName>,
    ) -> Self {
        Self {
            source,
            database,
            conversion,
            digits,
            chain,
            counts: BTreeMap::new(),
            bases: Bases::default(),
            survey: Survey::default(),
            rows: 0,
            spare: Vec::new(),
        }
    }

    /// Reads a stretch.
    pub(super) fn over(mut self, range: &KeyRange) -> Result<Self, StoreError> {
        let mut cursor = self.source.scan(range)?;
        while let Some((key, value)) = cursor.next()? {
            self.row(key, value)?;
        }
        drop(cursor);
        Ok(self)
    }

    /// Takes over what was found in the stretch behind.
    pub(super) fn append(&mut self, next: Self) {
        for (place, (keys, reason)) in next.counts {
            let (own, _) = self.counts.entry(place).or_insert((Some(0), reason));
            *own = own.zip(keys).map(|(own, more)| own + more);
        }
        self.rows += next.rows;
        self.survey.refused_total += next.survey.refused_total;
        self.survey.refused.extend(next.survey.refused);
        self.survey.refused.truncate(REFUSED_KEPT);
        next.survey.losses.into_iter().for_each(|line| self.lose(line));
        self.bases.append(next.bases);
    }

    /// Notes records that stay and were not counted.
    pub(super) fn leave_uncounted(&mut self, class: &'static str) {
        self.counts.insert((class, Fate::Copied), (None, None));
    }

    /// Notes a row that is made.
    pub(super) fn make(&mut self, key: &[u8]) {
        self.rows += 1;
        self.count(class(self.database, key).name(), Fate::Rebuilt, None);
    }

    fn row(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let Conversion { from, to, dialect } = self.conversion;
        let class = class(self.database, key);
        if let Some(reason) = self.misspelled(class, key) {
            self.refuse(key, reason.to_owned());
            return Ok(());
        }
        if let Some(reason) = rules::rule(class.kind, self.conversion) {
            self.count(class.name(), Fate::Dropped, Some(reason));
            return Ok(());
        }
        self.rows += 1;
        if class.kind == Kind::Unknown {
            self.count(class.name(), Fate::Unknown, None);
            return Ok(());
        }
        let mut fate = if class.layout.is_some() && from != to { Fate::Respelled } else { Fate::Copied };
        if let Some(dialect) = dialect {
            match self.value(class.kind, key, value, dialect)? {
                Ok(Change::None) => {}
                Ok(Change::Rewritten) => fate = Fate::Rewritten,
                Err(reason) => self.refuse(key, reason),
            }
        }
        self.count(class.name(), fate, None);
        Ok(())
    }

    /// Why a key is none that this conversion can place.
    fn misspelled(&self, class: Class, key: &[u8]) -> Option<&'static str> {
        let Conversion { from, to, .. } = self.conversion;
        if class.layout.is_some_and(|layout| layout != from) {
            return Some("its key has another layout than the other keys of this store");
        }
        if from == to {
            return None;
        }
        if class.kind == Kind::LightBlock && chain::of(from, key) != self.chain {
            return Some(OTHER_CHAIN);
        }
        if class.kind == Kind::Unknown {
            let is_in_stretch = family_of(self.database, from, key).is_some()
                || self.chain.is_some_and(|chain| chain::stretch(chain, from).contains(key));
            return is_in_stretch.then_some(NEARLY);
        }
        // Heights of layout v1 are walked by their number of digits, up to that of the last one.
        let height = RecordKey::decode(self.database, from, key).and_then(|key| key.height());
        let is_far = from == Layout::V1 && height.is_some_and(|height| digits::digits(height) > self.digits);
        is_far.then_some("its height is far above the last height of the store")
    }

    /// Converts a value on trial.
    fn value(
        &mut self,
        kind: Kind,
        key: &[u8],
        value: &[u8],
        to: Target,
    ) -> Result<Result<Change, String>, StoreError> {
        if let Err(error) = self.decode(kind, value, to) {
            return Ok(Err(error.to_string()));
        }
        let height = RecordKey::decode(self.database, self.conversion.from, key).and_then(|key| key.height());
        if let Some(height) = height {
            let layout = self.conversion.from;
            self.bases.look(self.source, layout, kind, height, value)?;
            if kind == Kind::BlockMeta
                && let Some(reason) = attack_in_block(self.source, layout, height, value, to)?
            {
                return Ok(Err(reason));
            }
        }
        Ok(dialect::convert(kind, value, to, &mut self.spare).map_err(|error| error.to_string()))
    }

    /// Decodes the whole of a value that will be looked into, and notes what the target cannot say.
    fn decode(&mut self, kind: Kind, value: &[u8], to: Target) -> Result<(), DecodeError> {
        let loss = match kind {
            Kind::Validators => ValidatorsInfo::decode(value).map(|_| None)?,
            Kind::ConsensusParams => {
                ConsensusParamsInfo::decode(value)?;
                dialect::loss_of_record(value, to)
            }
            Kind::AbciResponses => dialect::loss_of_results(&Results::decode(value)?, to),
            Kind::State(StateRecord::State) => {
                State::decode(value)?;
                dialect::loss_of_state(value, to)
            }
            Kind::PendingEvidence => Evidence::decode(value)?.identity().map(|_| None)?,
            Kind::LightBlock => LightBlock::decode(value).map(|_| None)?,
            _ => None,
        };
        if let Some(loss) = loss {
            self.lose(loss.to_string());
        }
        Ok(())
    }

    fn lose(&mut self, line: String) {
        if !self.survey.losses.contains(&line) && self.survey.losses.len() < REFUSED_KEPT {
            self.survey.losses.push(line);
        }
    }

    fn count(&mut self, class: &'static str, fate: Fate, reason: Option<&'static str>) {
        let (keys, _) = self.counts.entry((class, fate)).or_insert((Some(0), reason));
        *keys = keys.map(|keys| keys + 1);
    }

    fn refuse(&mut self, key: &[u8], reason: String) {
        self.refuse_record(describe(self.database, key), reason);
    }

    /// Notes a record that cannot be converted.
    pub(super) fn refuse_record(&mut self, record: String, reason: String) {
        // The state is decoded for several reasons, and refused for the first.
        if self.survey.refused.iter().any(|refused| refused.record == record) {
            return;
        }
        self.survey.refused_total += 1;
        if self.survey.refused.len() < REFUSED_KEPT {
            self.survey.refused.push(Refused { database: self.database.name(), record, reason });
        }
    }

    /// What was found, with the number of rows if all were read.
    pub(super) fn finish(mut self, is_whole: bool) -> Survey {
        self.survey.rows_after = is_whole.then_some(self.rows);
        let counts = self.counts.into_iter();
        self.survey.remarks = self.bases.remarks();
        self.survey.classes =
            counts.map(|((class, fate), (keys, reason))| ClassCount { class, fate, keys, reason }).collect();
        self.survey
    }
}
