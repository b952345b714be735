//! Which databases hold the blocks now: the node's, and the new ones of a verified migration.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ledger_formats::engine::EngineKind;
use ledger_formats::engine::detect::detect;

use super::ServingError;
use crate::home::{Home, Role};
use crate::migration;
use crate::workspace::Workspaces;

/// A database on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    pub path: PathBuf,
    pub engine: EngineKind,
}

/// A block store, and the state store that knows its validators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layer {
    /// What it is, in words.
    pub name: &'static str,
    pub blocks: Folder,
    pub state: Folder,
    /// Names, sizes and times of the files when they were looked at.
    files: Vec<(PathBuf, u64, i64, i64)>,
}

/// The layers of a home, those to be preferred first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layers {
    pub layers: Vec<Layer>,
    /// Where snapshots of them lie.
    pub workspaces: Workspaces,
}

impl Layers {
    /// Looks at the home at `path` as it is now: a cut-over may have exchanged its folders.
    pub(super) fn of(path: &Path) -> Result<Self, ServingError> {
        let home = Home::open(path)?;
        let own = |role, name| {
            let found = home.databases.iter().find(|database| database.role == role);
            let found = found.ok_or_else(|| ServingError::NoDatabase { home: home.root.clone(), role: name })?;
            Ok::<_, ServingError>((found.name.clone(), Folder { path: found.real_path.clone(), engine: found.engine }))
        };
        let (blocks_name, blocks) = own(Role::BlockStore, "block store")?;
        let (state_name, state) = own(Role::State, "state")?;
        let mut layers = Vec::new();
        let targets = migration::targets(&home)?;
        let target = |name: &str| {
            let found = targets.iter().find(|target| target.name == name);
            found.map(|target| detected(&target.path)).transpose()
        };
        if let Some(new) = target(&blocks_name)? {
            let state = target(&state_name)?.unwrap_or_else(|| state.clone());
            layers.push(Layer::new("the new databases", new, state)?);
        }
        layers.push(Layer::new("the node's databases", blocks, state)?);
        Ok(Self { layers, workspaces: Workspaces::of(&home.db_dir) })
    }
}

impl Layer {
    fn new(name: &'static str, blocks: Folder, state: Folder) -> Result<Self, ServingError> {
        let mut files = files(&blocks.path)?;
        files.extend(self::files(&state.path)?);
        Ok(Self { name, blocks, state, files })
    }
}

fn detected(path: &Path) -> Result<Folder, ServingError> {
    Ok(Folder { path: path.to_owned(), engine: detect(path)?.engine })
}

/// What tells whether a folder has changed since, without reading it.
fn files(folder: &Path) -> Result<Vec<(PathBuf, u64, i64, i64)>, ServingError> {
    let io = |source| ServingError::Store(ledger_formats::store::StoreError::io(folder, source));
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        // A file that went away meanwhile is a change that the next look sees.
        if let Ok(meta) = entry.metadata() {
            files.push((entry.path(), meta.len(), meta.mtime(), meta.mtime_nsec()));
        }
    }
    files.sort();
    Ok(files)
}
