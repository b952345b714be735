//! The one place from which this project changes what is on disk.
//!
//! Every function is one durable step: when it has returned, its effect outlives a power cut. No
//! other module may create, rename, link or remove a file (the C++ and sled engines, which write
//! themselves, are bracketed with [`step`]).
//!
//! # Correctness
//! New file: written under a temporary name, fsynced, renamed, folder fsynced. Rename, link, remove:
//! folder fsynced. Each step first asks the process-wide observer, through which the crash tests
//! stop the process before any chosen step and fault tests let it fail; see [`observe`].

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{Advice, CWD, RenameFlags, fadvise, renameat_with};

/// A step that failed: what was tried, where, and the system's error.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step} {path}: {source}")]
pub struct DurableError {
    /// The step, as a verb phrase.
    pub step: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// The system's error.
    pub source: io::Error,
}

/// Sees each step before it happens; an error makes the step fail instead.
pub type Observer = Box<dyn Fn(&'static str, &Path) -> io::Result<()> + Send + Sync>;

static OBSERVER: OnceLock<Observer> = OnceLock::new();

/// Installs the observer of all steps of this process. Only the first one counts.
pub fn observe(observer: Observer) {
    let _ = OBSERVER.set(observer);
}

/// Runs one step under the observer's eyes.
///
/// # Errors
/// The observer's or the action's, with the step's name and place.
pub fn step<T>(name: &'static str, path: &Path, action: impl FnOnce() -> io::Result<T>) -> Result<T, DurableError> {
    let seen = OBSERVER.get().map_or(Ok(()), |observer| observer(name, path));
    seen.and_then(|()| action()).map_err(|source| DurableError { step: name, path: path.to_path_buf(), source })
}

/// Makes the names inside a folder durable.
///
/// # Errors
/// When the folder cannot be opened or synced.
pub fn sync_dir(dir: &Path) -> Result<(), DurableError> {
    step("sync folder", dir, || File::open(dir)?.sync_all())
}

fn sync_parent(path: &Path) -> Result<(), DurableError> {
    path.parent().map_or(Ok(()), |parent| sync_dir(if parent.as_os_str().is_empty() { Path::new(".") } else { parent }))
}

/// Creates a folder and its missing parents.
///
/// # Errors
/// When it cannot be created.
pub fn create_dir_all(dir: &Path) -> Result<(), DurableError> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent()
        && !parent.as_os_str().is_empty()
    {
        create_dir_all(parent)?;
    }
    step("create folder", dir, || match fs::create_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        other => other,
    })?;
    sync_parent(dir)
}

/// Replaces or creates a small file in one piece: readers see the old content or the new one.
/// Permissions and owner of a file that was there are kept.
///
/// # Errors
/// When any of write, fsync, rename fails; the old file is then untouched.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), DurableError> {
    let temporary = with_suffix(path, ".tmp");
    step("write", &temporary, || {
        let mut file = File::create(&temporary)?;
        if let Ok(old) = fs::metadata(path) {
            file.set_permissions(old.permissions())?;
            let new = file.metadata()?;
            if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
                fchown(&file, Some(old.uid()), Some(old.gid()))?;
            }
        }
        file.write_all(content)?;
        file.sync_all()
    })?;
    rename(&temporary, path)
}

/// Creates a small file that only its owner may read; one that is there is replaced.
///
/// # Errors
/// As [`write_file`].
pub fn write_secret(path: &Path, content: &[u8]) -> Result<(), DurableError> {
    let temporary = with_suffix(path, ".tmp");
    step("write", &temporary, || {
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(content)?;
        file.sync_all()
    })?;
    rename(&temporary, path)
}

/// Renames inside one file system, replacing a file that is there.
///
/// # Errors
/// When the rename fails, for example across file systems.
pub fn rename(from: &Path, to: &Path) -> Result<(), DurableError> {
    step("rename to", to, || fs::rename(from, to))?;
    sync_parent(to)?;
    if from.parent() != to.parent() {
        sync_parent(from)?;
    }
    Ok(())
}

/// Renames inside one file system. The folders are not synced: callers rename many files, then
/// [`sync_dir`] both folders.
///
/// # Errors
/// When the rename fails, for example across file systems.
pub fn rename_unsynced(from: &Path, to: &Path) -> Result<(), DurableError> {
    step("rename to", to, || fs::rename(from, to))
}

/// Exchanges two names atomically (`renameat2` with `RENAME_EXCHANGE`).
///
/// # Errors
/// When either does not exist, or the file system cannot exchange.
pub fn exchange(a: &Path, b: &Path) -> Result<(), DurableError> {
    step("exchange", a, || renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).map_err(io::Error::from))?;
    sync_parent(a)?;
    sync_parent(b)
}

/// Gives a file a second name. The folder is not synced: callers link many files, then [`sync_dir`].
///
/// # Errors
/// When the file system cannot link, or forbids it for this user.
pub fn hard_link(from: &Path, to: &Path) -> Result<(), DurableError> {
    step("link", to, || fs::hard_link(from, to))
}

/// Copies at most `length` bytes of a file and fsyncs the copy; returns the bytes copied.
///
/// # Errors
/// When reading or writing fails.
pub fn copy_file(from: &Path, to: &Path, length: u64) -> Result<u64, DurableError> {
    use std::io::Read;
    step("copy to", to, || {
        let mut source = File::open(from)?.take(length);
        let mut target = File::create(to)?;
        let copied = io::copy(&mut source, &mut target)?;
        target.sync_all()?;
        Ok(copied)
    })
}

/// Removes a file; one that is not there is no error.
///
/// # Errors
/// When it is there and cannot be removed.
pub fn remove_file(path: &Path) -> Result<(), DurableError> {
    step("remove", path, || match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    })?;
    sync_parent_if_there(path)
}

/// Removes a folder with all it holds; one that is not there is no error.
///
/// # Errors
/// When it is there and cannot be removed.
pub fn remove_dir_all(path: &Path) -> Result<(), DurableError> {
    step("remove folder", path, || match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    })?;
    sync_parent_if_there(path)
}

/// What was removed before may have lain in a folder that is gone by now as well.
fn sync_parent_if_there(path: &Path) -> Result<(), DurableError> {
    match sync_parent(path) {
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A new file that is written from front to back and becomes durable by [`NewFile::finish`].
/// Dropped without it, the file stays as a torso that nothing names.
#[derive(Debug)]
pub struct NewFile {
    file: io::BufWriter<File>,
    path: PathBuf,
    written: u64,
}

impl NewFile {
    /// Creates the file, emptying one that is there.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(path: &Path) -> Result<Self, DurableError> {
        let file = step("create", path, || File::create(path))?;
        Ok(Self { file: io::BufWriter::with_capacity(256 << 10, file), path: path.to_path_buf(), written: 0 })
    }

    /// Appends bytes (buffered: no step of its own).
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<(), DurableError> {
        self.file.write_all(bytes).map_err(|source| DurableError { step: "write", path: self.path.clone(), source })?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Bytes appended so far, which is the offset of the next one.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Flushes and fsyncs the content; the name is durable after [`sync_dir`] of its folder. The system is asked to forget the
    /// content, so that what is read from here on comes from the disk, and what other programs keep in memory stays there.
    ///
    /// # Errors
    /// When flush or fsync fails.
    pub fn finish(self) -> Result<u64, DurableError> {
        let Self { file, path, written } = self;
        step("sync", &path, || {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            // An advice: a file system that does not take it is none the worse.
            let _ = fadvise(&file, 0, None, Advice::DontNeed);
            Ok(())
        })?;
        Ok(written)
    }
}

/// A file that only grows, one durable record at a time.
#[derive(Debug)]
pub struct AppendFile {
    file: File,
    path: PathBuf,
}

impl AppendFile {
    /// Opens or creates the file, cut back to `length` bytes (what a reader found whole).
    ///
    /// # Errors
    /// When it cannot be opened, cut or synced.
    pub fn open(path: &Path, length: u64) -> Result<Self, DurableError> {
        let file = step("open", path, || {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            if file.metadata()?.len() > length {
                file.set_len(length)?;
            }
            file.sync_all()?;
            Ok(file)
        })?;
        sync_parent(path)?;
        Ok(Self { file, path: path.to_path_buf() })
    }

    /// Appends bytes in one write and fsyncs them.
    ///
    /// # Errors
    /// When the write or fsync fails; a torn record may then be at the end.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), DurableError> {
        step("append to", &self.path, || {
            self.file.write_all(bytes)?;
            self.file.sync_data()
        })
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::{remove_dir_all, remove_file};

    #[test]
    fn removing_what_is_gone_with_its_folder_is_no_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let gone = folder.path().join("folder/database");
        remove_dir_all(&gone).expect("nothing to do");
        remove_file(&gone).expect("nothing to do");
    }
}
