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
use crate::tips::{self, Tip};

/// Refuses a rollback that would lose something. `is_new` tells of which databases the new folder is live.
///
/// A node stores a block before it does anything with it. So where the new block store can be read and is
/// not ahead of the old one, a new state that cannot be read holds nothing that would be lost: a node that
/// a damaged store keeps from starting can go back.
pub(super) fn refuse_lost_heights(
    core: &Core,
    context: &Context<'_>,
    is_new: impl Fn(&PlannedDatabase) -> Result<bool, SwitchError>,
) -> Result<(), SwitchError> {
    let mut judged: Vec<(Role, Result<(), SwitchError>)> = Vec::new();
    for database in &core.plan.databases {
        let role = core.role(&database.name);
        // What these hold the chain, or a re-index from the block store, gives back.
        if matches!(role, Role::Evidence | Role::TxIndex | Role::LightStore) || !is_new(database)? {
            continue;
        }
        let judgement = match untouched(core, database) {
            Ok(true) => Ok(()),
            _ => judge(core, context, database, role),
        };
        judged.push((role, judgement));
    }
    let blocks_are_safe = judged.iter().any(|(role, judgement)| *role == Role::BlockStore && judgement.is_ok());
    for (role, judgement) in judged {
        match judgement {
            Err(error) if is_damage(&error) && role == Role::State && blocks_are_safe => {}
            other => other?,
        }
    }
    Ok(())
}

/// Judges one database. The old one must be readable whatever the new one is: it is what the node gets.
fn judge(core: &Core, context: &Context<'_>, database: &PlannedDatabase, role: Role) -> Result<(), SwitchError> {
    let old = open(database, &core.places(database).waiting, core, context)?;
    let failed = |source| SwitchError::Tip { database: database.name.clone(), source };
    let old_tip = tips::of(role, old.store()).map_err(failed)?;
    let unreadable =
        |source: SwitchError| SwitchError::NewUnreadable { database: database.name.clone(), source: Box::new(source) };
    let new = open(database, &database.path, core, context).map_err(unreadable)?;
    let new_tip = tips::of(role, new.store()).map_err(failed).map_err(unreadable)?;
    compare(database, (old_tip, new_tip), old.store(), new.store())
}

fn is_damage(error: &SwitchError) -> bool {
    matches!(error, SwitchError::NewUnreadable { .. })
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

/// Compares the tips of the old and the new database, or without tips their rows.
fn compare(
    database: &PlannedDatabase,
    tips: (Option<Tip>, Option<Tip>),
    old: &dyn ReadStore,
    new: &dyn ReadStore,
) -> Result<(), SwitchError> {
    let lost = match tips {
        (Some(old), Some(new)) if new.number() <= old.number() => return Ok(()),
        (old, Some(new)) => {
            format!("its tip is {new}, the old one's {}", old.map_or_else(|| "none".to_owned(), |old| old.to_string()))
        }
        // No tip to go by: only equal rows are proof that nothing would be lost.
        (_, None) => return compare_rows(database, old, new),
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
