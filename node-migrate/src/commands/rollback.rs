//! `rollback`: the old databases become the node's own again.

use node_migrate::migration::{self, Stage};
use serde_json::json;

use super::Surroundings;
use crate::cli::Change;
use crate::error::{AppError, Kind};

/// Rolls back, or shows what would be done.
pub(super) fn run(command: &Change, world: &Surroundings) -> Result<(), AppError> {
    let home = world.stopped_home(&command.home)?;
    let nothing = || {
        AppError::new(Kind::State, "no cut-over to take back in this home")
            .hint("before a cut-over nothing of the node's is changed; `discard --execute` removes the copies")
    };
    let Some(stage) = migration::open(&home)? else { return Err(nothing()) };
    if !matches!(stage, Stage::Switching(_) | Stage::CutOver(_)) {
        return Err(nothing());
    }
    if !command.execute {
        let names: Vec<String> = stage.core().plan().names().map(str::to_owned).collect();
        let value = json!({ "phase": stage.core().phase().name(), "databases": names });
        world.output.result(&value, || {
            format!(
                "A rollback would make the old databases of {} the node's own again, if the new ones hold no height that these lack.\n\
                 Nothing was changed. Add --execute to do it.",
                names.join(", ")
            )
        });
        return Ok(());
    }
    let context = world.context();
    let core = match stage {
        Stage::Switching(migration) => migration.roll_back(&context)?,
        Stage::CutOver(migration) => migration.roll_back(&context)?,
        Stage::Planned(_) | Stage::Copied(_) | Stage::Verified(_) => return Err(nothing()),
    };
    let value = json!({ "phase": core.phase().name(), "migration": core.workspace().id() });
    world.output.outcome(&value, || {
        "Rolled back: the node opens the old databases again. `finalise --execute` removes the new copies.".to_owned()
    });
    Ok(())
}
