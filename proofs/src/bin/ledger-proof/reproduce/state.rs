//! A walk that is put aside in a file, this program's own memory.

use std::path::Path;

use proofs::chain::{Walk, WalkState};

use super::fault::Fault;
use crate::failure::Failure;
use crate::files;

/// Keeps a walk durably.
pub(crate) fn write(path: &Path, walk: &Walk) -> Result<(), Failure> {
    files::replace(path, walk.state().to_string().as_bytes())
}

/// Takes a walk up; `None` if there is none yet.
pub(crate) fn read(path: &Path) -> Result<Option<Walk>, Failure> {
    let Some(bytes) = files::read_if_exists(path)? else { return Ok(None) };
    let state = |reason: String| Fault::State { path: path.to_owned(), reason };
    let text = String::from_utf8(bytes).map_err(|error| state(error.to_string()))?;
    let parsed = WalkState::parse(&text).map_err(|error| state(error.to_string()))?;
    Ok(Some(Walk::resume(parsed).map_err(|error| state(error.to_string()))?))
}
