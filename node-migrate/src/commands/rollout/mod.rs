//! `rollout`: a format, stage by stage, over all nodes of a network.

mod plan;
mod refusal;
mod review;
mod run;
mod status;

use std::path::Path;

use node_migrate::journal::Contents;
use node_migrate::rollout::fact::{Entry, Fact};
use node_migrate::rollout::log;
use node_migrate::rollout::plan::Plan;

use super::Surroundings;
use crate::cli::rollout::Rollout;
use crate::error::{AppError, Kind};

/// Runs the command.
pub(super) fn run(command: &Rollout, world: &Surroundings) -> Result<(), AppError> {
    match command {
        Rollout::Plan(command) => plan::run(command, world),
        Rollout::Run(command) => run::run(command, world),
        Rollout::Status(command) => status::run(command, world),
        Rollout::Review(command) => review::run(command, world),
    }
}

/// The plan's text and what it says.
fn read_plan(path: &Path) -> Result<(String, Plan), AppError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| AppError::new(Kind::Usage, format!("cannot read the plan {}: {error}", path.display())))?;
    let plan = Plan::parse(&text)?;
    Ok((text, plan))
}

/// A rollout that has begun: its log, and the plan as the log has it.
fn read_log(path: &Path) -> Result<(Contents<Entry>, Plan), AppError> {
    let contents = log::read(path).map_err(log::LogError::from)?;
    let created = contents.records.iter().find_map(|record| match &record.event.fact {
        Fact::Created { plan, .. } => Some(plan.clone()),
        _ => None,
    });
    let Some(text) = created else {
        return Err(AppError::new(Kind::State, format!("{} tells of no rollout: none was begun", path.display()))
            .hint("`rollout plan` shows what would be done, `rollout run --execute` begins"));
    };
    let plan = Plan::parse(&text)?;
    Ok((contents, plan))
}
