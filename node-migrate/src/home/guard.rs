//! The start guard: while databases change places, the configuration names an engine that no node knows, so that a node which is started
//! in the middle exits by itself and touches nothing.
//!
//! # Correctness
//! On: `app-db-backend` first, then `db_backend`. A Cosmos SDK node opens its application's database before it looks at `db_backend`, so
//! the guard in `app.toml` must stand whenever the one in `config.toml` does; off is the reverse order. Every file is replaced in one
//! piece, and both directions are computed from the text before the guard, so a step that is repeated after a crash writes the same
//! bytes. The text before the guard is the caller's to keep: once the guard is on, no file on disk has it.

use std::fs;
use std::path::PathBuf;

use ledger_formats::durable::{self, DurableError};

use super::Home;
use super::setting::Setting;
use super::settings::{read, rewrite};
use super::toml_text::TomlFault;

/// The engine that no node knows. Every release says `unknown db_backend node-migrate-cut-over-in-progress` and exits.
pub const GUARD: &str = "node-migrate-cut-over-in-progress";

/// Why the guard cannot be put on or taken off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The guard is on already: another run left it, and that run's journal has the text before it.
    #[error("{file} says {GUARD}: a cut-over or rollback was interrupted and must be finished first")]
    AlreadyOn {
        /// The file.
        file: PathBuf,
    },
    /// The file cannot be read.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not what [`Home::open`] read.
    #[error("{file}: {fault}")]
    Broken {
        /// The file.
        file: PathBuf,
        /// Line and reason.
        fault: TomlFault,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] DurableError),
}

/// A configuration file as it was before the guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// The setting that the guard takes over.
    pub setting: Setting,
    /// The file, symlinks resolved.
    pub file: PathBuf,
    /// Its whole text.
    pub text: String,
}

/// Reads the configuration files that the home has, in the order in which the guard goes on.
///
/// # Errors
/// [`GuardError::AlreadyOn`] when one holds the guard; or a file that cannot be read.
pub fn originals(home: &Home) -> Result<Vec<Original>, GuardError> {
    let mut found = Vec::new();
    for setting in Setting::ALL {
        let Some((file, _)) = home.setting(setting) else { continue };
        let text = fs::read_to_string(&file).map_err(|source| GuardError::Io { file: file.clone(), source })?;
        let original = Original { setting, file, text };
        if original.value()?.as_deref() == Some(GUARD) {
            return Err(GuardError::AlreadyOn { file: original.file });
        }
        found.push(original);
    }
    Ok(found)
}

impl Original {
    /// The setting's value before the guard; `None` when the key is missing.
    ///
    /// # Errors
    /// [`GuardError::Broken`] when the text is not TOML.
    pub fn value(&self) -> Result<Option<String>, GuardError> {
        read(&self.text, self.setting).map_err(|fault| self.broken(fault))
    }

    /// The text with the guard on.
    ///
    /// # Errors
    /// [`GuardError::Broken`] when the text is not TOML.
    pub fn guarded_text(&self) -> Result<String, GuardError> {
        self.text_with(GUARD)
    }

    /// The text with `value`, or the text as it was for `None`.
    ///
    /// # Errors
    /// [`GuardError::Broken`] when the text is not TOML.
    pub fn final_text(&self, value: Option<&str>) -> Result<String, GuardError> {
        value.map_or_else(|| Ok(self.text.clone()), |value| self.text_with(value))
    }

    /// Puts the guard on this file.
    ///
    /// # Errors
    /// When the file cannot be written; it is then as before.
    pub fn put_on(&self) -> Result<(), GuardError> {
        Ok(durable::write_file(&self.file, self.guarded_text()?.as_bytes())?)
    }

    /// Takes the guard off this file, leaving `value` (`None`: what it was).
    ///
    /// # Errors
    /// When the file cannot be written; the guard is then still on.
    pub fn take_off(&self, value: Option<&str>) -> Result<(), GuardError> {
        Ok(durable::write_file(&self.file, self.final_text(value)?.as_bytes())?)
    }

    fn text_with(&self, value: &str) -> Result<String, GuardError> {
        let rewritten = rewrite(&self.text, self.setting, value).map_err(|fault| self.broken(fault))?;
        Ok(rewritten.or(&self.text))
    }

    fn broken(&self, fault: TomlFault) -> GuardError {
        GuardError::Broken { file: self.file.clone(), fault }
    }
}

/// Puts the guard on all files, given in the order of [`originals`].
///
/// # Errors
/// When a file cannot be written; those before it have the guard.
pub fn put_on(originals: &[Original]) -> Result<(), GuardError> {
    originals.iter().try_for_each(Original::put_on)
}

/// Takes the guard off all files, the last one first, leaving what `value_of` says (`None`: what it was).
///
/// # Errors
/// When a file cannot be written; it and those before it in `originals` still have the guard.
pub fn take_off<'v>(originals: &[Original], value_of: impl Fn(Setting) -> Option<&'v str>) -> Result<(), GuardError> {
    originals.iter().rev().try_for_each(|original| original.take_off(value_of(original.setting)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::HomeDir;
    use super::{GUARD, GuardError, originals, put_on, take_off};
    use crate::home::{Home, Setting};

    const CONFIG: &str = "# the node\r\ndb_backend = 'goleveldb' # why\r\n";
    const APP: &str = "pruning = \"default\"\n[api]\nenable = true\n";

    fn home_dir() -> HomeDir {
        HomeDir::with_databases(&["blockstore.db", "application.db"]).config(CONFIG).app(APP)
    }

    #[test]
    fn the_guard_goes_on_and_off_around_the_original() {
        let dir = home_dir();
        let before = originals(&dir.open().expect("opens")).expect("reads");
        assert_eq!(before.iter().map(|file| file.setting).collect::<Vec<_>>(), Setting::ALL);
        put_on(&before).expect("writes");
        let guarded = dir.open().expect("opens");
        assert!(guarded.is_guarded());
        assert_eq!(dir.read("config/config.toml"), CONFIG.replace("'goleveldb'", &format!("\"{GUARD}\"")));
        assert_eq!(dir.read("config/app.toml"), format!("app-db-backend = \"{GUARD}\"\n{APP}"));
        assert!(matches!(originals(&guarded), Err(GuardError::AlreadyOn { .. })));

        take_off(&before, |setting| (setting == Setting::DbBackend).then_some("pebbledb")).expect("writes");
        assert!(!dir.open().expect("opens").is_guarded());
        assert_eq!(dir.read("config/config.toml"), CONFIG.replace("'goleveldb'", "\"pebbledb\""));
        assert_eq!(dir.read("config/app.toml"), APP);
    }

    #[test]
    fn repeated_steps_write_the_same_bytes() {
        let dir = home_dir();
        let before = originals(&dir.open().expect("opens")).expect("reads");
        for _ in 0..2 {
            put_on(&before).expect("writes");
        }
        for _ in 0..2 {
            take_off(&before, |_| None).expect("writes");
            assert_eq!((dir.read("config/config.toml").as_str(), dir.read("config/app.toml").as_str()), (CONFIG, APP));
        }
    }

    #[test]
    fn the_guard_on_either_file_is_seen() {
        let dir = home_dir();
        let before = originals(&dir.open().expect("opens")).expect("reads");
        before[0].put_on().expect("writes");
        assert!(dir.open().expect("opens").is_guarded());
        assert!(matches!(originals(&dir.open().expect("opens")), Err(GuardError::AlreadyOn { .. })));
    }

    #[test]
    fn a_linked_file_is_rewritten_where_it_is() {
        let dir = home_dir();
        let managed = dir.path().join("managed.toml");
        std::fs::rename(dir.path().join("config/app.toml"), &managed).expect("renames");
        std::os::unix::fs::symlink(&managed, dir.path().join("config/app.toml")).expect("links");
        put_on(&originals(&Home::open(dir.path()).expect("opens")).expect("reads")).expect("writes");
        assert!(std::fs::symlink_metadata(dir.path().join("config/app.toml")).expect("is there").is_symlink());
        assert!(dir.read("managed.toml").contains(GUARD));
    }
}
