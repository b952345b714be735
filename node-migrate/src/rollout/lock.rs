//! The lock of a rollout's log: one controller at a time, and it is named.
//!
//! # Correctness
//! The lock is the kernel's (`flock`), so it goes with the process however that ends; the name in the
//! file is only for people.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Longest name of an owner that is read.
const OWNER_BYTES_MAX: u64 = 200;

/// The lock; ends with the value, or the process.
#[derive(Debug)]
pub struct Lock {
    _file: File,
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
        let options = || File::options().create(true).truncate(false).read(true).write(true).open(path);
        let mut file = options().map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut name = String::new();
                // A name that cannot be read leaves the fact that somebody is there.
                let _ = file.take(OWNER_BYTES_MAX).read_to_string(&mut name);
                return Err(LockError::Busy { path: path.to_path_buf(), owner: name.trim().to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{owner}")).map_err(io)?;
        Ok(Self { _file: file })
    }
}
