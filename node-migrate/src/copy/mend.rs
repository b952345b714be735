//! The repair of a damaged source on its way into the copy.
//!
//! # Correctness
//! The patch is durable before the journal names it, and the journal names it before the first shard is read through
//! it; shards that were copied without it are copied again. A resumed copy reads through the same patch or not at all.

use ledger_formats::patched::PatchedStore;
use ledger_formats::store::ReadStore;

use super::{CopyError, OnCorrupt};
use crate::context::Context;
use crate::event::Event;
use crate::home::Role;
use crate::mending::{self, BlockPeers, MendError, MendedBlock};
use crate::migration::{Core, MendedHistory};
use crate::plan::PlannedDatabase;
use crate::reading::Reading;
use crate::workspace::Places;

/// A repair that the journal does not know yet.
pub(super) struct Fresh {
    patch_sha256: String,
    blocks: Vec<MendedBlock>,
}

/// Whom to ask, if this database is one that can be repaired.
pub(super) fn wanted(on_corrupt: OnCorrupt<'_>, role: Role) -> Option<&dyn BlockPeers> {
    match on_corrupt {
        OnCorrupt::Repair(peers) if role == Role::BlockStore => Some(peers),
        OnCorrupt::Repair(_) | OnCorrupt::Stop | OnCorrupt::Quarantine => None,
    }
}

/// Looks for damage and lays what repairs it over the store.
pub(super) fn mend(
    core: &Core,
    context: &Context<'_>,
    database: &PlannedDatabase,
    places: &Places,
    store: Box<dyn ReadStore>,
    peers: &dyn BlockPeers,
) -> Result<(Box<dyn ReadStore>, Option<Fresh>), CopyError> {
    let failed = failed(database);
    let chain_id = core.chain_id().ok_or_else(|| failed(MendError::NoChainId))?;
    let state = core.home.databases.iter().find(|database| database.role == Role::State);
    let state = state.ok_or_else(|| failed(MendError::NoState))?;
    let reading = Reading::open(&state.real_path, state.engine, context.cache_bytes(), core.workspace.root())
        .map_err(|source| CopyError::Reading { database: state.name.clone(), source: Box::new(source) })?;
    let Some(mended) = mending::mend(store.as_ref(), reading.store(), chain_id, peers, context).map_err(&failed)?
    else {
        return Ok((store, None));
    };
    let patch_sha256 = mending::write_patch(&places.patch, &mended.patch).map_err(|error| failed(error.into()))?;
    for block in &mended.blocks {
        let MendedBlock { height, damage, provenance, .. } = block;
        context.listener.say(&format!("{}: block {height} repaired from {provenance} ({damage})", database.name));
    }
    let store = Box::new(PatchedStore::new(store, mended.patch));
    Ok((store, Some(Fresh { patch_sha256, blocks: mended.blocks })))
}

/// Lays the patch of an earlier attempt over the store.
pub(super) fn again(
    database: &PlannedDatabase,
    places: &Places,
    store: Box<dyn ReadStore>,
    mended: &MendedHistory,
) -> Result<Box<dyn ReadStore>, CopyError> {
    let patch = mending::read_patch(&places.patch, &mended.patch_sha256);
    let patch = patch.map_err(|error| failed(database)(error.into()))?;
    Ok(Box::new(PatchedStore::new(store, patch)))
}

/// Writes a repair into the journal.
pub(super) fn record(
    core: &mut Core,
    context: &Context<'_>,
    database: &PlannedDatabase,
    fresh: Fresh,
) -> Result<(), CopyError> {
    let epoch = core.history.databases.get(&database.name).map_or(1, |history| history.epoch);
    let Fresh { patch_sha256, blocks } = fresh;
    core.record(context, Event::Mended { database: database.name.clone(), epoch, patch_sha256, blocks })?;
    Ok(())
}

fn failed(database: &PlannedDatabase) -> impl Fn(MendError) -> CopyError {
    let database = database.name.clone();
    move |source| CopyError::Mend { database: database.clone(), source: Box::new(source) }
}
