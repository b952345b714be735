//! What a conversion will do with every kind of record, and what it must refuse: found by reading, before anything is
//! written.
//!
//! Where keys change their spelling every row is read and counted, so that the copy can be held against the count.
//! Where only values change, the parts of blocks, which are most of a store, are not read: they stay as they are.

use std::collections::BTreeMap;

use proofs::merkle::EMPTY_ROOT;

use super::rules;
use super::{Conversion, made};
use crate::comet::class::{Class, Database, Kind, class};
use crate::comet::dialect::{self, Change, Loss, Target};
use crate::comet::key::{BlockKey, Layout, StateRecord};
use crate::comet::layout::{RecordKey, describe, families, family_of};
use crate::comet::wire::Decode;
use crate::comet::{
    Block, BlockMeta, ConsensusParamsInfo, DecodeError, Evidence, EvidenceKind, Results, State, ValidatorsInfo,
};
use crate::store::{KeyRange, ReadStore, StoreError};

/// Refusals that are kept with their words; all are counted.
pub const REFUSED_KEPT: usize = 20;

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
}

impl Survey {
    /// Whether the target would differ from the source in anything.
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.classes.iter().any(|count| !matches!(count.fate, Fate::Copied | Fate::Unknown))
    }
}

/// Reads a store and says what the conversion will do with it.
///
/// # Errors
/// When the store cannot be read. What cannot be converted is no error, but in the survey.
pub fn survey(source: &dyn ReadStore, database: Database, conversion: Conversion) -> Result<Survey, StoreError> {
    let mut walk = Surveyor {
        source,
        database,
        conversion,
        counts: BTreeMap::new(),
        survey: Survey::default(),
        rows: 0,
        spare: Vec::new(),
    };
    let is_whole = conversion.from != conversion.to || database != Database::BlockStore;
    if is_whole {
        walk.stretch(&KeyRange::all())?;
    } else {
        walk.all_but_parts()?;
    }
    walk.made()?;
    Ok(walk.finish(is_whole))
}

/// By class and fate: how many keys, where they were counted, and why that fate.
type Counts = BTreeMap<(&'static str, Fate), (Option<u64>, Option<&'static str>)>;

struct Surveyor<'a> {
    source: &'a dyn ReadStore,
    database: Database,
    conversion: Conversion,
    counts: Counts,
    survey: Survey,
    rows: u64,
    spare: Vec<u8>,
}

impl Surveyor<'_> {
    fn all_but_parts(&mut self) -> Result<(), StoreError> {
        let parts = families(self.database).iter().find(|family| family.kind == Kind::BlockPart);
        let Some(parts) = parts.map(|family| family.stretch(self.conversion.from)) else { return Ok(()) };
        self.stretch(&KeyRange { start: Vec::new(), end: Some(parts.start.clone()) })?;
        if self.source.scan(&parts)?.next()?.is_some() {
            let name = class(self.database, &[parts.start.as_slice(), b"1:0"].concat()).name();
            let name = if self.conversion.from == Layout::V1 { name } else { "0x81" };
            self.counts.insert((name, Fate::Copied), (None, None));
        }
        self.stretch(&KeyRange { start: parts.end.unwrap_or_default(), end: None })
    }

    fn stretch(&mut self, range: &KeyRange) -> Result<(), StoreError> {
        let mut cursor = self.source.scan(range)?;
        while let Some((key, value)) = cursor.next()? {
            self.row(key, value)?;
        }
        Ok(())
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
        let is_nearly = class.kind == Kind::Unknown && family_of(self.database, from, key).is_some();
        (from != to && is_nearly).then_some("its key begins like those of a known kind, but is none of them")
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
        if kind == Kind::BlockMeta
            && let Some(reason) = self.attack_in_block(key, value)?
        {
            return Ok(Err(reason));
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
            _ => None,
        };
        if let Some(loss) = loss {
            self.lose(&loss);
        }
        Ok(())
    }

    fn lose(&mut self, loss: &Loss) {
        let line = loss.to_string();
        if !self.survey.losses.contains(&line) && self.survey.losses.len() < REFUSED_KEPT {
            self.survey.losses.push(line);
        }
    }

    /// Whether a block holds evidence whose bytes its header binds and the target reads in another way.
    fn attack_in_block(&self, key: &[u8], value: &[u8]) -> Result<Option<String>, StoreError> {
        let meta = match BlockMeta::decode(value) {
            Ok(meta) => meta,
            Err(error) => return Ok(Some(error.to_string())),
        };
        let hash = meta.header.evidence_hash;
        if hash.is_empty() || hash == EMPTY_ROOT {
            return Ok(None);
        }
        let Some(height) = RecordKey::decode(self.database, self.conversion.from, key).and_then(|key| key.height())
        else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        for part in 0..meta.block_id.part_set_header.total {
            let mut key = Vec::with_capacity(32);
            BlockKey::Part { height, part }.encode(self.conversion.from, &mut key);
            // Below the base there are metas without parts: nobody will read such a block.
            let Some(value) = self.source.get(&key)? else { return Ok(None) };
            match crate::comet::Part::decode(&value) {
                Ok(part) => bytes.extend_from_slice(part.bytes),
                Err(error) => return Ok(Some(error.to_string())),
            }
        }
        let block = match Block::decode(&bytes) {
            Ok(block) => block,
            Err(error) => return Ok(Some(error.to_string())),
        };
        let has_attack = block.evidence.iter().any(|piece| piece.kind == EvidenceKind::LightClientAttack);
        Ok(has_attack.then(|| {
            "Block.evidence: evidence of an attack on light clients, whose bytes the block's hash covers and v1.0 and \
             the releases before it encode in different ways: neither can read the other's block"
                .to_owned()
        }))
    }

    /// The rows that are made.
    fn made(&mut self) -> Result<(), StoreError> {
        match made::rows(self.source, self.database, self.conversion) {
            Ok(rows) => {
                for (key, _) in rows {
                    self.rows += 1;
                    self.count(class(self.database, &key).name(), Fate::Rebuilt, None);
                }
                Ok(())
            }
            Err(StoreError::Refused { record, reason, .. }) => {
                self.survey.refused_total += 1;
                self.survey.refused.push(Refused { database: self.database.name(), record, reason });
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn count(&mut self, class: &'static str, fate: Fate, reason: Option<&'static str>) {
        let (keys, _) = self.counts.entry((class, fate)).or_insert((Some(0), reason));
        *keys = keys.map(|keys| keys + 1);
    }

    fn refuse(&mut self, key: &[u8], reason: String) {
        self.survey.refused_total += 1;
        if self.survey.refused.len() < REFUSED_KEPT {
            let record = describe(self.database, key);
            self.survey.refused.push(Refused { database: self.database.name(), record, reason });
        }
    }

    fn finish(mut self, is_whole: bool) -> Survey {
        self.survey.rows_after = is_whole.then_some(self.rows);
        let counts = self.counts.into_iter();
        self.survey.classes =
            counts.map(|((class, fate), (keys, reason))| ClassCount { class, fate, keys, reason }).collect();
        self.survey
    }
}
