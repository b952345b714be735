//! `migrate`: run, verify, cut over, in one go.

use node_migrate::migration::Stage;

use super::{Surroundings, cutover, run as copying, verify};
use crate::cli::MigrateArguments;
use crate::error::{AppError, Kind};

/// The whole way; without --execute the plan.
pub(super) fn run(command: &MigrateArguments, world: &Surroundings) -> Result<(), AppError> {
    if !command.run.change.execute {
        return copying::run(&command.run, world);
    }
    let home = world.stopped_home(&command.run.change.home)?;
    let Some(stage) = copying::copy(&command.run, &home, world)? else { return Ok(()) };
    let verified = match stage {
        Stage::Copied(migration) => {
            let (verified, report) = verify::copied(migration, world)?;
            world.output.step(&report, || verify::text(&report));
            verified
        }
        Stage::Verified(migration) => migration,
        Stage::Planned(_) | Stage::Switching(_) | Stage::CutOver(_) => {
            return Err(AppError::new(Kind::State, format!("the migration is {}", stage.core().phase().name())));
        }
    };
    cutover::execute(verified, &home, &command.consent, world)
}
