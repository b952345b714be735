//! Finds the databases of a home and says of each what it is, where it really lies and which setting governs it.
//!
//! Databases are told by name (`*.db`) and by content: any folder right below the databases' folder whose files are those of an engine
//! counts. It only lists and reads; `priv_validator_*`, the write-ahead log, snapshot chunks and this tool's own folder are passed by.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ledger_formats::engine::EngineKind;
use ledger_formats::engine::detect::{DetectError, detect};

use super::config::{AppConfig, NodeConfig};
use super::error::HomeError;
use super::setting::{APP_NAMES, LIGHT_NAME, NODE_NAMES, Owner, Role, Setting, by_name};
use crate::workspace;

/// A database of a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Its name: the folder's without `.db`, as `blockstore` or `snapshots/metadata`.
    pub name: String,
    /// The folder's name below the databases' folder: `blockstore.db`, `snapshots/metadata.db`.
    pub dir_name: String,
    /// The folder as configured, symlinks as they are.
    pub path: PathBuf,
    /// The folder with symlinks resolved.
    pub real_path: PathBuf,
    /// The device (`st_dev`) that holds the folder.
    pub device: u64,
    /// The setting that tells the node its engine; `None` when the node's configuration does not decide, or there is none.
    pub governed_by: Option<Setting>,
    /// What it holds.
    pub role: Role,
    /// The engine, by the content of its files.
    pub engine: EngineKind,
}

/// Something that looks like a database and is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The file or folder.
    pub path: PathBuf,
    /// Why, in lower case without a full stop.
    pub reason: String,
}

/// All databases found, by name, and what was left out.
#[derive(Debug, Default)]
pub(super) struct Discovered {
    pub databases: Vec<Database>,
    pub left_out: Vec<LeftOut>,
}

/// The configuration as far as it decides about engines.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Governing<'a> {
    pub config: Option<&'a NodeConfig>,
    pub app: Option<&'a AppConfig>,
}

impl Governing<'_> {
    /// The setting that governs the databases of `owner`. Without an `app.toml` a Cosmos SDK node follows `db_backend`.
    fn setting(self, owner: Owner) -> Option<Setting> {
        match owner {
            Owner::App if self.app.is_some() => Some(Setting::AppDbBackend),
            Owner::App | Owner::Node if self.config.is_some() => Some(Setting::DbBackend),
            _ => None,
        }
    }

    /// Whether the setting of `owner` names an engine whose databases do not lie in `<name>.db/`.
    fn names_foreign(self, owner: Owner) -> bool {
        let value = match owner {
            Owner::App => self.app.and_then(|app| app.app_db_backend.as_deref()).filter(|value| !value.is_empty()),
            _ => None,
        };
        let value = value.or_else(|| self.config.and_then(|config| config.db_backend.as_deref()));
        owner != Owner::Unknown && matches!(value, Some("badgerdb" | "boltdb"))
    }
}

/// Where databases may lie. A Cosmos SDK application always uses `<home>/data`, whatever `db_dir` says.
#[derive(Debug)]
pub(super) struct Folders {
    main: PathBuf,
    app: Option<PathBuf>,
}

impl Folders {
    pub(super) fn of(root: &Path, config: Option<&NodeConfig>) -> Self {
        let data = if config.is_none() && is_light_home(root) { root.to_path_buf() } else { root.join("data") };
        let main = config.map_or_else(|| data.clone(), |config| root.join(&config.db_dir));
        let same = fs::canonicalize(&main).ok() == fs::canonicalize(&data).ok();
        Self { main, app: (!same && data.is_dir()).then_some(data) }
    }

    pub(super) fn main(&self) -> &Path {
        &self.main
    }
}

impl fmt::Display for Folders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.main.display())?;
        if !self.main.is_dir() {
            f.write_str(" (which is not there)")?;
        }
        self.app.iter().try_for_each(|app| write!(f, " and {}", app.display()))
    }
}

/// Whether `path` is the home of a light client: its store lies in it without any `data/`.
pub(super) fn is_light_home(path: &Path) -> bool {
    !path.join("data").is_dir() && path.join(format!("{LIGHT_NAME}.db")).is_dir()
}

/// Whether `path` itself is a database.
pub(super) fn is_database(path: &Path) -> bool {
    matches!(detect(path), Ok(_) | Err(DetectError::Foreign { .. }))
}

/// Finds all databases. The main folder missing means none: its volume may not be mounted.
pub(super) fn discover(folders: &Folders, governing: Governing<'_>) -> Result<Discovered, HomeError> {
    let mut search = Search { governing, found: BTreeMap::new(), left_out: Vec::new() };
    if folders.main.is_dir() {
        if let Some(app) = &folders.app {
            search.app_folder(app)?;
        }
        search.main_folder(&folders.main)?;
    }
    let databases: Vec<Database> = search.found.into_values().collect();
    refuse_shared_places(&databases)?;
    Ok(Discovered { databases, left_out: search.left_out })
}

struct Search<'a> {
    governing: Governing<'a>,
    found: BTreeMap<String, Database>,
    left_out: Vec<LeftOut>,
}

impl Search<'_> {
    /// Takes every database right below the main folder, and the nested ones that are known.
    fn main_folder(&mut self, dir: &Path) -> Result<(), HomeError> {
        let entries = fs::read_dir(dir).map_err(|source| HomeError::io(dir, source))?;
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.map_err(|source| HomeError::io(dir, source))?.file_name());
        }
        names.sort();
        for name in names {
            match name.to_str() {
                Some(name) if is_passed_by(name) => {}
                Some(name) => self.candidate(dir, name)?,
                None => self.leave_out(dir.join(&name), "its name is not UTF-8"),
            }
        }
        self.candidate(dir, "snapshots/metadata.db")
    }

    /// Takes only the application's databases; what else is called like a database there is not the node's.
    fn app_folder(&mut self, dir: &Path) -> Result<(), HomeError> {
        for name in APP_NAMES {
            self.candidate(dir, &format!("{name}.db"))?;
        }
        for name in NODE_NAMES {
            let path = dir.join(format!("{name}.db"));
            if path.exists() {
                self.leave_out(path, "db_dir names another folder, so the node does not open it");
            }
        }
        Ok(())
    }

    fn candidate(&mut self, dir: &Path, dir_name: &str) -> Result<(), HomeError> {
        let path = dir.join(dir_name);
        let stem = dir_name.strip_suffix(".db");
        // Only a `.db` folder is what a node opens under that name; any other is known by its full name.
        let (role, owner) = stem.map_or((Role::Opaque, Owner::Unknown), by_name);
        let meta = match fs::metadata(&path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => return Ok(()),
            Err(source) if owner != Owner::Unknown => return Err(HomeError::Io { path, source }),
            Err(source) => {
                self.leave_out(path, &source.to_string());
                return Ok(());
            }
        };
        if stem.is_none() && !meta.is_dir() {
            return Ok(());
        }
        let engine = match detect(&path) {
            Ok(found) => found.engine,
            Err(error) => return self.not_taken(dir, dir_name, error),
        };
        let name = stem.unwrap_or(dir_name).to_owned();
        if let Some(twin) = self.found.get(&name) {
            let reason = format!("{} is the database of this name", twin.path.display());
            self.leave_out(path, &reason);
            return Ok(());
        }
        let real_path = fs::canonicalize(&path).map_err(|source| HomeError::io(&path, source))?;
        let governed_by = self.governing.setting(owner);
        let (dir_name, device) = (dir_name.to_owned(), meta.dev());
        let database = Database { name: name.clone(), dir_name, path, real_path, device, governed_by, role, engine };
        self.found.insert(name, database);
        Ok(())
    }

    /// What could not be taken for a database: an error where the node needs one, else a note where the name claims one.
    fn not_taken(&mut self, dir: &Path, dir_name: &str, error: DetectError) -> Result<(), HomeError> {
        let path = dir.join(dir_name);
        let stem = dir_name.strip_suffix(".db");
        let name = stem.unwrap_or(dir_name).to_owned();
        let (_, owner) = by_name(&name);
        match (error, owner) {
            // BadgerDB keeps `<name>` without `.db`; beside a `<name>.db` the setting tells which of them counts.
            (DetectError::Foreign { engine, .. }, Owner::Node | Owner::App) => {
                let other = stem.is_none() && dir.join(format!("{name}.db")).is_dir();
                if !other || self.governing.names_foreign(owner) {
                    return Err(HomeError::ForeignEngine { database: name, path, engine });
                }
                self.leave_out(path, &format!("it is of {engine}, but the setting names another engine"));
            }
            (DetectError::Empty { .. }, _) if stem.is_some() => self.leave_out(path, "it is empty"),
            (DetectError::Empty { .. } | DetectError::Unknown { .. } | DetectError::Foreign { .. }, _)
                if stem.is_none() => {}
            (source, Owner::Node | Owner::App) if stem.is_some() => {
                return Err(HomeError::Undetected { database: name, source });
            }
            (error, _) => self.leave_out(path, &error.to_string()),
        }
        Ok(())
    }

    fn leave_out(&mut self, path: PathBuf, reason: &str) {
        self.left_out.push(LeftOut { path, reason: reason.to_owned() });
    }
}

/// What lies beside databases and is none: keys' state, the consensus log, snapshot chunks, hidden folders, this tool's own.
fn is_passed_by(name: &str) -> bool {
    name.starts_with('.')
        || name.starts_with("priv_validator")
        || ["cs.wal", "snapshots", workspace::FOLDER].contains(&name)
}

fn refuse_shared_places(databases: &[Database]) -> Result<(), HomeError> {
    let mut places = BTreeMap::new();
    for database in databases {
        if let Some(first) = places.insert(&database.real_path, &database.path) {
            let (first, second) = (first.clone(), database.path.clone());
            return Err(HomeError::SamePlace { first, second, real_path: database.real_path.clone() });
        }
    }
    Ok(())
}
