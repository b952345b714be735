//! `verify`: the new databases of a migration, or the databases of a home as they are.

use node_migrate::home::Home;
use node_migrate::migration::{self, Copied, Migration, Stage, VerificationError, Verified};
use node_migrate::reading::Reading;
use node_migrate::verify::{self, Input, InputDatabase, Report};

use super::Surroundings;
use crate::cli::VerifyArguments;
use crate::error::{AppError, Kind};

/// Findings that are printed in full.
const FINDINGS_SHOWN: usize = 20;

/// Verifies what the home's state asks for.
pub(super) fn run(command: &VerifyArguments, world: &Surroundings) -> Result<(), AppError> {
    let home = world.stopped_home(&command.home)?;
    let stage = if command.live { None } else { migration::open(&home)? };
    let report = match stage {
        Some(Stage::Planned(_)) => {
            return Err(AppError::new(Kind::State, "the copy is not complete")
                .hint("go on with `run --execute`, then verify; `--live` checks the node's present databases"));
        }
        Some(Stage::Copied(migration)) => copied(migration, world)?.1,
        Some(Stage::Verified(migration)) => migration.again(&world.context()).map_err(|error| explain(error, world))?.1,
        Some(Stage::Switching(_)) => {
            return Err(AppError::new(Kind::State, "a cut-over or rollback was interrupted half-way")
                .hint("finish it with `cutover --execute` or go back with `rollback --execute`"));
        }
        Some(Stage::CutOver(_)) | None => live(&home, world)?,
    };
    if report.findings_total == 0 {
        world.output.outcome(&report, || text(&report));
        return Ok(());
    }
    Err(failed(&report, world))
}

/// Verifies the targets of a copied migration.
pub(super) fn copied(
    migration: Migration<Copied>,
    world: &Surroundings,
) -> Result<(Migration<Verified>, Report), AppError> {
    migration.verify(&world.context()).map_err(|error| explain(error, world))
}

/// Prints a failed report before it becomes an error.
fn explain(error: VerificationError, world: &Surroundings) -> AppError {
    if let VerificationError::Failed(failure) = &error {
        world.output.outcome(&failure.report, || text(&failure.report));
    }
    error.into()
}

fn failed(report: &Report, world: &Surroundings) -> AppError {
    world.output.outcome(report, || text(report));
    AppError::new(Kind::Verification, format!("verification found {} faults", report.findings_total))
        .hint("each finding above says what to do; the databases were only read")
}

/// Verifies the databases that the node opens.
fn live(home: &Home, world: &Surroundings) -> Result<Report, AppError> {
    let context = world.context();
    let mut opened = Vec::new();
    for database in &home.databases {
        let reading = Reading::open(&database.real_path, database.engine, context.cache_bytes(), &world.temporary())?;
        opened.push((database, reading));
    }
    let input = Input {
        databases: opened
            .iter()
            .map(|(database, reading)| InputDatabase {
                name: database.name.clone(),
                role: database.role,
                store: reading.store(),
                source: None,
                quarantined: Vec::new(),
            })
            .collect(),
        chain_id: home.genesis.as_ref().map(|genesis| genesis.chain_id.clone()),
    };
    Ok(verify::check(&input, &context)?)
}

/// The report for people.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    for layer in &report.layers {
        text.push_str(&format!("{layer}\n"));
    }
    for finding in report.findings.iter().take(FINDINGS_SHOWN) {
        text.push_str(&format!("FINDING {finding}\n"));
    }
    let more = report.findings_total.saturating_sub(FINDINGS_SHOWN as u64);
    if more > 0 {
        text.push_str(&format!("... and {more} more findings (--json has the first thousand)\n"));
    }
    for exception in report.exceptions.iter().take(FINDINGS_SHOWN) {
        text.push_str(&format!("exception (quarantined): {exception}\n"));
    }
    for remark in &report.remarks {
        text.push_str(&format!("remark: {remark}\n"));
    }
    if !report.sample.is_empty() {
        text.push_str("A sample:\n");
        text.extend(report.sample.iter().map(|line| format!("  {line}\n")));
    }
    for what in &report.not_checked {
        text.push_str(&format!("not checked: {what}\n"));
    }
    if report.findings_total == 0 && report.exceptions_total > 0 {
        text.push_str("Verified but for the exceptions: what was left out is missing. The cut-over asks for --accept-exceptions.\n");
    } else if report.findings_total == 0 {
        text.push_str("Verified: nothing is missing, nothing is changed.\n");
    }
    text
}
