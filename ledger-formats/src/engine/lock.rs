//! Who has a database open, told without taking a lock; and the lock that a cut-over takes.
//!
//! goleveldb and sled lock by `flock`, Pebble and RocksDB by `fcntl`; the two kinds do not see each
//! other. All but sled lock the file `LOCK`, sled its file `db`. The file stays when its holder goes,
//! so only the kernel knows: `/proc/locks` lists both kinds with pid, device and inode, but only those
//! of this pid namespace; `F_GETLK` sees `fcntl` locks of every namespace. An `flock` held in another
//! namespace (a container) cannot be seen by any question, only by trying, which
//! [`lock_exclusive`] does. (live.md section 6.)

mod locked_file;
mod proc_locks;

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, fcntl_getlk};

pub use locked_file::LockedFile;

/// The files that engines lock.
const LOCKED: [&str; 2] = ["LOCK", "db"];

/// How a lock was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// `flock(2)`: goleveldb, sled.
    Flock,
    /// `fcntl(2)`, also called POSIX: Pebble, RocksDB.
    Fcntl,
}

/// Somebody who has a database open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// The locked file.
    pub file: PathBuf,
    /// The kind of lock.
    pub kind: LockKind,
    /// The process; `None` when it is in another pid namespace (a container).
    pub pid: Option<i32>,
    /// Its name and command line, as far as this user may see them.
    pub process: Option<String>,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.process, self.pid) {
            (Some(process), Some(pid)) => write!(f, "{process} (pid {pid})"),
            (None, Some(pid)) => write!(f, "pid {pid}"),
            _ => f.write_str("a process of another pid namespace"),
        }
    }
}

/// Why locks cannot be told or taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody has the database open.
    #[error("{file} is locked by {}", holders.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Held {
        /// The locked file.
        file: PathBuf,
        /// Who holds it; a holder that cannot be seen is there without a pid.
        holders: Vec<LockHolder>,
    },
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl LockError {
    fn io(path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Io { path: path.to_path_buf(), source: source.into() }
    }
}

/// Who has the database in `dir` open. Takes no lock and changes nothing.
///
/// # Errors
/// When `/proc/locks` or the lock file cannot be read.
pub fn holders(dir: &Path) -> Result<Vec<LockHolder>, LockError> {
    let mut holders = Vec::new();
    for file in LOCKED.map(|name| dir.join(name)) {
        holders.extend(holders_of(&file)?);
    }
    Ok(holders)
}

/// Who has the database in `dir` open besides this process by [`lock_exclusive`]: while that holds, no engine can.
///
/// # Errors
/// As [`holders`].
pub fn other_holders(dir: &Path) -> Result<Vec<LockHolder>, LockError> {
    let mut holders = holders(dir)?;
    let (own, me) = (own(), i32::try_from(std::process::id()).ok());
    holders.retain(|holder| {
        let is_own = |meta: fs::Metadata| own.contains(&(meta.dev(), meta.ino()));
        holder.pid != me || !fs::metadata(&holder.file).is_ok_and(is_own)
    });
    Ok(holders)
}

fn holders_of(file: &Path) -> Result<Vec<LockHolder>, LockError> {
    let meta = match fs::metadata(file) {
        Ok(meta) if meta.is_file() => meta,
        Ok(_) => return Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LockError::io(file, error)),
    };
    let mut holders = proc_locks::of(file, meta.dev(), meta.ino())?;
    // Kept to the end, so that no other thread takes the lock while the file is open here.
    let own = own();
    if !own.contains(&(meta.dev(), meta.ino())) && !holders.iter().any(|holder| holder.kind == LockKind::Fcntl) {
        holders.extend(fcntl_holder(file)?);
    }
    Ok(holders)
}

/// Asks for the `fcntl` lock that stands in the way of an exclusive one.
fn fcntl_holder(file: &Path) -> Result<Option<LockHolder>, LockError> {
    let open = match File::open(file) {
        Ok(open) => open,
        // Who may not read the file has `/proc/locks` alone.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(LockError::io(file, error)),
    };
    let held = fcntl_getlk(&open, &Flock::from(FlockType::WriteLock)).map_err(|error| LockError::io(file, error))?;
    Ok(held.map(|held| {
        let pid = held.pid.map(rustix::process::Pid::as_raw_pid);
        let process = pid.and_then(proc_locks::process_name);
        LockHolder { file: file.to_path_buf(), kind: LockKind::Fcntl, pid, process }
    }))
}

/// Device and inode of the files that this process holds. An `fcntl` lock is lost when *any*
/// descriptor of its file is closed in this process, so a file in this list is not opened again.
static OWN: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());

fn own() -> MutexGuard<'static, Vec<(u64, u64)>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Both kinds of lock on the lock file of a database, held until dropped.
#[derive(Debug)]
pub struct HeldLock {
    path: PathBuf,
    identity: (u64, u64),
    /// Unlocked and closed, and so both locks let go, when this is dropped.
    _file: LockedFile,
}

impl HeldLock {
    /// The locked file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        own().retain(|held| *held != self.identity);
    }
}

/// Locks the database in `dir` against every engine: `flock` and `fcntl` on its lock file. Nothing is
/// created: `None` when there is no lock file, and then nothing is locked.
///
/// The `fcntl` half is lost when any other descriptor of the file is closed in this process. Reading
/// a database never opens `LOCK`; reading sled's files opens `db`, which sled guards by `flock` alone.
///
/// # Errors
/// [`LockError::Held`] with the holders when somebody has it open, this process included.
pub fn lock_exclusive(dir: &Path) -> Result<Option<HeldLock>, LockError> {
    let Some(path) = LOCKED.map(|name| dir.join(name)).into_iter().find(|path| path.is_file()) else {
        return Ok(None);
    };
    let meta = fs::metadata(&path).map_err(|error| LockError::io(&path, error))?;
    let identity = (meta.dev(), meta.ino());
    let mut own = own();
    if own.contains(&identity) {
        drop(own);
        return Err(held(&path));
    }
    let file = OpenOptions::new().read(true).write(true).open(&path).map_err(|error| LockError::io(&path, error))?;
    let locked = LockedFile::take(file).and_then(|file| {
        fcntl_exclusive(file.file())?;
        Ok(file)
    });
    match locked {
        Ok(file) => {
            own.push(identity);
            Ok(Some(HeldLock { path, identity, _file: file }))
        }
        Err(TryLockError::WouldBlock) => {
            drop(own);
            Err(held(&path))
        }
        Err(TryLockError::Error(other)) => Err(LockError::io(&path, other)),
    }
}

fn fcntl_exclusive(file: &File) -> Result<(), TryLockError> {
    fcntl_lock(file, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
        Errno::AGAIN | Errno::ACCESS => TryLockError::WouldBlock,
        other => TryLockError::Error(other.into()),
    })
}

/// Names who holds a file that could not be locked; somebody does, seen or not.
fn held(path: &Path) -> LockError {
    let mut holders = holders_of(path).unwrap_or_default();
    if holders.is_empty() {
        holders.push(LockHolder { file: path.to_path_buf(), kind: LockKind::Flock, pid: None, process: None });
    }
    LockError::Held { file: path.to_path_buf(), holders }
}

#[cfg(test)]
mod tests {
    use rustix::fs::flock;

    use super::*;

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("LOCK"), b"").unwrap();
        dir
    }

    #[test]
    fn a_lock_file_alone_says_nothing() {
        let dir = folder();
        assert_eq!(holders(dir.path()).unwrap(), []);
        assert_eq!(holders(&dir.path().join("absent")).unwrap(), []);
    }

    #[test]
    fn nothing_is_made_where_no_lock_file_is() {
        let dir = tempfile::tempdir().unwrap();
        assert!(lock_exclusive(dir.path()).unwrap().is_none());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn our_own_lock_is_seen_with_both_kinds_until_it_is_dropped() {
        let dir = folder();
        let lock = lock_exclusive(dir.path()).unwrap().unwrap();
        let me = i32::try_from(std::process::id()).unwrap();
        // Asked twice: asking must not let the lock go.
        for _ in 0..2 {
            let mut found: Vec<_> = holders(dir.path()).unwrap().iter().map(|h| (h.kind as u8, h.pid)).collect();
            found.sort_unstable();
            assert_eq!(found, [(LockKind::Flock as u8, Some(me)), (LockKind::Fcntl as u8, Some(me))]);
        }
        assert!(matches!(lock_exclusive(dir.path()), Err(LockError::Held { .. })));
        assert_eq!(holders(dir.path()).unwrap().len(), 2);
        assert_eq!(other_holders(dir.path()).unwrap(), []);
        drop(lock);
        assert_eq!(holders(dir.path()).unwrap(), []);
        assert!(lock_exclusive(dir.path()).unwrap().is_some());
    }

    #[test]
    fn a_foreign_flock_keeps_us_out_and_is_named() {
        let dir = folder();
        let other = File::open(dir.path().join("LOCK")).unwrap();
        flock(&other, FlockOperation::NonBlockingLockExclusive).unwrap();
        let found = holders(dir.path()).unwrap();
        assert_eq!(found.iter().map(|holder| holder.kind).collect::<Vec<_>>(), [LockKind::Flock]);
        assert!(found[0].process.is_some(), "{found:?}");
        // An engine within this process is not our lock.
        assert_eq!(other_holders(dir.path()).unwrap(), found);
        let refused = lock_exclusive(dir.path()).unwrap_err();
        assert!(refused.to_string().contains(&format!("pid {}", std::process::id())), "{refused}");
    }
}
