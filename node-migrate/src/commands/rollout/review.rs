//! `rollout review`: what happened, in Markdown, from the log.

use ledger_formats::durable;
use node_migrate::rollout::review::review;
use serde_json::json;

use super::super::Surroundings;
use crate::cli::rollout::Review;
use crate::error::AppError;

/// Prints or writes the review.
pub(super) fn run(command: &Review, world: &Surroundings) -> Result<(), AppError> {
    let (log, plan) = super::read_log(&command.file.log())?;
    let text = review(&plan, &log);
    if let Some(out) = &command.out {
        durable::write_file(out, text.as_bytes())?;
        world.output.result(&json!({ "review": out }), || format!("The review is {}.", out.display()));
    } else {
        let facts: Vec<_> = log.records.iter().map(|record| &record.event).collect();
        world.output.result(&json!({ "review": text, "facts": facts }), || text.clone());
    }
    Ok(())
}
