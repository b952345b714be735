//! The switch: which databases the node opens, changed in journalled steps that can be repeated.
//!
//! Cut-over and rollback are the same walk in two directions. It is the only code that touches a
//! live folder, and it touches it by one atomic exchange.
//!
//! # Correctness
//! lock (flock and fcntl) → check that nothing moved → keep the configuration → record what will be
//! done → **start guard on** → exchange the folders, one after another → write the configuration,
//! which takes the guard off → commit record. While the guard is on no node starts. Each exchange is
//! recognised by inode, so a repeated walk never swaps back. A crash after any step is continued by
//! the same command, or taken back by a rollback. docs/safety.md has the table.

mod config;
mod error;
mod genesis;
mod locks;
mod steps;
mod tips;

pub use error::SwitchError;
pub use genesis::original_genesis;

use std::os::unix::fs::MetadataExt;

use ledger_formats::engine::fingerprint;

use crate::context::Context;
use crate::event::{Event, Exchange, SettingChange, Switch};
use crate::migration::{Core, Phase};
use crate::plan::PlannedDatabase;

/// Makes the new databases live.
pub(crate) fn cut_over(core: &mut Core, context: &Context<'_>) -> Result<(), SwitchError> {
    let _locks = locks::take(core)?;
    match core.phase() {
        Phase::Verified => begin_cut_over(core, context)?,
        Phase::CuttingOver => resume(core, context, refuse_moved)?,
        other => return Err(SwitchError::Phase { phase: other.name() }),
    }
    steps::walk(core, context)
}

/// Makes the old databases live again.
pub(crate) fn roll_back(core: &mut Core, context: &Context<'_>) -> Result<(), SwitchError> {
    let _locks = locks::take(core)?;
    match core.phase() {
        Phase::CutOver | Phase::CuttingOver => begin_rollback(core, context)?,
        Phase::RollingBack => resume(core, context, |core| {
            tips::refuse_lost_heights(core, context, |database| Ok(!is_exchanged(core, database)?))
        })?,
        other => return Err(SwitchError::Phase { phase: other.name() }),
    }
    steps::walk(core, context)
}

/// Goes on with a switch that was interrupted. Between its record and the start guard a node could
/// still be started, and write: what held when the switch began is therefore checked again. If it
/// does not hold any more and nothing was exchanged yet, the switch is taken for never begun.
fn resume(
    core: &mut Core,
    context: &Context<'_>,
    check: impl Fn(&Core) -> Result<(), SwitchError>,
) -> Result<(), SwitchError> {
    let Err(reason) = check(core) else { return Ok(()) };
    let mut exchanged = false;
    for database in &core.plan.databases {
        exchanged |= is_exchanged(core, database)?;
    }
    if !exchanged && !core.home.is_guarded() {
        core.record(context, Event::SwitchAbandoned { reason: reason.to_string() })?;
    }
    Err(reason)
}

/// Whether the switch that has begun has this database's folder in its place already.
fn is_exchanged(core: &Core, database: &PlannedDatabase) -> Result<bool, SwitchError> {
    let exchanges = core.history.switch.iter().flat_map(|switch| &switch.exchanges);
    let live = inode(&database.path)?;
    Ok(exchanges.into_iter().any(|exchange| exchange.database == database.name && exchange.inode == live))
}

fn begin_cut_over(core: &mut Core, context: &Context<'_>) -> Result<(), SwitchError> {
    refuse_moved(core)?;
    let exchanges = exchanges(core, |core, database| inode(&core.places(database).waiting))?;
    let settings = core
        .plan
        .settings
        .iter()
        .map(|planned| SettingChange {
            file: planned.file.clone(),
            key: planned.setting.key().to_owned(),
            from: planned.from.clone(),
            to: planned.to.clone(),
        })
        .collect();
    begin(core, context, Switch::CutOver, exchanges, settings)
}

fn begin_rollback(core: &mut Core, context: &Context<'_>) -> Result<(), SwitchError> {
    let Some(cut_over) = core.history.switch.clone() else {
        return Err(SwitchError::Phase { phase: core.phase().name() });
    };
    tips::refuse_lost_heights(core, context, |database| is_exchanged(core, database))?;
    // What the cut-over brought in goes out again: the folder that is not the cut-over's is the old one.
    let exchanges = exchanges(core, |core, database| {
        let places = core.places(database);
        let new = cut_over.exchanges.iter().find(|exchange| exchange.database == database.name);
        let (live, waiting) = (inode(&database.path)?, inode(&places.waiting)?);
        let is_new = |folder| new.is_some_and(|new| new.inode == folder);
        if is_new(live) {
            return Ok(waiting);
        }
        if is_new(waiting) {
            return Ok(live);
        }
        // Copied back from a backup, for instance: which of the two is the old one can no longer be told.
        Err(SwitchError::FolderUnknown {
            database: database.name.clone(),
            live: database.path.clone(),
            waiting: places.waiting,
        })
    })?;
    let settings = cut_over
        .settings
        .iter()
        .map(|change| SettingChange { from: change.to.clone(), to: change.from.clone(), ..change.clone() })
        .collect();
    begin(core, context, Switch::Rollback, exchanges, settings)
}

fn begin(
    core: &mut Core,
    context: &Context<'_>,
    switch: Switch,
    exchanges: Vec<Exchange>,
    settings: Vec<SettingChange>,
) -> Result<(), SwitchError> {
    config::keep(core, switch)?;
    genesis::keep(core, switch)?;
    core.record(context, Event::SwitchBegun { switch, exchanges, settings })?;
    Ok(())
}

fn exchanges(
    core: &Core,
    wanted: impl Fn(&Core, &PlannedDatabase) -> Result<u64, SwitchError>,
) -> Result<Vec<Exchange>, SwitchError> {
    core.plan
        .databases
        .iter()
        .map(|database| {
            Ok(Exchange {
                database: database.name.clone(),
                live: database.path.clone(),
                waiting: core.places(database).waiting,
                inode: wanted(core, database)?,
            })
        })
        .collect()
}

fn inode(path: &std::path::Path) -> Result<u64, SwitchError> {
    let meta = std::fs::metadata(path).map_err(|source| SwitchError::Read { path: path.to_path_buf(), source })?;
    Ok(meta.ino())
}

/// Refuses when a source has changed since its snapshot, or a target since it was sealed.
fn refuse_moved(core: &Core) -> Result<(), SwitchError> {
    for database in &core.plan.databases {
        if is_exchanged(core, database)? {
            continue;
        }
        let history = &core.history.databases[&database.name];
        let print = |path: &std::path::Path| {
            fingerprint::fingerprint(path)
                .map(hex::encode)
                .map_err(|source| SwitchError::Store { database: database.name.clone(), source })
        };
        if print(&database.path)? != history.source_fingerprint {
            return Err(SwitchError::SourceMoved { database: database.name.clone() });
        }
        if Some(print(&core.places(database).waiting)?) != history.sealed {
            return Err(SwitchError::TargetMoved { database: database.name.clone() });
        }
    }
    Ok(())
}
