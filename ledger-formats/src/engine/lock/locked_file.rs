//! A file locked by `flock(2)` that is let go by name.
//!
//! An `flock` belongs to the open file, not to the process: a child that is just being started has
//! inherited the descriptor and keeps the lock until its exec closes it. Closing alone therefore lets
//! go a moment too late wherever processes are started side by side; unlocking does so at once.

use std::fs::{File, TryLockError};

/// A locked file; unlocked when dropped.
#[derive(Debug)]
pub struct LockedFile(File);

impl LockedFile {
    /// Locks `file` against everybody else, or says at once that it cannot.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] when somebody has it.
    pub fn take(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(file))
    }

    /// The file.
    #[must_use]
    pub const fn file(&self) -> &File {
        &self.0
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        // What cannot be unlocked is let go by closing it.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_let_go_while_a_child_still_has_the_descriptor() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let open = || File::options().create(true).truncate(false).write(true).open(&path).unwrap();
        let file = open();
        // As a child between fork and exec has it.
        let inherited = file.try_clone().unwrap();
        let held = LockedFile::take(file).unwrap();
        assert!(matches!(LockedFile::take(open()), Err(TryLockError::WouldBlock)));
        drop(held);
        assert!(LockedFile::take(open()).is_ok());
        drop(inherited);
    }
}
