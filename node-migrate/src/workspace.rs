//! The workspace of a migration: `<db_dir>/.node-migrate/<id>/`, on the file system of the databases.
//!
//! ```text
//! journal              events, hash-chained (journal.rs)
//! plan.toml            the plan as signed off
//! report.json          the last verification
//! receipt.txt          the signed receipt of the cut-over
//! config/              configuration files as they were before the switch
//! databases/NAME/snapshot/   read-only view of the source
//! databases/NAME/patch       rows that repair a damaged source (mending/patch_file.rs)
//! databases/NAME/parts/      finished tables
//! databases/NAME/waiting/    before cut-over the new database, after it the old one
//! ```
//! A database that lives on another mount has its `databases/NAME` beside itself, under the same
//! `.node-migrate/<id>`, so that renames and links stay inside one file system.

use std::fs::{self, File, FileTimes, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger_formats::durable::{self, DurableError};
use ledger_formats::engine::lock::LockedFile;

/// Name of the folder that holds all workspaces, beside the databases.
pub const FOLDER: &str = ".node-migrate";

/// Why a workspace cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// Another process works in it.
    #[error("another node-migrate is at work on this home ({path} is locked)")]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// It cannot be read or locked.
    #[error("cannot use the workspace {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] DurableError),
}

/// The exclusive right to work on one home's migrations; ends with the value, or the process.
#[derive(Debug)]
pub struct Exclusive {
    _file: LockedFile,
}

/// The folder of all workspaces of a home, and the lock in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspaces {
    root: PathBuf,
}

impl Workspaces {
    /// Those of the home whose databases' folder is `db_dir` (symlinks resolved).
    #[must_use]
    pub fn of(db_dir: &Path) -> Self {
        Self { root: db_dir.join(FOLDER) }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// Creates the folder if need be; the folder of the databases keeps its times.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(&self) -> Result<(), DurableError> {
        create_beside(&self.root)
    }

    /// Creates the folder if need be and locks it against other processes.
    ///
    /// # Errors
    /// [`WorkspaceError::Busy`] when another process has it.
    pub fn lock(&self) -> Result<Exclusive, WorkspaceError> {
        create_beside(&self.root)?;
        let path = self.root.join("lock");
        let io = |source| WorkspaceError::Io { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
        match LockedFile::take(file) {
            Ok(file) => Ok(Exclusive { _file: file }),
            Err(TryLockError::WouldBlock) => Err(WorkspaceError::Busy { path }),
            Err(TryLockError::Error(source)) => Err(WorkspaceError::Io { path, source }),
        }
    }

    /// The workspaces that exist, oldest first (their ids begin with the time).
    ///
    /// # Errors
    /// When the folder is there and cannot be listed.
    pub fn list(&self) -> Result<Vec<Workspace>, WorkspaceError> {
        let io = |source| WorkspaceError::Io { path: self.root.clone(), source };
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(io)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(io)?.path();
            if path.join("journal").is_file() {
                found.push(Workspace { root: path });
            }
        }
        found.sort_by(|a, b| a.root.cmp(&b.root));
        Ok(found)
    }

    /// Removes what processes that are gone left behind without a journal: nothing depends on it.
    /// Needs the lock.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub(crate) fn remove_torsos(&self, _: &Exclusive) -> Result<(), WorkspaceError> {
        let io = |source| WorkspaceError::Io { path: self.root.clone(), source };
        for entry in fs::read_dir(&self.root).map_err(io)? {
            let entry = entry.map_err(io)?;
            let path = entry.path();
            if path.is_dir() && !path.join("journal").exists() && is_torso(&entry.file_name().to_string_lossy()) {
                durable::remove_dir_all(&path)?;
            }
        }
        Ok(())
    }

    /// The workspace named `id`, which need not exist yet.
    #[must_use]
    pub fn named(&self, id: &str) -> Workspace {
        Workspace { root: self.root.join(id) }
    }
}

/// Whether a folder of this name, without a journal, is a begun workspace or a dead reader's scratch.
fn is_torso(name: &str) -> bool {
    if let Some(rest) = name.strip_prefix("reading-") {
        let process = rest.split('-').next().unwrap_or_default();
        return !Path::new("/proc").join(process).exists();
    }
    name.len() > 15 && name.bytes().take(14).all(|byte| byte.is_ascii_digit())
}

/// One migration's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The migration's id.
    #[must_use]
    pub fn id(&self) -> String {
        self.root.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> PathBuf {
        self.root.join("plan.toml")
    }

    /// The report of the last verification.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.root.join("report.json")
    }

    /// The signed receipt.
    #[must_use]
    pub fn receipt(&self) -> PathBuf {
        self.root.join("receipt.txt")
    }

    /// Where configuration files are kept as they were.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root.join("config")
    }

    /// Places of a database that lives on the workspace's own mount.
    #[must_use]
    pub fn places(&self, database: &str) -> Places {
        Places::under(&self.root.join("databases").join(database))
    }

    /// Places of a database whose folder has another mount: beside that folder.
    #[must_use]
    pub fn places_beside(&self, database: &str, real_path: &Path) -> Places {
        let parent = real_path.parent().unwrap_or(Path::new("/"));
        Places::under(&parent.join(FOLDER).join(self.id()).join("databases").join(database))
    }
}

/// Where the work on one database happens.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Places {
    /// The folder of the three others.
    pub root: PathBuf,
    /// The snapshot of the source.
    pub snapshot: PathBuf,
    /// The rows that repair the source, if it is damaged.
    pub patch: PathBuf,
    /// Finished tables.
    pub parts: PathBuf,
    /// The database that is not live: the new one before the cut-over, the old one after it.
    pub waiting: PathBuf,
}

impl Places {
    fn under(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            snapshot: root.join("snapshot"),
            patch: root.join("patch"),
            parts: root.join("parts"),
            waiting: root.join("waiting"),
        }
    }

    /// Creates the folder of the places.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(&self) -> Result<(), WorkspaceError> {
        let outermost = self.root.ancestors().find(|path| path.file_name().is_some_and(|name| name == FOLDER));
        if let Some(folder) = outermost {
            create_beside(folder)?;
        }
        Ok(durable::create_dir_all(&self.root)?)
    }
}

/// Creates `.node-migrate` in a folder of databases and gives that folder its times back: backup
/// tools and people must see that nothing of the node's has changed.
///
/// # Errors
/// When it cannot be created.
pub(crate) fn create_beside(folder: &Path) -> Result<(), DurableError> {
    create_beside_with(folder, || Ok(()))
}

/// The same, and makes something in it before another thread can find it empty and remove it.
///
/// # Errors
/// When it cannot be created, or as `make`.
pub(crate) fn create_beside_with<T>(
    folder: &Path,
    make: impl FnOnce() -> Result<T, DurableError>,
) -> Result<T, DurableError> {
    let _alone = alone();
    if !folder.is_dir() {
        keeping_times(folder.parent().unwrap_or(Path::new("/")), || durable::create_dir_all(folder))?;
    }
    make()
}

/// One thread at a time: another's change between the look at the times and their return would stay.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes `.node-migrate` when nothing is left in it.
pub(crate) fn remove_if_empty(folder: &Path) {
    let _alone = alone();
    let empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if empty {
        // Somebody else may have begun to use it: then it stays.
        let _ = keeping_times(folder.parent().unwrap_or(Path::new("/")), || {
            durable::step("remove folder", folder, || fs::remove_dir(folder))
        });
    }
}

fn keeping_times<T>(parent: &Path, action: impl FnOnce() -> T) -> T {
    let times = fs::metadata(parent)
        .and_then(|meta| Ok(FileTimes::new().set_accessed(meta.accessed()?).set_modified(meta.modified()?)));
    let result = action();
    if let (Ok(times), Ok(dir)) = (times, File::open(parent)) {
        // Only the owner may; for others the folder's times tell the truth.
        let _ = dir.set_times(times);
    }
    result
}
