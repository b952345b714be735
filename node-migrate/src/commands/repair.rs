//! `repair`: labels that name another key layout than the keys have, set right by a migration of the databases
//! concerned: plan, copy, verification and cut-over as for any other, so that it can be rolled back too.

use node_migrate::copy::OnCorrupt;
use node_migrate::formats::Wanted;
use node_migrate::home::Home;
use node_migrate::migration::{self, Stage};
use node_migrate::plan::{Plan, Request};

use super::{Surroundings, cutover, plan, verify};
use crate::cli::RepairArguments;
use crate::error::{AppError, Kind};

/// Repairs the labels, or shows what would be done.
pub(super) fn run(command: &RepairArguments, world: &Surroundings) -> Result<(), AppError> {
    let home = world.stopped_home(&command.change.home)?;
    if !command.change.execute {
        let plan = make(&home)?;
        world.output.result(&plan, || format!("{}\nNothing was changed. Add --execute to do it.", plan::text(&plan)));
        return Ok(());
    }
    let context = world.context();
    let stage = match migration::open(&home)? {
        Some(stage) if is_repair(stage.core().plan()) => stage,
        Some(stage) => {
            let under_way = stage.core().plan().target.clone();
            return Err(AppError::new(Kind::State, format!("a migration to {under_way} is under way in this home"))
                .hint("finish it, or give it up with `discard --execute`, then repair"));
        }
        None => migration::begin(&home, make(&home)?, &context)?,
    };
    let copied = match stage {
        Stage::Planned(migration) => migration.copy(&context, OnCorrupt::Stop)?,
        Stage::Copied(migration) => migration.refresh(&context, OnCorrupt::Stop)?,
        Stage::Verified(migration) => return cutover::execute(migration, &home, &command.consent, world),
        Stage::Switching(_) | Stage::CutOver(_) => {
            return Err(AppError::new(Kind::State, format!("the repair is {}", stage.core().phase().name()))
                .hint("`status` says what comes next"));
        }
    };
    let (verified, report) = verify::copied(copied, world)?;
    world.output.step(&report, || verify::text(&report));
    cutover::execute(verified, &home, &command.consent, world)
}

fn make(home: &Home) -> Result<Plan, AppError> {
    let engine = plan::present_engine(home).ok_or_else(|| AppError::new(Kind::Home, "there is no state database"))?;
    let request =
        Request { target: plan::of_engine(engine), databases: Vec::new(), formats: Wanted::TrueLabels, repaired: None };
    Ok(Plan::make(home, &request)?)
}

/// Whether a plan only writes labels anew.
fn is_repair(plan: &Plan) -> bool {
    plan.databases.iter().all(|database| {
        let conversion = database.conversion.as_ref().map(|planned| planned.conversion);
        conversion.is_some_and(|conversion| conversion.from == conversion.to && conversion.dialect.is_none())
    })
}
