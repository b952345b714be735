//! Lineage: where a record lies in the source, what a migration did with it, where it lies in the target, and the path
//! from it to the roots that others can check.
//!
//! It reads and never writes. Both sides are asked for the record itself: what the plan says of its kind is held against
//! what is there.

mod error;
mod proof;
mod record;
mod side;
mod step;

pub use error::TraceError;
pub use proof::BlockProof;
pub use record::{RECORDS_MAX, Subject};
pub use side::{Sighting, TracedSide};
pub use step::{CopiedBy, Step};

use std::path::Path;

use ledger_formats::root::RecordProof;

use crate::context::Context;
use crate::home::{Database, Home};
use crate::migration::{self, Lineage, Phase};
use side::Sides;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// All records of a height in the block, state and evidence stores.
    Height(u64),
    /// One record, by its key in either layout.
    Key(Vec<u8>),
}

/// One record on its way.
#[derive(Clone, Debug)]
pub struct Traced {
    /// The database.
    pub database: String,
    /// The record.
    pub subject: Subject,
    /// Where it lies in the source, or in the only database there is.
    pub source: Option<Sighting>,
    /// What the migration did with it; `None` without a migration.
    pub step: Option<Step>,
    /// Where it lies in the target.
    pub target: Option<Sighting>,
    /// The path to the root of its database, in the target if it is there; `None` when none was asked for.
    pub proof: Option<RecordProof>,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The databases that were looked into.
    pub sides: Vec<TracedSide>,
    /// The records found.
    pub records: Vec<Traced>,
    /// The path from the block of the height to the root over all heights, where a block was traced.
    pub block: Option<BlockProof>,
}

/// What is asked, and of whom.
pub struct Request<'a> {
    /// The home.
    pub home: &'a Home,
    /// Those of its databases that are looked into.
    pub databases: &'a [&'a Database],
    /// What is looked for.
    pub question: &'a Question,
    /// Whether the node may be writing.
    pub is_running: bool,
    /// Whether paths are wanted: each database that has a record is then read once, whole.
    pub wants_proofs: bool,
    /// Where scratch copies go when none can be made beside a database.
    pub temporary: &'a Path,
}

/// Traces records, with the threads of the rayon pool that the caller is in.
///
/// # Errors
/// [`TraceError::NotFound`] when there is no such record; [`TraceError::HalfDone`] in the middle of a cut-over.
pub fn trace(request: &Request<'_>, context: &Context<'_>) -> Result<Answer, TraceError> {
    let Request { home, databases, question, wants_proofs, .. } = *request;
    let lineages = migration::lineages(home)?;
    let mut answer = Answer { sides: Vec::new(), records: Vec::new(), block: None };
    for database in databases {
        let lineage = lineages.iter().find(|lineage| lineage.database == database.name);
        if let Some(Lineage { phase: Phase::CuttingOver | Phase::RollingBack, .. }) = lineage {
            return Err(TraceError::HalfDone);
        }
        let sides = Sides::open(database, lineage, request, context)?;
        let mut traced = Vec::new();
        for subject in sides.subjects(question)? {
            traced.extend(sides.traced(subject)?);
        }
        if wants_proofs && !traced.is_empty() {
            proof::add(&sides, &mut traced, context)?;
            answer.block = answer.block.or(proof::of_block(&sides, &traced, context)?);
        }
        answer.sides.extend(sides.described());
        answer.records.extend(traced);
    }
    if answer.records.is_empty() {
        return Err(error::not_found(question, &answer.sides));
    }
    Ok(answer)
}
