//! `journal` and `receipt`: what was done, and the signed statement of it.

use node_migrate::event::Event;
use node_migrate::home::Home;
use node_migrate::journal;
use node_migrate::workspace::{Workspace, Workspaces};
use serde_json::json;

use super::Surroundings;
use crate::cli::HomeOnly;
use crate::error::{AppError, Kind};

/// Prints the journals of all migrations of a home, checked.
pub(super) fn run(command: &HomeOnly, world: &Surroundings) -> Result<(), AppError> {
    let home = world.home(&command.home)?;
    let mut all = Vec::new();
    for workspace in workspaces(&home)? {
        let contents = journal::read::<Event>(&workspace.journal()).map_err(|error| {
            AppError::new(Kind::Damaged, error.to_string())
                .hint("the trail up to that place is whole; keep the file as it is")
        })?;
        all.push((workspace, contents));
    }
    let value: Vec<_> = all
        .iter()
        .map(|(workspace, contents)| {
            json!({ "migration": workspace.id(), "head": hex::encode(contents.head), "torn_bytes": contents.torn_bytes, "records": contents.records })
        })
        .collect();
    world.output.result(&value, || {
        let mut text = String::new();
        for (workspace, contents) in &all {
            text.push_str(&format!("Migration {}\n", workspace.id()));
            for record in &contents.records {
                let event = serde_json::to_string(&record.event).unwrap_or_default();
                text.push_str(&format!("{:>5} {} {}\n", record.seq, record.time, shorten(&event)));
            }
            text.push_str(&format!("      head {} (chain whole)\n", hex::encode(contents.head)));
        }
        if text.is_empty() { "No migration of this home was ever begun.".to_owned() } else { text }
    });
    Ok(())
}

/// Prints the receipt of the last migration that has one.
pub(super) fn receipt(command: &HomeOnly, world: &Surroundings) -> Result<(), AppError> {
    let home = world.home(&command.home)?;
    let last =
        workspaces(&home)?.into_iter().rev().find_map(|workspace| std::fs::read_to_string(workspace.receipt()).ok());
    let Some(text) = last else {
        return Err(AppError::new(Kind::State, "there is no receipt yet").hint("a receipt is written by the cut-over"));
    };
    world.output.result(&json!({ "receipt": text }), || text.clone());
    Ok(())
}

fn workspaces(home: &Home) -> Result<Vec<Workspace>, AppError> {
    Ok(Workspaces::of(&home.db_dir).list()?)
}

/// Long events (shards with many tables) are cut for the eye; --json has them whole.
fn shorten(event: &str) -> String {
    const LONGEST: usize = 240;
    if event.chars().count() <= LONGEST {
        return event.to_owned();
    }
    event.chars().take(LONGEST).chain("...".chars()).collect()
}
