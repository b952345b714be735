//! Whether a node runs on a home, by the locks that its engines hold. Asking takes no lock and changes nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use ledger_formats::engine::lock::{LockHolder, LockKind, holders};

use super::Home;

/// A lock on one of the home's databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseLock {
    /// The database's name.
    pub database: String,
    /// The locked file.
    pub file: PathBuf,
    /// How it is locked.
    pub kind: LockKind,
}

/// Why a home must be taken for one that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InUse {
    /// A process holds locks.
    By {
        /// Its number; `None` when it is in another pid namespace (a container).
        pid: Option<i32>,
        /// Its name and command line, as far as this user may see them.
        process: Option<String>,
        /// What it holds, by database.
        locks: Vec<DatabaseLock>,
    },
    /// It cannot be told whether somebody has a database open.
    Untold {
        /// The database's name.
        database: String,
        /// What stands in the way.
        reason: String,
    },
}

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By { pid, process, locks } => {
                match (process, pid) {
                    (Some(process), Some(pid)) => write!(f, "{process} (pid {pid})")?,
                    (None, Some(pid)) => write!(f, "pid {pid}")?,
                    _ => f.write_str("a process of another pid namespace")?,
                }
                for (at, lock) in locks.iter().enumerate() {
                    let kind = match lock.kind {
                        LockKind::Flock => "flock",
                        LockKind::Fcntl => "fcntl",
                    };
                    write!(f, "{} {} ({kind})", if at == 0 { " holds" } else { "," }, lock.file.display())?;
                }
                Ok(())
            }
            Self::Untold { database, reason } => write!(f, "it cannot be told who has {database} open: {reason}"),
        }
    }
}

/// Who has databases of `home` open, one entry for each process; empty when nobody is seen.
///
/// A `flock` (goleveldb, sled) that is held in a container which this process is not in or above cannot be seen; the cut-over, which
/// takes the locks itself, runs into it.
#[must_use]
pub fn running(home: &Home) -> Vec<InUse> {
    let mut processes: BTreeMap<(Option<i32>, Option<String>), Vec<DatabaseLock>> = BTreeMap::new();
    let mut untold = Vec::new();
    for database in &home.databases {
        let name = &database.name;
        match holders(&database.real_path) {
            Ok(found) => {
                for LockHolder { file, kind, pid, process } in found {
                    let lock = DatabaseLock { database: name.clone(), file, kind };
                    processes.entry((pid, process)).or_default().push(lock);
                }
            }
            Err(error) => untold.push(InUse::Untold { database: name.clone(), reason: error.to_string() }),
        }
    }
    let by = |((pid, process), locks)| InUse::By { pid, process, locks };
    processes.into_iter().map(by).chain(untold).collect()
}

#[cfg(test)]
mod tests {
    use ledger_formats::engine::lock::{LockKind, lock_exclusive};

    use super::super::tests::HomeDir;
    use super::{InUse, running};

    #[test]
    fn nobody_is_seen_on_a_home_at_rest() {
        let dir = HomeDir::with_databases(&["state.db"]);
        std::fs::write(dir.path().join("data/state.db/LOCK"), "").expect("writes");
        assert_eq!(running(&dir.open().expect("opens")), []);
    }

    #[test]
    fn the_locks_of_one_process_are_told_together() {
        let dir = HomeDir::with_databases(&["blockstore.db", "state.db"]);
        let home = dir.open().expect("opens");
        let locks: Vec<_> = home
            .databases
            .iter()
            .map(|database| {
                std::fs::write(database.path.join("LOCK"), "").expect("writes");
                lock_exclusive(&database.path).expect("locks").expect("has a lock file")
            })
            .collect();
        let seen = running(&home);
        let [InUse::By { pid, locks: told, .. }] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!(*pid, i32::try_from(std::process::id()).ok());
        for database in ["blockstore", "state"] {
            for kind in [LockKind::Flock, LockKind::Fcntl] {
                assert!(told.iter().any(|lock| lock.database == database && lock.kind == kind), "{told:?}");
            }
        }
        let text = seen[0].to_string();
        assert!(text.contains("data/state.db/LOCK (flock)") && text.contains(" holds "), "{text}");
        drop(locks);
        assert_eq!(running(&home), []);
    }

    #[test]
    fn what_cannot_be_told_is_said() {
        let untold = InUse::Untold { database: "state".to_owned(), reason: "/proc/locks: gone".to_owned() };
        assert_eq!(untold.to_string(), "it cannot be told who has state open: /proc/locks: gone");
    }
}
