//! Opening a home: which folder is meant, what its configuration says, which databases it has.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ledger_formats::engine::{EngineKind, TargetFormat};

use super::config::{AppConfig, NodeConfig, read_app_config, read_node_config};
use super::discover::{self, Database, Folders, Governing, LeftOut};
use super::error::HomeError;
use super::genesis::{self, Genesis};
use super::guard::GUARD;
use super::setting::{APP_NAMES, NODE_NAMES, Setting};

/// A node's home as it was when it was opened.
#[derive(Clone, Debug)]
pub struct Home {
    /// The home, absolute, as given.
    pub root: PathBuf,
    /// The folder of the node's databases (`db_dir`), symlinks resolved.
    pub db_dir: PathBuf,
    /// `config/config.toml`; without it no setting can be rewritten and no start guard put on.
    pub config_toml: Option<NodeConfig>,
    /// `config/app.toml`, which Cosmos SDK nodes have.
    pub app_toml: Option<AppConfig>,
    /// The chain, from the genesis file.
    pub genesis: Option<Genesis>,
    /// All databases, by name.
    pub databases: Vec<Database>,
    /// What looks like a database and is left alone, with the reason.
    pub left_out: Vec<LeftOut>,
}

impl Home {
    /// Reads the configuration of the home at `path` and finds its databases, without changing anything.
    ///
    /// # Errors
    /// [`HomeError`] names what is not there, broken or not supported, and where.
    pub fn open(path: &Path) -> Result<Self, HomeError> {
        let root = std::path::absolute(path).map_err(|source| HomeError::io(path, source))?;
        match fs::metadata(&root) {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => return Err(HomeError::NotAHome { path: root }),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(HomeError::Missing { path: root }),
            Err(source) => return Err(HomeError::Io { path: root, source }),
        }
        let config_toml = read_node_config(&root.join("config/config.toml"))?;
        let app_toml = read_app_config(&root.join("config/app.toml"))?;
        if config_toml.is_none() && !root.join("data").is_dir() && !discover::is_light_home(&root) {
            return Err(not_a_home(root));
        }
        let folders = Folders::of(&root, config_toml.as_ref());
        let governing = Governing { config: config_toml.as_ref(), app: app_toml.as_ref() };
        let found = discover::discover(&folders, governing)?;
        if found.databases.is_empty() {
            return Err(no_databases(root, &folders));
        }
        let genesis = genesis::read(&genesis_file(&root, config_toml.as_ref()))?;
        let db_dir = fs::canonicalize(folders.main()).map_err(|source| HomeError::io(folders.main(), source))?;
        Ok(Self { root, db_dir, config_toml, app_toml, genesis, databases: found.databases, left_out: found.left_out })
    }

    /// The file of a setting, symlinks resolved, and its value there; `None` when there is no such file.
    ///
    /// The value is empty when the key is missing or empty. What a node then does depends on its release: `db_backend` missing is
    /// goleveldb up to `CometBFT` 0.40 and Pebble from 1.0; `app-db-backend` empty follows `db_backend` in newer Cosmos SDKs, and in
    /// older ones is goleveldb, or what the binary was built for (they look for a key `db-backend`, which no file has). An explicit
    /// value means the same to every release that knows the key.
    #[must_use]
    pub fn setting(&self, setting: Setting) -> Option<(PathBuf, String)> {
        let (file, value) = match setting {
            Setting::DbBackend => self.config_toml.as_ref().map(|config| (&config.file, &config.db_backend))?,
            Setting::AppDbBackend => self.app_toml.as_ref().map(|config| (&config.file, &config.app_db_backend))?,
        };
        Some((file.real_path.clone(), value.clone().unwrap_or_default()))
    }

    /// The genesis file, whether it is there or not.
    #[must_use]
    pub fn genesis_file(&self) -> PathBuf {
        genesis_file(&self.root, self.config_toml.as_ref())
    }

    /// Whether a setting holds the start guard: a cut-over or rollback was interrupted, and no node starts until it is finished.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        Setting::ALL.into_iter().any(|setting| self.setting(setting).is_some_and(|(_, value)| value == GUARD))
    }

    /// What an operator should know about this home before anything is changed, in sentences.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks: Vec<String> =
            Setting::ALL.into_iter().flat_map(|setting| self.disagreements(setting)).collect();
        let app = self.databases.iter().any(|database| database.governed_by == Some(Setting::AppDbBackend));
        if app && self.app_toml.as_ref().is_some_and(|config| config.app_db_backend.is_none()) {
            remarks.push(
                "config/app.toml has no app-db-backend: a Cosmos SDK before 0.46 does not know the setting and opens its \
                 databases with the engine that the binary was built for"
                    .to_owned(),
            );
        }
        remarks
    }

    /// Databases that are not of the engine that their setting names, a sentence for each engine found.
    fn disagreements(&self, setting: Setting) -> Vec<String> {
        let Some((_, value)) = self.setting(setting) else { return Vec::new() };
        let told = value.parse().ok().map(|target: TargetFormat| target.engine);
        if value.is_empty() || value == GUARD {
            return Vec::new();
        }
        let mut others: BTreeMap<EngineKind, Vec<&str>> = BTreeMap::new();
        for database in &self.databases {
            if database.governed_by == Some(setting) && Some(database.engine) != told {
                others.entry(database.engine).or_default().push(&database.name);
            }
        }
        let sentence = |(engine, names): (EngineKind, Vec<&str>)| {
            format!(
                "{setting} says {value}, but by their files these are {engine}: {}; either the node cannot open them now, \
                 or the setting does not govern them",
                names.join(", ")
            )
        };
        others.into_iter().map(sentence).collect()
    }
}

fn genesis_file(root: &Path, config: Option<&NodeConfig>) -> PathBuf {
    root.join(config.map_or(Path::new("config/genesis.json"), |config| &config.genesis_file))
}

/// Tells what was given instead of a home.
fn not_a_home(path: PathBuf) -> HomeError {
    let above = path.ancestors().skip(1).take(3).find(|above| looks_like_home(above));
    let give = above.map_or_else(|| "the home whose db_dir leads here".to_owned(), |home| home.display().to_string());
    let holds_databases = NODE_NAMES.iter().chain(&APP_NAMES).any(|name| path.join(format!("{name}.db")).exists());
    match path.parent() {
        Some(parent) if path.join("config.toml").is_file() => {
            let give = parent.to_path_buf();
            HomeError::IsConfigFolder { path, give }
        }
        _ if holds_databases => HomeError::IsDataFolder { path, give },
        _ if discover::is_database(&path) => HomeError::IsDatabase { path, give },
        _ => HomeError::NotAHome { path },
    }
}

fn looks_like_home(path: &Path) -> bool {
    path.join("config/config.toml").is_file() || path.join("data").is_dir()
}

fn no_databases(root: PathBuf, folders: &Folders) -> HomeError {
    let looked_for =
        NODE_NAMES.iter().chain(&APP_NAMES).map(|name| format!("{name}.db")).collect::<Vec<_>>().join(", ");
    HomeError::NoDatabases { root, looked_in: folders.to_string(), looked_for }
}
