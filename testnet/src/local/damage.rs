//! What goes wrong on purpose, once: see [`crate::scenario::FaultKind`].

use std::path::{Path, PathBuf};

/// Why nothing could be damaged.
#[derive(Debug, thiserror::Error)]
#[error("cannot damage {}: {source}", .path.display())]
pub struct DamageError {
    path: PathBuf,
    source: std::io::Error,
}

/// Overwrites every table of the state database of a home in the new format with zeros; the second time, and while the home is in the
/// old format, nothing is done. Whether something was.
///
/// # Errors
/// [`DamageError`].
pub fn damage_once(home: &Path) -> Result<bool, DamageError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DamageError { path, source }
    };
    let (mark, config) = (home.with_extension("damaged"), home.join("config/config.toml"));
    let text = std::fs::read_to_string(&config).map_err(failed(&config))?;
    if mark.exists() || !text.lines().any(|line| line.trim() == "db_backend = \"rocksdb\"") {
        return Ok(false);
    }
    let state = home.join("data/state.db");
    for entry in std::fs::read_dir(&state).map_err(failed(&state))? {
        let path = entry.map_err(failed(&state))?.path();
        if path.extension().is_some_and(|extension| extension == "sst") {
            let bytes = std::fs::metadata(&path).map_err(failed(&path))?.len();
            let zeros = vec![0; usize::try_from(bytes).unwrap_or_default()];
            std::fs::write(&path, zeros).map_err(failed(&path))?;
        }
    }
    std::fs::write(&mark, b"").map_err(failed(&mark))?;
    Ok(true)
}
