//! The two sides of a database: what was read and what was written, or the one that there is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ledger_formats::comet::class::{Database as Records, class};
use ledger_formats::comet::key::Layout;
use ledger_formats::engine::EngineKind;
use ledger_formats::root::Content;
use ledger_formats::store::{Location, ReadStore, StoreError};
use sha2::{Digest, Sha256};

use super::record::{self, RECORDS_MAX};
use super::step::Step;
use super::{Question, Request, Subject, TraceError, Traced};
use crate::context::Context;
use crate::formats::with_formats;
use crate::home::{Database, Role};
use crate::migration::{Lineage, Phase};
use crate::reading::Reading;
use crate::tips::{self, Tip};

/// A row where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Its key, as it is spelled there.
    pub key: Vec<u8>,
    /// The layout of the key, where layouts differ in it.
    pub layout: Option<Layout>,
    /// Bytes of the value.
    pub value_bytes: u64,
    /// SHA-256 of the value.
    pub value_sha256: [u8; 32],
    /// Where it lies.
    pub location: Location,
    /// The value.
    pub(super) value: Vec<u8>,
}

/// A side that was looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedSide {
    /// The database.
    pub database: String,
    /// Whether it is the target of a migration.
    pub is_target: bool,
    /// Its folder.
    pub folder: PathBuf,
    /// Its engine.
    pub engine: EngineKind,
    /// The migration that it belongs to.
    pub migration: Option<String>,
    /// How far it has come, if it says so.
    pub tip: Option<Tip>,
}

/// One side, open.
struct Side {
    described: TracedSide,
    reading: Reading,
}

/// Both sides of a database.
pub(super) struct Sides<'a> {
    pub(super) name: &'a str,
    pub(super) records: Option<Records>,
    lineage: Option<&'a Lineage>,
    source: Option<Side>,
    target: Option<Side>,
}

impl<'a> Sides<'a> {
    pub(super) fn open(
        database: &'a Database,
        lineage: Option<&'a Lineage>,
        request: &Request<'_>,
        context: &Context<'_>,
    ) -> Result<Self, TraceError> {
        let open = |folder: &Path, engine: EngineKind, is_target: bool| {
            let failed = |source| TraceError::Open { database: database.name.clone(), source };
            // Only the node's own folder may be being written.
            let is_live = request.is_running && folder == database.real_path;
            let open = if is_live { Reading::open_running } else { Reading::open };
            let reading = open(folder, engine, context.cache_bytes(), request.temporary).map_err(failed)?;
            let tip = tip(database, reading.store())?;
            let migration = lineage.map(|lineage| lineage.migration.clone());
            let (name, folder) = (database.name.clone(), folder.to_path_buf());
            let described = TracedSide { database: name, is_target, folder, engine, migration, tip };
            Ok::<_, TraceError>(Side { described, reading })
        };
        let (source, target) = match lineage {
            None => (Some(open(&database.real_path, database.engine, false)?), None),
            Some(lineage) => {
                let source = lineage.source.as_deref().map(|folder| open(folder, lineage.from, false)).transpose()?;
                let target =
                    lineage.target.as_deref().map(|folder| open(folder, lineage.to.engine, true)).transpose()?;
                (source, target)
            }
        };
        Ok(Self { name: &database.name, records: with_formats(database.role), lineage, source, target })
    }

    /// The records that are asked for.
    pub(super) fn subjects(&self, question: &Question) -> Result<BTreeSet<Subject>, TraceError> {
        let height = match question {
            Question::Key(key) => return Ok(BTreeSet::from([Subject::of_key(self.records, key)])),
            Question::Height(height) => *height,
        };
        let mut subjects = BTreeSet::new();
        let Some(records) = self.records else { return Ok(subjects) };
        for side in self.source.iter().chain(&self.target) {
            let found = record::of_height(side.reading.store(), records, height).map_err(|error| self.failed(error))?;
            let too_many = || TraceError::TooMany { database: self.name.to_owned(), limit: RECORDS_MAX };
            subjects.extend(found.ok_or_else(too_many)?);
        }
        Ok(subjects)
    }

    /// A record on both sides; `None` when it is on neither.
    pub(super) fn traced(&self, subject: Subject) -> Result<Option<Traced>, TraceError> {
        let sighting = |side: &Option<Side>| match side {
            Some(side) => side.sighting(&subject, self.records).map_err(|error| self.failed(error)),
            None => Ok(None),
        };
        let (source, target) = (sighting(&self.source)?, sighting(&self.target)?);
        if source.is_none() && target.is_none() {
            return Ok(None);
        }
        let kind = subject.kind(self.records);
        let step = self.lineage.map(|lineage| Step::of(lineage, kind, source.as_ref(), target.as_ref()));
        Ok(Some(Traced { database: self.name.to_owned(), subject, source, step, target, proof: None }))
    }

    /// The side that proofs are made from, and what it says of a record.
    pub(super) fn proven(&self) -> Option<&dyn ReadStore> {
        self.target.as_ref().or(self.source.as_ref()).map(|side| side.reading.store())
    }

    /// Where a record was found on that side.
    pub(super) fn sighting_of<'t>(&self, traced: &'t Traced) -> Option<&'t Sighting> {
        if self.target.is_some() { traced.target.as_ref() } else { traced.source.as_ref() }
    }

    /// How its rows are understood.
    pub(super) fn content(&self) -> Content {
        self.records.map_or(Content::Opaque, Content::Records)
    }

    /// What was looked into.
    pub(super) fn described(&self) -> impl Iterator<Item = TracedSide> {
        self.source.iter().chain(&self.target).map(|side| side.described.clone())
    }

    pub(super) fn failed(&self, source: StoreError) -> TraceError {
        TraceError::Store { database: self.name.to_owned(), source }
    }
}

impl Side {
    fn sighting(&self, subject: &Subject, records: Option<Records>) -> Result<Option<Sighting>, StoreError> {
        let store = self.reading.store();
        for key in subject.keys() {
            let Some(value) = store.get(&key)? else { continue };
            let Some(location) = store.locate(&key)? else { continue };
            return Ok(Some(Sighting {
                layout: records.and_then(|database| class(database, &key).layout),
                value_bytes: value.len() as u64,
                value_sha256: Sha256::digest(&value).into(),
                location: self.own(location),
                key,
                value,
            }));
        }
        Ok(None)
    }

    /// A place in the database's own folder: engines that need a snapshot name the snapshot's files.
    fn own(&self, location: Location) -> Location {
        let own =
            |file: PathBuf| file.file_name().map_or_else(|| file.clone(), |name| self.described.folder.join(name));
        match location {
            Location::Block { file, offset } => Location::Block { file: own(file), offset },
            Location::LogRecord { file, offset } => Location::LogRecord { file: own(file), offset },
            Location::Within { files } => Location::Within { files: files.into_iter().map(own).collect() },
        }
    }
}

/// How far a database has come, where it says so.
fn tip(database: &Database, store: &dyn ReadStore) -> Result<Option<Tip>, TraceError> {
    match database.role {
        Role::BlockStore | Role::State => {
            tips::of(database.role, store).map_err(|source| TraceError::Tip { database: database.name.clone(), source })
        }
        _ => Ok(None),
    }
}

/// Whether the node may have written the target since.
pub(super) fn may_have_run(phase: Phase) -> bool {
    matches!(phase, Phase::CutOver | Phase::Finalised)
}
