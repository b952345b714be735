//! Before the copy of a database: is its snapshot still true, which shards are left?

use ledger_formats::comet::convert::ConvertedStore;
use ledger_formats::durable;
use ledger_formats::engine::snapshot::{self, Snapshot};
use ledger_formats::engine::{self, TargetFormat, fingerprint};
use ledger_formats::store::{KeyRange, ReadStore, StoreError};

use super::{CopyError, Job, OnCorrupt, mend};
use crate::context::Context;
use crate::event::Event;
use crate::formats::with_formats;
use crate::migration::Core;
use crate::plan::PlannedDatabase;
use crate::workspace::Places;

/// On-disk bytes of a shard: about one table of the target, a second or less of work.
pub(super) const SHARD_BYTES: u64 = 64 << 20;

/// Makes the job of a database, or nothing when its target is sealed and its source has not moved.
pub(super) fn prepare(
    core: &mut Core,
    context: &Context<'_>,
    database: &PlannedDatabase,
    target: TargetFormat,
    on_corrupt: OnCorrupt<'_>,
) -> Result<Option<Job>, CopyError> {
    let failed = CopyError::store(&database.name);
    let places = core.places(database);
    places.create()?;
    let now = hex::encode(fingerprint::fingerprint(&database.path).map_err(&failed)?);
    let history = core.history.databases.get(&database.name);
    if database.conversion.is_some() && now != database.fingerprint {
        return Err(CopyError::SurveyOutdated { database: database.name.clone() });
    }
    let same_source = history.is_some_and(|history| history.source_fingerprint == now);
    let sealed = history.is_some_and(|history| history.sealed.is_some());
    let mended = history.filter(|_| same_source).and_then(|history| history.mended.clone());
    let repair = mend::wanted(on_corrupt, core.role(&database.name)).filter(|_| mended.is_none());
    if same_source && sealed && places.waiting.is_dir() && repair.is_none() {
        return Ok(None);
    }
    let snapshot = if same_source && !sealed { Snapshot::reopen(&places.snapshot).ok() } else { None };
    let snapshot = match snapshot {
        Some(snapshot) => snapshot,
        None => begin(core, context, database, &places, same_source)?,
    };
    let store = engine::open_copy(&snapshot.dir, database.engine, context.cache_bytes()).map_err(&failed)?;
    let (store, fresh) = match (repair, mended) {
        (Some(peers), _) => mend::mend(core, context, database, &places, store, peers)?,
        (None, Some(mended)) => (mend::again(database, &places, store, &mended)?, None),
        (None, None) => (store, None),
    };
    let store = converted(core, database, store).map_err(&failed)?;
    let shards_known =
        core.history.databases.get(&database.name).filter(|history| {
            history.source_fingerprint == hex::encode(snapshot.fingerprint) && history.sealed.is_none()
        });
    if shards_known.is_none() {
        record_shards(core, context, database, &snapshot, store.as_ref())?;
    }
    if let Some(fresh) = fresh {
        mend::record(core, context, database, fresh)?;
    }
    let writer = super::writer(&places, target).map_err(&failed)?;
    let history = &core.history.databases[&database.name];
    Ok(Some(Job {
        database: database.clone(),
        role: core.role(&database.name),
        epoch: history.epoch,
        shards: history.shards.clone(),
        done: history.copied.iter().map(|(number, shard)| (*number, shard.written.clone())).collect(),
        places,
        store,
        writer,
    }))
}

/// The store as the plan converts it; as it is, when keys and values stay.
fn converted(
    core: &Core,
    database: &PlannedDatabase,
    store: Box<dyn ReadStore>,
) -> Result<Box<dyn ReadStore>, StoreError> {
    match (&database.conversion, with_formats(core.role(&database.name))) {
        (Some(planned), Some(kind)) => Ok(Box::new(ConvertedStore::new(store, kind, planned.conversion)?)),
        _ => Ok(store),
    }
}

/// Drops what an earlier state of the source left and takes a new snapshot.
fn begin(
    core: &mut Core,
    context: &Context<'_>,
    database: &PlannedDatabase,
    places: &Places,
    same_source: bool,
) -> Result<Snapshot, CopyError> {
    if core.history.databases.contains_key(&database.name) {
        let why =
            if same_source { "its copy is gone or made again" } else { "the source has changed since its snapshot" };
        let text = format!("{}: {why}; it is copied from its present state", database.name);
        context.listener.say(&text);
        core.record(context, Event::Note { text })?;
    }
    for folder in [&places.parts, &places.waiting, &places.snapshot] {
        durable::remove_dir_all(folder)?;
    }
    context.listener.begin(&format!("snapshot {}", database.name), 0);
    let snapshot = snapshot::take(&database.path, &places.snapshot)
        .map_err(|source| CopyError::Snapshot { database: database.name.clone(), source })?;
    context.listener.end();
    Ok(snapshot)
}

fn record_shards(
    core: &mut Core,
    context: &Context<'_>,
    database: &PlannedDatabase,
    snapshot: &Snapshot,
    store: &dyn ReadStore,
) -> Result<(), CopyError> {
    let shards = cut(store).map_err(CopyError::store(&database.name))?;
    let epoch = core.history.databases.get(&database.name).map_or(1, |history| history.epoch + 1);
    let event = Event::Snapshotted {
        database: database.name.clone(),
        epoch,
        engine: database.engine,
        fingerprint: hex::encode(snapshot.fingerprint),
        method: snapshot.method.to_string(),
        shards,
        remarks: store.remarks(),
    };
    core.record(context, event)?;
    Ok(())
}

/// Cuts the whole key space into ranges.
fn cut(store: &dyn ReadStore) -> Result<Vec<KeyRange>, StoreError> {
    let mut shards = Vec::new();
    let mut start = Vec::new();
    for point in store.split_points(SHARD_BYTES)? {
        if point > start {
            shards.push(KeyRange { start: std::mem::replace(&mut start, point.clone()), end: Some(point) });
        }
    }
    shards.push(KeyRange { start, end: None });
    Ok(shards)
}
