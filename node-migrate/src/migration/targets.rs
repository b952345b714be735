//! The new databases of migrations that are under way, for those who read beside the migration. Takes no lock.

use std::path::PathBuf;

use super::core::{OpenError, places};
use super::history::Phase;
use super::recorded::recorded;
use crate::home::Home;

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
    for migration in recorded(home)?.iter().filter(|migration| migration.phase() == Phase::Verified) {
        found.extend(migration.plan.databases.iter().map(|database| {
            let path = places(&migration.workspace, database).waiting;
            Target { name: database.name.clone(), path }
        }));
    }
    Ok(found)
}
