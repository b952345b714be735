//! The commands, one file each: gather what the library needs, call it, show what it says.

mod checkpoint;
mod cutover;
mod digest;
#[cfg(feature = "shim")]
mod fetch;
mod finalise;
mod inspect;
mod journal;
mod migrate;
mod peers;
mod plan;
mod repair;
mod rollback;
mod rollout;
mod root;
mod run;
mod shell;
#[cfg(feature = "shim")]
mod shim;
mod status;
mod surroundings;
mod trace;
mod verify;

use crate::cli::{Arguments, Command};
use crate::error::{AppError, Kind};
use crate::output::Output;
use node_migrate::home::Database;
use surroundings::Surroundings;

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), AppError> {
    let world = Surroundings::of(&arguments.global, *output)?;
    match &arguments.command {
        Command::Inspect(command) => inspect::run(command, &world),
        Command::Plan(command) => plan::run(command, &world),
        Command::Run(command) => run::run(command, &world),
        Command::Verify(command) => verify::run(command, &world),
        Command::Cutover(command) => cutover::run(command, &world),
        Command::Rollback(command) => rollback::run(command, &world),
        Command::Finalise(command) => finalise::run(command, &world),
        Command::Discard(command) => finalise::discard(command, &world),
        Command::Status(command) => status::run(command, &world),
        Command::Journal(command) => journal::run(command, &world),
        Command::Receipt(command) => journal::receipt(command, &world),
        Command::Repair(command) => repair::run(command, &world),
        Command::Digest(command) => digest::run(command, &world),
        Command::Root(command) => root::run(command, &world),
        Command::Trace(command) => trace::run(command, &world),
        Command::Migrate(command) => migrate::run(command, &world),
        Command::Checkpoint(command) => checkpoint::run(command, &world),
        Command::Rollout(command) => rollout::run(command, &world),
        #[cfg(feature = "shim")]
        Command::Fetch(command) => fetch::run(command, &world),
        #[cfg(feature = "shim")]
        Command::Shim(command) => shim::run(command, &world),
        Command::Completions { shell } => shell::completions(*shell, &world),
        Command::Man => shell::man(&world),
    }
}

/// The databases of these names, which may be the folders' too; all without any name.
fn chosen<'a>(databases: &'a [Database], names: &[String]) -> Result<Vec<&'a Database>, AppError> {
    let is_meant = |database: &&Database| {
        names.is_empty() || names.iter().any(|name| *name == database.name || *name == database.dir_name)
    };
    let chosen: Vec<&Database> = databases.iter().filter(is_meant).collect();
    if chosen.is_empty() {
        return Err(AppError::new(Kind::Usage, "this home has no database of that name"));
    }
    Ok(chosen)
}
