//! `status`: where the migration of a home stands, read without taking any lock.

use node_migrate::migration::{self, Overview};
use serde_json::json;

use super::Surroundings;
use crate::cli::HomeOnly;
use crate::error::AppError;

/// Prints the state and the next step.
pub(super) fn run(command: &HomeOnly, world: &Surroundings) -> Result<(), AppError> {
    let home = world.home(&command.home)?;
    let all = migration::overview(&home)?;
    let guarded = home.is_guarded();
    let value = json!({ "home": home.root, "start_guard": guarded, "migrations": all });
    world.output.result(&value, || {
        let mut text = String::new();
        if guarded {
            text.push_str("The start guard is ON: the node cannot start until the cut-over or rollback is finished.\n");
        }
        text.extend(all.iter().map(line));
        if all.is_empty() {
            text.push_str("No migration of this home was ever begun. Next: node-migrate plan HOME --to ENGINE\n");
        }
        text
    });
    Ok(())
}

fn line(overview: &Overview) -> String {
    let mut text = format!("Migration {} to {}: {}\n", overview.id, overview.target, overview.phase);
    for database in &overview.databases {
        text.push_str(&format!(
            "  {}: {} of {} shards copied{}\n",
            database.name,
            database.copied,
            database.shards,
            if database.sealed { ", sealed" } else { "" }
        ));
    }
    text.push_str(&format!("  next: {}\n", overview.next));
    text
}
