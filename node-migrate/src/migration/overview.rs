//! All migrations of a home at a glance, for `status`. Reads only, takes no lock.

use serde::Serialize;

use super::core::OpenError;
use super::history::{Phase, Verdict};
use super::recorded::{Recorded, recorded};
use crate::home::Home;

/// One migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Its id, which begins with the time of its beginning.
    pub id: String,
    /// What the databases become.
    pub target: String,
    /// Where it stands.
    pub phase: &'static str,
    /// Its databases.
    pub databases: Vec<DatabaseOverview>,
    /// What an operator does next.
    pub next: &'static str,
    /// Head of the journal's chain, hex.
    pub journal_head: String,
}

/// One database of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DatabaseOverview {
    /// Its name.
    pub name: String,
    /// Shards in all.
    pub shards: usize,
    /// Shards that are done.
    pub copied: usize,
    /// Whether the target is complete.
    pub sealed: bool,
}

/// The migrations of `home`, oldest first.
///
/// # Errors
/// When a workspace cannot be read.
pub fn overview(home: &Home) -> Result<Vec<Overview>, OpenError> {
    let mut all = Vec::new();
    for migration in recorded(home)? {
        let phase = migration.phase();
        let Recorded { workspace, plan, history, journal_head } = migration;
        let databases = plan
            .names()
            .map(|name| {
                let database = history.databases.get(name);
                DatabaseOverview {
                    name: name.to_owned(),
                    shards: database.map_or(0, |database| database.shards.len()),
                    copied: database.map_or(0, |database| database.copied.len()),
                    sealed: database.is_some_and(|database| database.sealed.is_some()),
                }
            })
            .collect();
        all.push(Overview {
            id: workspace.id(),
            target: plan.target,
            phase: phase.name(),
            databases,
            next: next(phase, &history.verdict),
            journal_head: hex::encode(journal_head),
        });
    }
    Ok(all)
}

/// Where the newest migration of `home` stands; `None` when there never was one.
///
/// # Errors
/// When a workspace cannot be read.
pub fn phase(home: &Home) -> Result<Option<Phase>, OpenError> {
    Ok(recorded(home)?.last().map(Recorded::phase))
}

fn next(phase: Phase, verdict: &Verdict) -> &'static str {
    match phase {
        Phase::Copying => "run --execute goes on with the copy",
        Phase::Copied if matches!(verdict, Verdict::Failed { .. }) => {
            "verification failed: look at it with verify; discard --execute removes the copies"
        }
        Phase::Copied => "verify",
        Phase::Verified => "cutover --execute",
        Phase::CuttingOver => {
            "cutover --execute finishes the cut-over, rollback --execute takes it back; the node cannot start meanwhile"
        }
        Phase::CutOver => "start the node; later finalise --execute, or rollback --execute to go back",
        Phase::RollingBack => "rollback --execute finishes it; the node cannot start meanwhile",
        Phase::RolledBack => "start the node; finalise --execute removes the copies",
        Phase::Finalised | Phase::Discarded => "nothing",
    }
}
