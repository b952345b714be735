//! The end of a migration: removing what is no longer needed. The journal and receipt always stay.

use std::path::Path;

use ledger_formats::durable::{self, DurableError};

use super::core::{Core, OpenError, places, read_plan};
use super::history::{History, Phase};
use crate::context::Context;
use crate::event::Event;
use crate::journal::{self, JournalError};
use crate::plan::Plan;
use crate::workspace::{FOLDER, Workspace, Workspaces};

/// Why a migration cannot be closed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// A cut-over has begun: the copies are, or may be, the node's databases.
    #[error("the cut-over has begun: roll back first, or finish it")]
    Switched,
    /// A switch is half done.
    #[error("the migration is {phase}: finish that first by the same command")]
    HalfDone {
        /// Where it stands.
        phase: &'static str,
    },
    /// A folder cannot be removed.
    #[error(transparent)]
    Remove(#[from] DurableError),
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Removes the databases that the node no longer opens.
pub(super) fn finalise(core: &mut Core, context: &Context<'_>) -> Result<u64, CloseError> {
    if !matches!(core.phase(), Phase::CutOver) {
        return Err(CloseError::HalfDone { phase: core.phase().name() });
    }
    let freed_bytes = remove_places(&core.workspace, &core.plan)?;
    core.record(context, Event::Finalised { freed_bytes })?;
    Ok(freed_bytes)
}

/// Removes the copies of a migration that has not been cut over.
pub(super) fn discard(core: &mut Core, context: &Context<'_>) -> Result<u64, CloseError> {
    if core.history.switch.is_some() {
        return Err(CloseError::Switched);
    }
    // The word comes first: a half-removed copy must never be taken for one to go on with.
    core.record(context, Event::Discarded)?;
    Ok(remove_places(&core.workspace, &core.plan)?)
}

/// Removes the copies of all closed migrations and gives their size.
pub(super) fn sweep(workspaces: &Workspaces) -> Result<u64, OpenError> {
    let mut bytes = 0;
    for workspace in workspaces.list()? {
        let contents = journal::read(&workspace.journal())?;
        if contents.records.is_empty() {
            continue;
        }
        let history = History::of(&contents.records);
        let plan = read_plan(&workspace, &history)?;
        if history.phase(plan.names()).is_closed() {
            bytes += remove_places(&workspace, &plan)?;
        }
    }
    Ok(bytes)
}

/// Removes all copies of a migration and gives their size.
fn remove_places(workspace: &Workspace, plan: &Plan) -> Result<u64, DurableError> {
    let mut bytes = 0;
    for database in &plan.databases {
        let places = places(workspace, database);
        bytes += size_of(&places.root);
        durable::remove_dir_all(&places.root)?;
        remove_empty_above(&places.root);
    }
    Ok(bytes)
}

/// Removes the folders above a removed one that are empty now, up to `.node-migrate` itself.
fn remove_empty_above(removed: &Path) {
    for folder in removed.ancestors().skip(1).take_while(|path| path.iter().any(|name| name == FOLDER)) {
        // One that is not empty stays, and so do those above it.
        if durable::step("remove folder", folder, || std::fs::remove_dir(folder)).is_err() {
            return;
        }
    }
}

fn size_of(path: &Path) -> u64 {
    let Ok(meta) = path.symlink_metadata() else { return 0 };
    if !meta.is_dir() {
        return meta.len();
    }
    std::fs::read_dir(path)
        .map(|entries| entries.flatten().map(|entry| size_of(&entry.path())).sum())
        .unwrap_or_default()
}
