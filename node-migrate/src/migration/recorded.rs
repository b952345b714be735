//! The migrations of a home as their journals and plans have them. Reads only, takes no lock.

use super::core::{OpenError, read_plan};
use super::history::{History, Phase};
use crate::home::Home;
use crate::journal;
use crate::plan::Plan;
use crate::workspace::{Workspace, Workspaces};

/// A migration that has begun.
pub(super) struct Recorded {
    pub workspace: Workspace,
    pub plan: Plan,
    pub history: History,
    /// Head of the journal's chain.
    pub journal_head: [u8; 32],
}

impl Recorded {
    pub fn phase(&self) -> Phase {
        self.history.phase(self.plan.names())
    }
}

/// The migrations of `home`, oldest first.
///
/// # Errors
/// When a workspace cannot be read.
pub(super) fn recorded(home: &Home) -> Result<Vec<Recorded>, OpenError> {
    let mut all = Vec::new();
    for workspace in Workspaces::of(&home.db_dir).list()? {
        let contents = journal::read(&workspace.journal())?;
        if contents.records.is_empty() {
            continue;
        }
        let history = History::of(&contents.records);
        let plan = read_plan(&workspace, &history)?;
        all.push(Recorded { workspace, plan, history, journal_head: contents.head });
    }
    Ok(all)
}
