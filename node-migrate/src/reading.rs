//! Reading the databases of a home that nobody migrates at the moment: digest, inspect, verify.
//!
//! Our own readers look into the folder as it is. An engine that would change the folder by opening
//! it gets a snapshot in a scratch folder instead, which goes when the value is dropped.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use ledger_formats::durable::{self, DurableError};
use ledger_formats::engine::snapshot::{self, SnapshotError};
use ledger_formats::engine::{self, EngineKind};
use ledger_formats::store::{ReadStore, StoreError};

use crate::workspace::FOLDER;

/// Why a database cannot be opened for reading.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadingError {
    /// The store itself.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The snapshot that its engine needs.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// No scratch folder could be made.
    #[error(transparent)]
    Scratch(#[from] DurableError),
}

/// An open database, with the scratch folder that it may need.
pub struct Reading {
    // Declared before the scratch folder: the store must be closed before its files go.
    store: Box<dyn ReadStore>,
    _scratch: Option<Scratch>,
}

impl Reading {
    /// Opens the database in `folder`, which is not being written.
    ///
    /// `temporary`: where a scratch copy goes when none can be made beside the database.
    ///
    /// # Errors
    /// When it cannot be read, or a snapshot that its engine needs cannot be made.
    pub fn open(folder: &Path, kind: EngineKind, cache_bytes: u64, temporary: &Path) -> Result<Self, ReadingError> {
        if let Some(store) = engine::open_in_place(folder, kind, cache_bytes)? {
            return Ok(Self { store, _scratch: None });
        }
        Self::open_running(folder, kind, cache_bytes, temporary)
    }

    /// Opens a snapshot of the database in `folder`, into which its node may be writing.
    ///
    /// # Errors
    /// As [`Reading::open`].
    pub fn open_running(
        folder: &Path,
        kind: EngineKind,
        cache_bytes: u64,
        temporary: &Path,
    ) -> Result<Self, ReadingError> {
        Self::of_snapshot(folder, kind, cache_bytes, Scratch::beside(folder).or_else(|_| Scratch::create(temporary))?)
    }

    /// Opens a snapshot of the database in `folder` that lies in a scratch folder below `parent`; `folder` may change its place
    /// meanwhile.
    ///
    /// # Errors
    /// As [`Reading::open`].
    pub fn open_moving(folder: &Path, kind: EngineKind, cache_bytes: u64, parent: &Path) -> Result<Self, ReadingError> {
        Self::of_snapshot(folder, kind, cache_bytes, Scratch::create(parent)?)
    }

    fn of_snapshot(folder: &Path, kind: EngineKind, cache_bytes: u64, scratch: Scratch) -> Result<Self, ReadingError> {
        let snapshot = snapshot::take(folder, &scratch.path.join("snapshot"))?;
        let store = engine::open_copy(&snapshot.dir, kind, cache_bytes)?;
        Ok(Self { store, _scratch: Some(scratch) })
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &dyn ReadStore {
        self.store.as_ref()
    }
}

/// A folder that is removed when dropped.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn beside(folder: &Path) -> Result<Self, DurableError> {
        let parent = folder.parent().unwrap_or(Path::new("/"));
        let folder = parent.join(FOLDER);
        crate::workspace::create_beside_with(&folder, || Self::create(&folder))
    }

    fn create(parent: &Path) -> Result<Self, DurableError> {
        // Databases are read side by side: the number tells their folders apart.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("reading-{}-{number}", std::process::id()));
        durable::remove_dir_all(&path)?;
        durable::create_dir_all(&path)?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is only a copy; the next reader makes its own.
        let _ = durable::remove_dir_all(&self.path);
        if let Some(parent) = self.path.parent()
            && parent.ends_with(FOLDER)
        {
            crate::workspace::remove_if_empty(parent);
        }
    }
}
