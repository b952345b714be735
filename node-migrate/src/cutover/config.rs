//! The configuration during a switch: kept as it was, guarded, written with the final values.

use std::path::PathBuf;

use ledger_formats::durable;

use super::SwitchError;
use crate::event::{SettingChange, Switch};
use crate::home::Setting;
use crate::home::guard::{self, GuardError, Original};
use crate::migration::Core;

/// Keeps the configuration files as they are in the workspace. Must be done before the guard goes
/// on: afterwards no other file has their text.
pub(super) fn keep(core: &Core, switch: Switch) -> Result<(), SwitchError> {
    // An interrupted cut-over that is rolled back has the guard on: the text before it is the one
    // that the cut-over kept.
    let originals = match guard::originals(&core.home) {
        Err(GuardError::AlreadyOn { .. }) if switch == Switch::Rollback => kept(core, Switch::CutOver)?,
        other => other?,
    };
    durable::create_dir_all(&core.workspace.config())?;
    for original in originals {
        durable::write_file(&place(core, switch, original.setting), original.text.as_bytes())?;
    }
    Ok(())
}

/// The files that [`keep`] kept.
pub(super) fn kept(core: &Core, switch: Switch) -> Result<Vec<Original>, SwitchError> {
    let mut originals = Vec::new();
    for setting in Setting::ALL {
        let Some((file, _)) = core.home.setting(setting) else { continue };
        let path = place(core, switch, setting);
        let text = std::fs::read_to_string(&path).map_err(|source| SwitchError::Read { path, source })?;
        originals.push(Original { setting, file, text });
    }
    Ok(originals)
}

/// Puts the start guard on.
pub(super) fn guard_on(core: &Core, switch: Switch) -> Result<(), SwitchError> {
    Ok(guard::put_on(&kept(core, switch)?)?)
}

/// Writes the final values, which takes the guard off.
pub(super) fn guard_off(core: &Core, switch: Switch, settings: &[SettingChange]) -> Result<(), SwitchError> {
    let value =
        |setting: Setting| settings.iter().find(|change| change.key == setting.key()).map(|change| change.to.as_str());
    Ok(guard::take_off(&kept(core, switch)?, value)?)
}

fn place(core: &Core, switch: Switch, setting: Setting) -> PathBuf {
    let before = match switch {
        Switch::CutOver => "before-cut-over",
        Switch::Rollback => "before-rollback",
    };
    core.workspace.config().join(format!("{before}-{}", setting.file_name()))
}
