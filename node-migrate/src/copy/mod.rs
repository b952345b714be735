//! The copy: snapshot → shards side by side → sealed target, for each planned database.
//!
//! It never touches a source except to link and read it, and never a target that is sealed.
//!
//! # Correctness
//! A shard counts when its tables are fsynced and its record is in the journal; a killed run repeats
//! at most the shards in hand. A target appears under its `waiting` name only when sealed. When the
//! source has moved since its snapshot, that database is begun again from a new snapshot.

mod heights;
mod mend;
mod prepare;
mod shard;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use ledger_formats::durable::DurableError;
use ledger_formats::engine::snapshot::SnapshotError;
use ledger_formats::engine::{self, TargetFormat, fingerprint};
use ledger_formats::store::{BulkWriter, Corruption, FinishedShard, KeyRange, ReadStore, StoreError};
use rayon::prelude::*;

use crate::context::{Context, Interrupted};
use crate::event::Event;
use crate::home::{Role, space};
use crate::journal::JournalError;
use crate::mending::{BlockPeers, MendError};
use crate::migration::Core;
use crate::owner;
use crate::plan::PlannedDatabase;
use crate::reading::ReadingError;
use crate::workspace::{Places, WorkspaceError};

/// What happens at a damaged place of the source.
#[derive(Clone, Copy)]
pub enum OnCorrupt<'a> {
    /// The run stops there, with nothing lost.
    Stop,
    /// The damaged keys are left out and recorded as exceptions.
    Quarantine,
    /// Damaged blocks are fetched from these peers, proven, and written instead.
    Repair(&'a dyn BlockPeers),
}

/// Why a copy stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// A database cannot be read or its target cannot be written.
    #[error("{database}: {source}")]
    Store {
        /// The database.
        database: String,
        /// What went wrong.
        source: StoreError,
    },
    /// A damaged place of the source.
    #[error("{database}: {damage}; it hits {heights}")]
    Damaged {
        /// The database.
        database: String,
        /// Where and what.
        damage: Box<Corruption>,
        /// The heights that it hits, in words.
        heights: String,
    },
    /// No snapshot could be made.
    #[error("{database}: {source}")]
    Snapshot {
        /// The database.
        database: String,
        /// What went wrong.
        source: SnapshotError,
    },
    /// The source has moved since its records were looked through for a conversion.
    #[error("{database} has changed since the plan was made: what its conversion would do is no longer known")]
    SurveyOutdated {
        /// The database.
        database: String,
    },
    /// A converted database has more or fewer rows than the plan counted.
    #[error("{database}: the plan counted {expected} rows for the new database, {actual} were written")]
    RowsDiffer {
        /// The database.
        database: String,
        /// By the plan.
        expected: u64,
        /// Written.
        actual: u64,
    },
    /// Damaged places cannot be left out of a conversion: what the rest means may depend on them.
    #[error(
        "a conversion of keys or values needs the whole source: damaged places can be neither quarantined nor repaired"
    )]
    DamageInConversion,
    /// A damaged block store cannot be repaired.
    #[error("{database} cannot be repaired: {source}")]
    Mend {
        /// The database.
        database: String,
        /// Why not.
        source: Box<MendError>,
    },
    /// The state database, which names the validators, cannot be read for a repair.
    #[error("{database}: {source}")]
    Reading {
        /// The database.
        database: String,
        /// Why not.
        source: Box<ReadingError>,
    },
    /// The disk is nearly full.
    #[error("only {free_mib} MiB are free on the file system of {path}; {needed_mib} MiB are needed to go on")]
    DiskLow {
        /// A folder on it.
        path: PathBuf,
        /// Free space in MiB.
        free_mib: u64,
        /// Needed space in MiB.
        needed_mib: u64,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A folder of the workspace cannot be made.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A file of the workspace cannot be written.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// Worker threads cannot be started.
    #[error("cannot start {workers} worker threads: {reason}")]
    Workers {
        /// How many.
        workers: usize,
        /// The system's words.
        reason: String,
    },
}

impl CopyError {
    pub(crate) fn store(database: &str) -> impl Fn(StoreError) -> Self {
        let database = database.to_owned();
        move |source| Self::Store { database: database.clone(), source }
    }
}

/// Copies and seals every database of the plan that is not yet sealed.
///
/// # Errors
/// [`CopyError`]; whatever is finished by then is kept and need not be done again.
pub(crate) fn copy(core: &mut Core, context: &Context<'_>, on_corrupt: OnCorrupt<'_>) -> Result<(), CopyError> {
    let planned = core.plan.databases.clone();
    let is_lenient = !matches!(on_corrupt, OnCorrupt::Stop);
    if is_lenient && planned.iter().any(|database| database.conversion.is_some()) {
        return Err(CopyError::DamageInConversion);
    }
    let target = core.target;
    guard_disk_before(core)?;
    let mut jobs = Vec::new();
    for database in &planned {
        context.go_on()?;
        if let Some(job) = prepare::prepare(core, context, database, target, on_corrupt)? {
            jobs.push(job);
        }
    }
    copy_shards(core, context, &jobs, on_corrupt)?;
    for job in jobs {
        context.go_on()?;
        seal(core, context, job)?;
    }
    Ok(())
}

/// One database that is to be copied: its snapshot opened, its writer ready, its shards known.
pub(crate) struct Job {
    database: PlannedDatabase,
    places: Places,
    epoch: u32,
    shards: Vec<KeyRange>,
    store: Box<dyn ReadStore>,
    role: Role,
    writer: Box<dyn BulkWriter>,
    done: BTreeMap<u32, FinishedShard>,
}

fn copy_shards(
    core: &mut Core,
    context: &Context<'_>,
    jobs: &[Job],
    on_corrupt: OnCorrupt<'_>,
) -> Result<(), CopyError> {
    let workers = context.workers_in_memory();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .build()
        .map_err(|error| CopyError::Workers { workers, reason: error.to_string() })?;
    let open: Vec<(&Job, u32, &KeyRange)> = jobs
        .iter()
        .flat_map(|job| job.shards.iter().zip(0_u32..).map(move |(range, number)| (job, number, range)))
        .filter(|(job, number, _)| !job.done.contains_key(number))
        .collect();
    context.listener.begin("copy", jobs.iter().map(|job| job.store.stats().disk_bytes).sum());
    let core = Mutex::new(core);
    let result = pool.install(|| {
        open.into_par_iter().with_max_len(1).try_for_each(|(job, number, range)| {
            context.go_on()?;
            guard_disk_during(job)?;
            let copied = shard::copy(job, number, range, context, on_corrupt)?;
            let mut core = core.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            core.record(context, copied.into_event(job))?;
            Ok(())
        })
    });
    context.listener.end();
    result
}

/// Seals a database whose shards are all copied.
fn seal(core: &mut Core, context: &Context<'_>, job: Job) -> Result<(), CopyError> {
    let failed = CopyError::store(&job.database.name);
    let history = &core.history.databases[&job.database.name];
    let shards: Vec<FinishedShard> = history.copied.values().map(|shard| shard.written.clone()).collect();
    refuse_other_count(&job.database, &shards)?;
    context.listener.begin(&format!("seal {}", job.database.name), 0);
    job.writer.seal(&shards).map_err(&failed)?;
    drop(job.writer);
    drop(job.store);
    owner::adopt(&job.database.path, &job.places.waiting)?;
    let fingerprint = fingerprint::fingerprint(&job.places.waiting).map_err(&failed)?;
    context.listener.end();
    let event =
        Event::Sealed { database: job.database.name.clone(), epoch: job.epoch, fingerprint: hex::encode(fingerprint) };
    core.record(context, event)?;
    Ok(())
}

/// Holds a converted database against the count that the plan made by another walk over the source.
fn refuse_other_count(database: &PlannedDatabase, shards: &[FinishedShard]) -> Result<(), CopyError> {
    let actual = shards.iter().map(|shard| shard.entries).sum();
    match database.conversion.as_ref().and_then(|planned| planned.rows_after) {
        Some(expected) if expected != actual => {
            Err(CopyError::RowsDiffer { database: database.name.clone(), expected, actual })
        }
        _ => Ok(()),
    }
}

/// Refuses to begin what the disk cannot hold.
fn guard_disk_before(core: &Core) -> Result<(), CopyError> {
    let mut needed: BTreeMap<PathBuf, u64> = BTreeMap::new();
    for database in &core.plan.databases {
        if core.history.databases.contains_key(&database.name) {
            // Begun already: its parts are on the disk and the guard during the run watches the rest.
            continue;
        }
        let folder = if database.own_mount { database.path.clone() } else { core.home_db_dir().to_path_buf() };
        *needed.entry(folder).or_default() += database.target_bytes + database.target_bytes / 20;
    }
    for (path, bytes) in needed {
        let free = space::free_bytes(&path).map_err(|source| {
            CopyError::Durable(DurableError { step: "tell the free space of", path: path.clone(), source })
        })?;
        if free < bytes.saturating_add(reserve(bytes)) {
            return Err(CopyError::DiskLow { path, free_mib: free >> 20, needed_mib: (bytes + reserve(bytes)) >> 20 });
        }
    }
    Ok(())
}

/// Stops while there is still room for the node, which may share the disk, and for the journal.
fn guard_disk_during(job: &Job) -> Result<(), CopyError> {
    let path = &job.places.root;
    let free = space::free_bytes(path).map_err(|source| {
        CopyError::Durable(DurableError { step: "tell the free space of", path: path.clone(), source })
    })?;
    let needed = prepare::SHARD_BYTES.min(job.database.target_bytes) + reserve(job.database.target_bytes);
    if free < needed {
        return Err(CopyError::DiskLow { path: path.clone(), free_mib: free >> 20, needed_mib: needed >> 20 });
    }
    Ok(())
}

/// Disk that is always left free: 2 % of what is written, at least 8 MiB, at most 1 GiB.
fn reserve(bytes: u64) -> u64 {
    (bytes / 50).clamp(8 << 20, 1 << 30)
}

/// Opens the writer of a database's target.
fn writer(places: &Places, target: TargetFormat) -> Result<Box<dyn BulkWriter>, StoreError> {
    engine::writer(target, &places.parts, &places.waiting)
}
