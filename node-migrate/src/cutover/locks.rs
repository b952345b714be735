//! The locks of a switch: both kinds, on every folder that takes part.

use std::path::Path;

use ledger_formats::engine::lock::{self, HeldLock};

use super::SwitchError;
use crate::migration::Core;

/// Locks that are held until dropped.
pub(super) struct Locks {
    _held: Vec<HeldLock>,
}

/// Locks the live folders and the waiting ones against every engine.
pub(super) fn take(core: &Core) -> Result<Locks, SwitchError> {
    let mut held = Vec::new();
    for database in &core.plan.databases {
        for folder in [database.path.as_path(), core.places(database).waiting.as_path()] {
            held.extend(take_one(folder)?);
        }
    }
    Ok(Locks { _held: held })
}

fn take_one(folder: &Path) -> Result<Option<HeldLock>, SwitchError> {
    if folder.is_dir() { Ok(lock::lock_exclusive(folder)?) } else { Ok(None) }
}
