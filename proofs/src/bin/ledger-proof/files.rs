//! Reading whole small files, and replacing a file so that a crash leaves the old or the new one.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::failure::Failure;

/// Longest file read: twice the longest note.
const BYTES_MAX: u64 = 2_000_000;

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |source| Failure::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Failure::TooLong { path: path.to_owned(), bytes_max: BYTES_MAX });
    }
    Ok(bytes)
}

/// Reads a file that may not be there.
pub(crate) fn read_if_exists(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Failure::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Writes a file that must not be there yet, readable by its owner only.
pub(crate) fn create_secret(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    write_to(&options, path, text.as_bytes()).and_then(|()| sync_folder(path)).map_err(failed_to_write(path))
}

/// Replaces a file.
///
/// # Correctness
/// Temporary file in the same folder, fsync, rename, fsync of the folder: when this returns, the new file is
/// there after a crash too; before, the old one is.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let temporary = with_suffix(path, ".new");
    let options = OpenOptions::new().write(true).create(true).truncate(true).clone();
    let written = write_to(&options, &temporary, bytes).and_then(|()| std::fs::rename(&temporary, path));
    written.and_then(|()| sync_folder(path)).map_err(failed_to_write(path))
}

/// Locks a file beside `path` until the lock is dropped.
pub(crate) fn lock(path: &Path) -> Result<File, Failure> {
    let beside = with_suffix(path, ".lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&beside);
    let file = file.map_err(failed_to_write(&beside))?;
    file.try_lock().map_err(|_| Failure::Locked { path: path.to_owned() })?;
    Ok(file)
}

fn write_to(options: &OpenOptions, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn failed_to_write(path: &Path) -> impl FnOnce(std::io::Error) -> Failure + use<> {
    let path = path.to_owned();
    |source| Failure::Write { path, source }
}
