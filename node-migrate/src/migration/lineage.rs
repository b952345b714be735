//! Where the databases of a home came from: the last migration of each, and where both sides lie now. Reads only,
//! takes no lock.

use std::path::PathBuf;

use ledger_formats::engine::{EngineKind, TargetFormat};
use ledger_formats::store::KeyRange;

use super::core::{OpenError, places};
use super::history::{CopiedShard, DatabaseHistory, Phase};
use super::recorded::{Recorded, recorded};
use crate::formats::PlannedConversion;
use crate::home::Home;

/// The way of one database through its last migration.
#[derive(Clone, Debug)]
pub struct Lineage {
    /// The migration's id.
    pub migration: String,
    /// Where it stands.
    pub phase: Phase,
    /// The database.
    pub database: String,
    /// The engine of the source.
    pub from: EngineKind,
    /// What the database becomes.
    pub to: TargetFormat,
    /// What becomes of its keys and values; `None` when they stay byte for byte.
    pub conversion: Option<PlannedConversion>,
    /// Where the source lies; `None` once it is removed.
    pub source: Option<PathBuf>,
    /// Where the target lies; `None` before it is complete and after it is removed.
    pub target: Option<PathBuf>,
    copy: Option<DatabaseHistory>,
}

impl Lineage {
    /// The shard that copied a key, by the target's spelling: its number, its range, and what was read and written.
    #[must_use]
    pub fn shard(&self, key: &[u8]) -> Option<(u32, &KeyRange, &CopiedShard)> {
        let copy = self.copy.as_ref()?;
        let (number, range) = (0_u32..).zip(&copy.shards).find(|(_, range)| range.contains(key))?;
        Some((number, range, copy.copied.get(&number)?))
    }

    /// Shards in all.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.copy.as_ref().map_or(0, |copy| copy.shards.len())
    }
}

/// The last migration of each database of `home` that was not given up, by database.
///
/// # Errors
/// When a workspace cannot be read.
pub fn lineages(home: &Home) -> Result<Vec<Lineage>, OpenError> {
    let mut lineages: Vec<Lineage> = Vec::new();
    for migration in recorded(home)? {
        let phase = migration.phase();
        if phase == Phase::Discarded {
            continue;
        }
        let Recorded { workspace, plan, history, .. } = migration;
        let target = plan.target_format()?;
        for database in &plan.databases {
            let copy = history.databases.get(&database.name).cloned();
            let is_sealed = copy.as_ref().is_some_and(|copy| copy.sealed.is_some());
            let (live, waiting) = (database.path.clone(), places(&workspace, database).waiting);
            let (source, new) = match phase {
                Phase::CutOver | Phase::Finalised => (waiting, live),
                _ => (live, waiting),
            };
            let is_there = |folder: &PathBuf| folder.is_dir();
            lineages.retain(|older| older.database != database.name);
            lineages.push(Lineage {
                migration: workspace.id(),
                phase,
                database: database.name.clone(),
                from: database.engine,
                to: target,
                conversion: database.conversion.clone(),
                source: Some(source).filter(is_there),
                target: Some(new).filter(|folder| is_sealed && is_there(folder)),
                copy,
            });
        }
    }
    Ok(lineages)
}
