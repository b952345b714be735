//! `run`: the copy, up to sealed targets.

use std::path::Path;

use node_migrate::copy::OnCorrupt;
use node_migrate::home::{Home, Role};
use node_migrate::migration::{self, Stage};
use node_migrate::plan::Plan;
use serde_json::json;

use super::{Surroundings, peers, plan};
use crate::cli::{self, RunArguments};
use crate::error::{AppError, Kind};

/// Copies, or shows what would be copied.
pub(super) fn run(command: &RunArguments, world: &Surroundings) -> Result<(), AppError> {
    let home = world.stopped_home(&command.change.home)?;
    if !command.change.execute {
        return dry(command, &home, world);
    }
    let Some(stage) = copy(command, &home, world)? else {
        return Ok(());
    };
    let core = stage.core();
    let value = json!({
        "phase": core.phase().name(), "migration": core.workspace().id(), "workspace": core.workspace().root(),
        "databases": core.plan().names().collect::<Vec<_>>(),
    });
    world.output.outcome(&value, || {
        format!("Copied. The node's own databases are untouched.\nNext: node-migrate verify {}", home.root.display())
    });
    Ok(())
}

/// Shows what `run` would do.
fn dry(command: &RunArguments, home: &Home, world: &Surroundings) -> Result<(), AppError> {
    let plan = wanted(command, home)?;
    world.output.result(&plan, || format!("{}\nNothing was changed. Add --execute to do it.", plan::text(&plan)));
    Ok(())
}

/// Begins or continues the copy; nothing when there is nothing to do.
pub(super) fn copy(command: &RunArguments, home: &Home, world: &Surroundings) -> Result<Option<Stage>, AppError> {
    let peers = peers::of(&command.from, command.patience, home, world)?;
    let on_corrupt = match command.on_corrupt {
        cli::OnCorrupt::Stop => OnCorrupt::Stop,
        cli::OnCorrupt::Quarantine => OnCorrupt::Quarantine,
        cli::OnCorrupt::Repair => OnCorrupt::Repair(&peers),
    };
    let stage = match migration::open(home)? {
        Some(stage) => same_aim(stage, command, home)?,
        None => {
            let plan = wanted(command, home)?;
            if plan.is_empty() {
                world.output.outcome(&plan, || plan::text(&plan));
                return Ok(None);
            }
            migration::begin(home, plan, &world.context())?
        }
    };
    let context = world.context();
    Ok(Some(match stage {
        Stage::Planned(migration) => Stage::Copied(migration.copy(&context, on_corrupt)?),
        Stage::Copied(migration) => Stage::Copied(migration.refresh(&context, on_corrupt)?),
        Stage::Verified(migration) => migration.refresh(&context, on_corrupt)?,
        Stage::Switching(_) => {
            return Err(AppError::new(Kind::State, "a cut-over or rollback was interrupted half-way")
                .hint("finish it with `cutover --execute` or go back with `rollback --execute`; the start guard keeps the node from starting"));
        }
        Stage::CutOver(_) => {
            return Err(AppError::new(Kind::State, "the last migration is cut over and not finalised").hint(
                "`finalise --execute` removes the old databases, `rollback --execute` goes back to them; then a new migration can begin",
            ));
        }
    }))
}

/// Refuses to go on with another migration than the one asked for. What is cut over already is no longer gone on with.
fn same_aim(stage: Stage, command: &RunArguments, home: &Home) -> Result<Stage, AppError> {
    if matches!(stage, Stage::Switching(_) | Stage::CutOver(_)) {
        return Ok(stage);
    }
    let under_way = stage.core().plan();
    let wish = &command.wish;
    let other = match &command.plan {
        Some(path) => under_way.contradiction_to(&read(path)?),
        None => {
            let is_asked = wish.to.is_some() || wish.release.is_some();
            let asked = if is_asked { Some((plan::target(home, wish)?, plan::formats(wish)?)) } else { None };
            under_way.contradiction(home, &wish.db, asked)?
        }
    };
    match other {
        None => Ok(stage),
        Some(other) => Err(AppError::new(
            Kind::State,
            format!("a migration to {} is under way in this home, not {other}", under_way.aim()),
        )
        .hint("go on with that one, or give it up with `discard --execute` first")),
    }
}

/// The plan that the words ask for: read from a file or made now.
fn wanted(command: &RunArguments, home: &Home) -> Result<Plan, AppError> {
    match &command.plan {
        Some(path) => read(path),
        None => {
            let repaired = (command.on_corrupt == cli::OnCorrupt::Repair).then_some(Role::BlockStore);
            plan::make(home, &command.wish, repaired)
        }
    }
}

fn read(path: &Path) -> Result<Plan, AppError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| AppError::new(Kind::Usage, format!("cannot read the plan {}: {error}", path.display())))?;
    Ok(Plan::from_toml(&text)?)
}
