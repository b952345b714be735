//! Ownership of new files: what replaces a node's files must belong to the node's user.
//!
//! A tool run as root that left root's files behind would stop the node at its next start.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use ledger_formats::durable::{DurableError, step};

/// Gives `target` and all below it the owner, group and mode of `source` and of a file in it.
///
/// # Errors
/// When the owner differs and this user may not give files away.
pub fn adopt(source: &Path, target: &Path) -> Result<(), DurableError> {
    step("take over the owner of", target, || {
        let folder = fs::metadata(source)?;
        let file_mode =
            first_file(source)?.map_or(folder.permissions().mode() & 0o666, |file| file.permissions().mode());
        adopt_folder(target, &folder, file_mode)
    })
}

fn adopt_folder(dir: &Path, like: &fs::Metadata, file_mode: u32) -> std::io::Result<()> {
    give(dir, like, like.permissions().mode())?;
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() { adopt_folder(&path, like, file_mode)? } else { give(&path, like, file_mode)? }
    }
    Ok(())
}

fn first_file(dir: &Path) -> std::io::Result<Option<fs::Metadata>> {
    for entry in fs::read_dir(dir)? {
        let meta = entry?.metadata()?;
        if meta.is_file() {
            return Ok(Some(meta));
        }
    }
    Ok(None)
}

fn give(path: &Path, like: &fs::Metadata, mode: u32) -> std::io::Result<()> {
    let now = fs::metadata(path)?;
    if (now.uid(), now.gid()) != (like.uid(), like.gid()) {
        chown(path, Some(like.uid()), Some(like.gid()))?;
    }
    if now.permissions().mode() & 0o7777 != mode & 0o7777 {
        fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o7777))?;
    }
    Ok(())
}
