//! The genesis file during a switch: kept as it was, edited as planned, put back by a rollback.
//!
//! # Correctness
//! The old file is kept in the workspace before the switch is recorded. It is replaced in one piece while the start
//! guard is on; both directions write the same bytes when they are repeated. A file that is neither the old nor the
//! new one has been changed by somebody else since: a cut-over refuses it, a rollback leaves it alone.

use std::path::{Path, PathBuf};

use ledger_formats::durable;
use sha2::{Digest, Sha256};

use super::SwitchError;
use crate::event::Switch;
use crate::formats::{PlannedGenesis, genesis};
use crate::home::Home;
use crate::migration::Core;
use crate::workspace::{WorkspaceError, Workspaces};

/// Name of the file in the workspace that keeps the old one.
const KEPT: &str = "before-cut-over-genesis.json";

/// Keeps the file as it is before a cut-over.
pub(super) fn keep(core: &Core, switch: Switch) -> Result<(), SwitchError> {
    let (Some(planned), Switch::CutOver) = (&core.plan.genesis, switch) else { return Ok(()) };
    let text = read(&planned.file)?;
    if sha256(&text) != planned.sha256_before {
        return Err(SwitchError::GenesisMoved { path: planned.file.clone() });
    }
    durable::create_dir_all(&core.workspace.config())?;
    Ok(durable::write_file(&kept(core), text.as_bytes())?)
}

/// Writes the file that belongs to the databases which the switch makes live.
pub(super) fn write(core: &Core, switch: Switch, planned: &PlannedGenesis) -> Result<(), SwitchError> {
    let old = read(&kept(core))?;
    let now = sha256(&read(&planned.file)?);
    match switch {
        Switch::CutOver if now == planned.sha256_after => Ok(()),
        Switch::CutOver if now == planned.sha256_before => {
            let edited = genesis::edited(&old, planned.dialect).ok().flatten();
            let edited = edited.filter(|text| sha256(text) == planned.sha256_after);
            let edited = edited.ok_or_else(|| SwitchError::GenesisMoved { path: kept(core) })?;
            Ok(durable::write_file(&planned.file, edited.as_bytes())?)
        }
        Switch::CutOver => Err(SwitchError::GenesisMoved { path: planned.file.clone() }),
        Switch::Rollback if now == planned.sha256_after => Ok(durable::write_file(&planned.file, old.as_bytes())?),
        Switch::Rollback => Ok(()),
    }
}

/// The genesis file as the chain distributes it: the one that the first conversion of the home replaced, else the home's.
///
/// # Errors
/// When the workspaces cannot be listed.
pub fn original_genesis(home: &Home) -> Result<PathBuf, WorkspaceError> {
    let mut kept = Workspaces::of(&home.db_dir).list()?.into_iter().map(|workspace| workspace.config().join(KEPT));
    Ok(kept.find(|path| path.is_file()).unwrap_or_else(|| home.genesis_file()))
}

fn kept(core: &Core) -> PathBuf {
    core.workspace.config().join(KEPT)
}

fn read(path: &Path) -> Result<String, SwitchError> {
    std::fs::read_to_string(path).map_err(|source| SwitchError::Read { path: path.to_path_buf(), source })
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
