//! The verification: is what stands in these databases the chain that validators signed, and all of it?
//!
//! It reads the databases it is given, cold, and nothing else. It never reads a migration's source, shares no code with
//! the copy above the engines' readers, and writes nothing. Bad data is never an error here: it becomes a finding that
//! names database, key and height, says what was expected and what is there, and what to do.
//!
//! | layer | what it shows |
//! |---|---|
//! | 1 | rows by class, and as many as the source had |
//! | 2 | each shard holds exactly the keys and values that the copy read |
//! | 3 | every block is bound by the hashes and signatures of the chain, and the databases agree |
//! | 4 | a few blocks in words |
//!
//! Layers 1 and 2 are one scan of each database; layer 3 walks over the heights. Both run on as many threads as the
//! memory allows, and hold a block or a batch of signatures a thread, whatever the size of the store.

mod chain;
mod counts;
mod findings;
mod quarantine;
mod report;
mod survey;
mod text;
mod what;

use ledger_formats::store::{KeyRange, ReadStore};

pub use report::{DatabaseCounts, FINDINGS_OF_A_KIND, Finding, Heights, Layer, Report, Signatures};
pub use what::What;

use crate::context::{Context, Interrupted};
use crate::home::Role;
use crate::shard_summary::ShardSummary;
use findings::{Findings, Place};
use quarantine::Quarantine;

/// What is verified: databases of one node at one time.
pub struct Input<'a> {
    /// The databases.
    pub databases: Vec<InputDatabase<'a>>,
    /// The name of the chain, from its genesis file.
    pub chain_id: Option<String>,
}

/// A database that is verified.
pub struct InputDatabase<'a> {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub role: Role,
    /// The database, open for reading.
    pub store: &'a dyn ReadStore,
    /// What the copy read from the source, shard by shard; `None` when a database is verified by itself.
    pub source: Option<Vec<(KeyRange, ShardSummary)>>,
    /// Key ranges, both bounds inclusive, that the operator agreed to leave out.
    pub quarantined: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Why a verification could not be carried out. It says nothing about the databases.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The threads could not be started.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// How many were wanted.
        threads: usize,
        /// The system's error.
        reason: String,
    },
}

/// Verifies the databases through all layers.
///
/// # Errors
/// Only when the check cannot be carried out; see [`VerifyError`].
pub fn check(input: &Input<'_>, context: &Context<'_>) -> Result<Report, VerifyError> {
    let threads = context.workers_in_memory();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| VerifyError::Threads { threads, reason: error.to_string() })?;
    pool.install(|| check_here(input, context))
}

/// What the operator agreed to leave out is an exception also where no check would miss it, as in an application's own rows.
fn left_out(database: &InputDatabase<'_>, findings: &Findings<'_>) {
    for (first, last) in &database.quarantined {
        let place = Place { database: &database.name, key: first, height: None };
        let expected = format!("the source's rows from here to {}", report::printable(last));
        findings.report(What::Missing, place, &expected, &"left out: they are damaged in the source");
    }
}

fn check_here(input: &Input<'_>, context: &Context<'_>) -> Result<Report, VerifyError> {
    let findings = Findings::new(Quarantine::of(&input.databases));
    let mut report = Report::default();
    for database in &input.databases {
        database.store.remarks().into_iter().for_each(|remark| findings.remark(format!("{}: {remark}", database.name)));
    }
    input.databases.iter().for_each(|database| left_out(database, &findings));
    let stored = chain::stored_heights(&input.databases, &findings);
    let surveys = survey::run(&input.databases, stored.unwrap_or_default(), &findings, context)?;
    counts::write(&input.databases, &surveys, &findings, &mut report);
    chain::run(input, &surveys, stored, &findings, context, &mut report)?;
    findings.into_report(&mut report);
    Ok(report)
}
