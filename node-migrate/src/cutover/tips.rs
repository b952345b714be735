//! What a rollback would lose: heights, or rows, that only the new databases hold.

use std::path::Path;

use ledger_formats::digest;
use ledger_formats::engine::{detect, fingerprint};
use ledger_formats::store::{KeyRange, ReadStore};

use super::SwitchError;
use crate::context::Context;
use crate::home::Role;
use crate::migration::Core;
use crate::plan::PlannedDatabase;
use crate::reading::Reading;
use crate::tips;

/// Refuses a rollback that would lose something. `is_new` tells of which databases the new folder is live.
pub(super) fn refuse_lost_heights(
    core: &Core,
    context: &Context<'_>,
    is_new: impl Fn(&PlannedDatabase) -> Result<bool, SwitchError>,
) -> Result<(), SwitchError> {
    for database in &core.plan.databases {
        if !is_new(database)? || untouched(core, database)? {
            continue;
        }
        let new = open(database, &database.path, core, context)?;
        let old = open(database, &core.places(database).waiting, core, context)?;
        compare(database, core.role(&database.name), old.store(), new.store())?;
    }
    Ok(())
}

/// Whether the new database is byte for byte what was sealed: then nothing can be lost.
fn untouched(core: &Core, database: &PlannedDatabase) -> Result<bool, SwitchError> {
    let print = fingerprint::fingerprint(&database.path)
        .map_err(|source| SwitchError::Store { database: database.name.clone(), source })?;
    Ok(core.history.databases[&database.name].sealed == Some(hex::encode(print)))
}

fn open(database: &PlannedDatabase, folder: &Path, core: &Core, context: &Context<'_>) -> Result<Reading, SwitchError> {
    let kind = detect::detect(folder)
        .map_err(|source| SwitchError::Detect { database: database.name.clone(), source })?
        .engine;
    Reading::open(folder, kind, context.cache_bytes(), core.workspace.root())
        .map_err(|source| SwitchError::Reading { database: database.name.clone(), source })
}

/// Compares what counts in each role.
fn compare(
    database: &PlannedDatabase,
    role: Role,
    old: &dyn ReadStore,
    new: &dyn ReadStore,
) -> Result<(), SwitchError> {
    let failed = |source| SwitchError::Tip { database: database.name.clone(), source };
    let (old_tip, new_tip) = (tips::of(role, old).map_err(failed)?, tips::of(role, new).map_err(failed)?);
    let lost = match (role, old_tip, new_tip) {
        // Both hold nothing that the chain, or a re-index from the block store, does not give back.
        (Role::Evidence | Role::TxIndex, _, _) => return Ok(()),
        (_, Some(old), Some(new)) if new.number() <= old.number() => return Ok(()),
        (_, old, Some(new)) => {
            format!("its tip is {new}, the old one's {}", old.map_or_else(|| "none".to_owned(), |old| old.to_string()))
        }
        // No tip to go by: only equal rows are proof that nothing would be lost.
        (_, _, None) => return compare_rows(database, old, new),
    };
    Err(SwitchError::WouldLose { database: database.name.clone(), lost })
}

fn compare_rows(database: &PlannedDatabase, old: &dyn ReadStore, new: &dyn ReadStore) -> Result<(), SwitchError> {
    let failed = |source| SwitchError::Store { database: database.name.clone(), source };
    let old = digest::summarise(old, &KeyRange::all()).map_err(failed)?;
    let new = digest::summarise(new, &KeyRange::all()).map_err(failed)?;
    if old == new {
        return Ok(());
    }
    let lost = format!("its rows differ ({} now, {} then)", new.keys, old.keys);
    Err(SwitchError::WouldLose { database: database.name.clone(), lost })
}
