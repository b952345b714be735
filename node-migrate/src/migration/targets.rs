//! The new databases of migrations that are under way, for those who read beside the migration. Takes no lock.

use std::path::PathBuf;

use super::core::{OpenError, places, read_plan};
use super::history::{History, Phase};
use crate::home::Home;
use crate::journal;
use crate::workspace::Workspaces;

/// A finished new database that the node does not open yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Name of the database, as `blockstore`.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
}

/// The verified databases of the migration of `home` that is under way; none before its verification and from the
/// cut-over on, when the folders change places.
///
/// # Errors
/// When a workspace cannot be read.
pub fn targets(home: &Home) -> Result<Vec<Target>, OpenError> {
    let mut found = Vec::new();
    for workspace in Workspaces::of(&home.db_dir).list()? {
        let contents = journal::read(&workspace.journal())?;
        if contents.records.is_empty() {
            continue;
        }
        let history = History::of(&contents.records);
        let plan = read_plan(&workspace, &history)?;
        if history.phase(plan.names()) == Phase::Verified {
            found.extend(plan.databases.iter().map(|database| {
                let path = places(&workspace, database).waiting;
                Target { name: database.name.clone(), path }
            }));
        }
    }
    Ok(found)
}
