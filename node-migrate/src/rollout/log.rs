//! The log of a rollout: one file, hash-chained, each record fsynced before what it decides is done.
//!
//! The form is a journal's ([`crate::journal`]); the lock beside it names the controller that holds it.
//!
//! # Correctness
//! Only [`Log`] writes, and only with the lock held, so that two controllers never act on one network.
//! Whoever only looks uses [`read`], which takes no lock.

use std::path::{Path, PathBuf};

use super::fact::Entry;
use super::lock::{Lock, LockError};
use crate::journal::{self, Contents, Journal, JournalError};

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Another controller has it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A time that no calendar has.
    #[error("the clock says {at_ms} ms since 1970, which is no time")]
    Clock {
        /// What the clock says.
        at_ms: u64,
    },
}

/// A log that is open for writing, locked.
#[derive(Debug)]
pub struct Log {
    journal: Journal<Entry>,
    path: PathBuf,
    _lock: Lock,
}

impl Log {
    /// Opens or creates the log at `path` for `owner`, and gives what it holds.
    ///
    /// # Errors
    /// [`LockError::Busy`] when another controller has it; damage; the file system.
    pub fn open(path: &Path, owner: &str) -> Result<(Self, Vec<Entry>), LogError> {
        let lock = Lock::take(&beside(path, ".lock"), owner)?;
        let (journal, contents) = Journal::open(path)?;
        let entries = contents.records.into_iter().map(|record| record.event).collect();
        Ok((Self { journal, path: path.to_path_buf(), _lock: lock }, entries))
    }

    /// Appends an entry, durably.
    ///
    /// # Errors
    /// When it could not be made durable: then it has not happened.
    pub fn append(&mut self, entry: Entry) -> Result<(), LogError> {
        let time = rfc3339(entry.at_ms)?;
        self.journal.append(time, entry)?;
        Ok(())
    }

    /// The folder for what actions say, beside the log.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        beside(&self.path, ".d")
    }
}

/// Reads a log without taking the lock; one that is not there is empty.
///
/// # Errors
/// Damage other than a torn end; the file system.
pub fn read(path: &Path) -> Result<Contents<Entry>, JournalError> {
    journal::read(path)
}

/// A time as the log spells it: RFC 3339 in UTC, to the second.
///
/// # Errors
/// For times after the year 9999.
pub fn rfc3339(at_ms: u64) -> Result<String, LogError> {
    let timestamp = i64::try_from(at_ms).ok().and_then(|at_ms| jiff::Timestamp::from_millisecond(at_ms).ok());
    let timestamp = timestamp.ok_or(LogError::Clock { at_ms })?;
    Ok(timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::fact::Fact;

    fn entry(at_ms: u64) -> Entry {
        Entry { at_ms, fact: Fact::Completed }
    }

    #[test]
    fn a_log_is_read_back_and_a_second_controller_is_refused_by_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("rollout.log");
        let (mut log, entries) = Log::open(&path, "first (pid 1)").expect("opens");
        assert!(entries.is_empty());
        log.append(entry(1_700_000_000_000)).expect("appends");
        let second = Log::open(&path, "second (pid 2)").expect_err("locked").to_string();
        assert!(second.contains("first (pid 1)"), "{second}");
        assert_eq!(read(&path).expect("reads").records[0].time, "2023-11-14T22:13:20Z");
        drop(log);
        let (_, entries) = Log::open(&path, "second (pid 2)").expect("opens");
        assert_eq!(entries, [entry(1_700_000_000_000)]);
    }

    #[test]
    fn a_changed_record_is_damage() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("rollout.log");
        let (mut log, _) = Log::open(&path, "first").expect("opens");
        log.append(entry(1000)).expect("appends");
        log.append(entry(2000)).expect("appends");
        drop(log);
        let text = std::fs::read(&path).expect("reads");
        let changed: Vec<u8> =
            text.iter().enumerate().map(|(at, byte)| if at == 40 { byte ^ 1 } else { *byte }).collect();
        std::fs::write(&path, changed).expect("writes");
        assert!(matches!(Log::open(&path, "first"), Err(LogError::Journal(JournalError::Damaged { .. }))));
    }
}
