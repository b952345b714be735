//! The lock of a rollout's log: one controller at a time, and it is named.
//!
//! # Correctness
//! The lock is the kernel's (`flock`), so it goes with the process however that ends; the name in the
//! file is only for people.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ledger_formats::engine::lock::LockedFile;

/// Longest name of an owner that is read.
const OWNER_BYTES_MAX: u64 = 200;

/// The lock; ends with the value, or the process.
#[derive(Debug)]
pub struct Lock {
    _file: LockedFile,
}

/// Why it cannot be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody has it.
    #[error("another controller works on this rollout: {owner} ({path} is locked)")]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// Who.
        owner: String,
    },
    /// The file cannot be used.
    #[error("cannot lock {path}: {source}")]
    Io {
        /// The lock file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock at `path` in the name of `owner`.
    ///
    /// # Errors
    /// [`LockError::Busy`] when another process has it.
    pub fn take(path: &Path, owner: &str) -> Result<Self, LockError> {
        let io = |source| LockError::Io { path: path.to_path_buf(), source };
        let open = File::options().create(true).truncate(false).write(true).open(path).map_err(io)?;
        let locked = LockedFile::take(open).map_err(|error| match error {
            TryLockError::WouldBlock => LockError::Busy { path: path.to_path_buf(), owner: owner_in(path) },
            TryLockError::Error(source) => io(source),
        })?;
        let mut file = locked.file();
        file.set_len(0).and_then(|()| writeln!(file, "{owner}")).map_err(io)?;
        Ok(Self { _file: locked })
    }
}

/// Who wrote a name into the lock file; a name that cannot be read leaves the fact that somebody is there.
fn owner_in(path: &Path) -> String {
    let mut name = String::new();
    let _ = File::open(path).and_then(|file| file.take(OWNER_BYTES_MAX).read_to_string(&mut name));
    name.trim().to_owned()
}
