//! `finalise` and `discard`: the end of a migration.

use node_migrate::migration::{self, Stage};
use serde_json::json;

use super::Surroundings;
use crate::cli::Change;
use crate::error::{AppError, Kind};
use crate::output::bytes;

/// Removes the old databases, or what a rolled-back migration left.
pub(super) fn run(command: &Change, world: &Surroundings) -> Result<(), AppError> {
    let home = world.stopped_home(&command.home)?;
    let stage = migration::open(&home)?;
    let what = match &stage {
        Some(Stage::CutOver(_)) => "the old databases; after that there is no rollback",
        None => "what closed migrations left behind",
        Some(other) => {
            return Err(AppError::new(Kind::State, format!("the migration is {}", other.core().phase().name()))
                .hint("only a migration that is cut over can be finalised; `discard` gives up one that is not"));
        }
    };
    if !command.execute {
        world.output.result(&json!({ "would_remove": what }), || {
            format!("This would remove {what}.\nNothing was changed. Add --execute to do it.")
        });
        return Ok(());
    }
    let freed = match stage {
        Some(Stage::CutOver(migration)) => migration.finalise(&world.context())?,
        _ => migration::sweep(&home)?,
    };
    world.output.outcome(&json!({ "phase": "finalised", "freed_bytes": freed }), || {
        format!("Finalised: {} given back. The journal and the receipt stay.", bytes(freed))
    });
    Ok(())
}

/// Gives up a migration that has not been cut over.
pub(super) fn discard(command: &Change, world: &Surroundings) -> Result<(), AppError> {
    let home = world.home(&command.home)?;
    let Some(stage) = migration::open(&home)? else {
        return Err(AppError::new(Kind::State, "no migration is under way in this home"));
    };
    if !command.execute {
        let name = stage.core().workspace().id();
        world.output.result(&json!({ "would_discard": name }), || {
            format!("This would give up migration {name} and remove its copies; the node's databases are not touched.\nNothing was changed. Add --execute to do it.")
        });
        return Ok(());
    }
    let freed = migration::discard(stage, &world.context())?;
    world.output.outcome(&json!({ "phase": "discarded", "freed_bytes": freed }), || {
        format!("Discarded: {} given back. The node's databases were not touched.", bytes(freed))
    });
    Ok(())
}
