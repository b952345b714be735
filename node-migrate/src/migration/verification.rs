//! The verification of a migration's targets: opened cold, checked by `verify`, judged, written down.

use ledger_formats::durable::{self, DurableError};
use ledger_formats::engine::EngineKind;
use sha2::{Digest, Sha256};

use super::core::Core;
use crate::context::Context;
use crate::event::{Event, Statement};
use crate::home::Role;
use crate::journal::JournalError;
use crate::plan::PlannedDatabase;
use crate::reading::{Reading, ReadingError};
use crate::verify::{self, Input, InputDatabase, Report, VerifyError};

/// Exceptions that a receipt names one by one.
const EXCEPTIONS_QUOTED: usize = 100;

/// The report of a verification that passed.
pub type VerificationReport = Report;

/// A verification that failed: why the migration cannot be cut over.
#[derive(Debug)]
pub struct Failure {
    /// All that was found.
    pub report: Report,
}

/// Why there is no verified migration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerificationError {
    /// The targets were read, and something is wrong with them.
    #[error("verification found {} faults", .0.report.findings_total)]
    Failed(Box<Failure>),
    /// A target is not what was sealed.
    #[error("the new {database} has changed since it was sealed")]
    TargetMoved {
        /// The database.
        database: String,
    },
    /// A target cannot be opened.
    #[error("{database}: {source}")]
    Open {
        /// The database.
        database: String,
        /// What is wrong.
        source: ReadingError,
    },
    /// The check could not be run.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The report cannot be written.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A database that is open for the check.
struct Opened {
    name: String,
    reading: Reading,
}

/// Checks all targets of a migration together and records the verdict.
pub(super) fn run(core: &mut Core, context: &Context<'_>) -> Result<Report, VerificationError> {
    let mut opened = Vec::new();
    for database in &core.plan.databases {
        opened.push(Opened { name: database.name.clone(), reading: open_target(core, database, context)? });
    }
    // Databases that stay take part in the checks that look across databases, read as they are.
    open_kept(core, context, &mut opened)?;
    let input = Input {
        databases: opened.iter().map(|opened| describe(core, opened)).collect(),
        chain_id: core.chain_id().map(str::to_owned),
    };
    let mut report = verify::check(&input, context)?;
    drop(input);
    let sources = core.history.databases.iter();
    let remarks = sources
        .flat_map(|(name, history)| history.remarks.iter().map(move |remark| format!("{name}, as it was: {remark}")));
    report.remarks.extend(remarks);
    drop(opened);
    judge(core, context, report)
}

fn judge(core: &mut Core, context: &Context<'_>, report: Report) -> Result<Report, VerificationError> {
    let text = serde_json::to_vec_pretty(&report).expect("a report holds only serialisable values");
    durable::write_file(&core.workspace.report(), &text)?;
    let report_sha256 = hex::encode(Sha256::digest(&text));
    if report.findings_total == 0 {
        core.record(context, Event::Verified { report_sha256, statement: statement(&report) })?;
        return Ok(report);
    }
    core.record(context, Event::VerificationFailed { report_sha256, findings: report.findings_total })?;
    Err(VerificationError::Failed(Box::new(Failure { report })))
}

/// What the receipt quotes of a report.
fn statement(report: &Report) -> Statement {
    let mut exceptions: Vec<String> =
        report.exceptions.iter().take(EXCEPTIONS_QUOTED).map(ToString::to_string).collect();
    if report.exceptions_total > exceptions.len() as u64 {
        exceptions.push(format!("{} exceptions in all; the report names them", report.exceptions_total));
    }
    Statement {
        heights: report.heights.map(|heights| (heights.base, heights.tip)),
        verified: report.layers.iter().map(ToString::to_string).collect(),
        exceptions,
        not_checked: report.not_checked.clone(),
    }
}

fn open_target(core: &Core, database: &PlannedDatabase, context: &Context<'_>) -> Result<Reading, VerificationError> {
    let folder = core.places(database).waiting;
    let sealed = core.history.databases.get(&database.name).and_then(|history| history.sealed.clone());
    let moved = || VerificationError::TargetMoved { database: database.name.clone() };
    let now = ledger_formats::engine::fingerprint::fingerprint(&folder).map_err(|_| moved())?;
    if sealed != Some(hex::encode(now)) {
        return Err(moved());
    }
    open(core, &database.name, &folder, core.target.engine, context)
}

fn open(
    core: &Core,
    name: &str,
    folder: &std::path::Path,
    kind: EngineKind,
    context: &Context<'_>,
) -> Result<Reading, VerificationError> {
    Reading::open(folder, kind, context.cache_bytes(), core.workspace.root())
        .map_err(|source| VerificationError::Open { database: name.to_owned(), source })
}

fn open_kept(core: &Core, context: &Context<'_>, opened: &mut Vec<Opened>) -> Result<(), VerificationError> {
    for database in &core.home.databases {
        if database.role == Role::Opaque || core.plan.names().any(|name| name == database.name) {
            continue;
        }
        let reading = open(core, &database.name, &database.real_path, database.engine, context)?;
        opened.push(Opened { name: database.name.clone(), reading });
    }
    Ok(())
}

fn describe<'a>(core: &Core, opened: &'a Opened) -> InputDatabase<'a> {
    let history = core.history.databases.get(&opened.name);
    let source = history.map(|history| {
        let summary = |number: &u32| history.copied.get(number).map(|shard| shard.source.clone());
        (0_u32..)
            .zip(&history.shards)
            .filter_map(|(number, range)| summary(&number).map(|summary| (range.clone(), summary)))
            .collect()
    });
    let quarantined = history
        .into_iter()
        .flat_map(|history| history.quarantined())
        .filter_map(|place| Some((hex::decode(&place.first_key).ok()?, hex::decode(&place.last_key).ok()?)))
        .collect();
    InputDatabase {
        name: opened.name.clone(),
        role: core.role(&opened.name),
        store: opened.reading.store(),
        source,
        quarantined,
    }
}
