//! The plan: what is there, what will change, what it costs. Made without changing anything.
//!
//! A plan names the exact state of every source (its fingerprint); a run refuses a plan that was
//! made for another state. It is kept as TOML and signed off by running it.

mod advice;
mod asked;
mod estimate;
mod scope;

use std::path::PathBuf;

use ledger_formats::engine::{EngineKind, TargetFormat};
use serde::{Deserialize, Serialize};

pub use estimate::Estimate;
pub use scope::PlanError;

use crate::formats::{PlannedConversion, PlannedGenesis, Wanted};
use crate::home::{Home, Role, Setting};

/// A migration as it will be run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this file's form.
    pub version: u32,
    /// The tool that made it.
    pub tool: String,
    /// The home, absolute.
    pub home: PathBuf,
    /// What the databases become, as `--to` spells it.
    pub target: String,
    /// What an operator should know before signing off.
    pub warnings: Vec<String>,
    /// Most bytes of disk that will be in use beside the sources.
    pub peak_disk_bytes: u64,
    /// Free bytes when the plan was made.
    pub free_disk_bytes: u64,
    /// Rough duration of copy and verification.
    pub seconds: u64,
    /// The edit of the genesis file that the cut-over makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genesis: Option<PlannedGenesis>,
    /// Databases that will be migrated.
    #[serde(rename = "database", default)]
    pub databases: Vec<PlannedDatabase>,
    /// Databases that stay, and why.
    #[serde(rename = "kept", default)]
    pub kept: Vec<KeptDatabase>,
    /// Configuration values that the cut-over changes.
    #[serde(rename = "setting", default)]
    pub settings: Vec<PlannedSetting>,
}

/// A database that will be migrated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedDatabase {
    /// Its name: `blockstore`, `snapshots/metadata`, ...
    pub name: String,
    /// Its folder with symlinks resolved.
    pub path: PathBuf,
    /// The engine that its files are of.
    pub engine: EngineKind,
    /// Fingerprint of its state, hex.
    pub fingerprint: String,
    /// Bytes of its live files.
    pub disk_bytes: u64,
    /// Live tables.
    pub tables: u64,
    /// Whether the workspace for it lies beside it, because it is on a mount of its own.
    pub own_mount: bool,
    /// Estimated bytes of the new database.
    pub target_bytes: u64,
    /// What becomes of its keys and values; `None` when they stay byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<PlannedConversion>,
}

/// A database that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDatabase {
    /// Its name.
    pub name: String,
    /// Its engine, if it could be told.
    pub engine: String,
    /// Why it stays.
    pub reason: String,
}

/// A value that the cut-over sets in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSetting {
    /// The file.
    pub file: PathBuf,
    /// The setting.
    pub setting: Setting,
    /// Its value now.
    pub from: String,
    /// Its value afterwards.
    pub to: String,
}

/// What the operator asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the databases become.
    pub target: TargetFormat,
    /// Databases named by `--db`; empty means all that the configuration governs.
    pub databases: Vec<String>,
    /// Which layout and dialect they get.
    pub formats: Wanted,
    /// The database that is to be repaired, if one is: it is written anew even where engine and formats stay.
    pub repaired: Option<Role>,
}

impl Plan {
    /// Makes the plan for `home` as it stands.
    ///
    /// # Errors
    /// [`PlanError`] when something in the request or the home makes a migration impossible or unsafe.
    pub fn make(home: &Home, request: &Request) -> Result<Self, PlanError> {
        let mut formats = crate::formats::decide(home, request.formats, &request.databases)?;
        let scope = scope::decide(home, request, &formats)?;
        let mut warnings = scope.warnings;
        warnings.extend(home.remarks());
        warnings.extend(advice::of_dialect(home, &formats));
        let mut databases = Vec::with_capacity(scope.migrate.len());
        let mut estimate = Estimate::default();
        for database in scope.migrate {
            let sized = estimate::of(home, database, request.target)?;
            estimate.add(&sized.estimate);
            warnings.extend(sized.remarks.iter().map(|remark| format!("{}: {remark}", database.name)));
            let conversion = formats.conversions.remove(&database.name);
            databases.push(PlannedDatabase { conversion, ..sized.planned });
        }
        let free_disk_bytes = crate::home::space::free_bytes(&home.db_dir)
            .map_err(|source| PlanError::Space { path: home.db_dir.clone(), source })?;
        if estimate.peak_disk_bytes > free_disk_bytes {
            warnings.push(format!(
                "about {} MiB of disk will be needed and {} MiB are free: the run will refuse to start",
                estimate.peak_disk_bytes >> 20,
                free_disk_bytes >> 20
            ));
        }
        Ok(Self {
            version: 1,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            home: home.root.clone(),
            target: request.target.to_string(),
            warnings,
            peak_disk_bytes: estimate.peak_disk_bytes,
            free_disk_bytes,
            seconds: estimate.seconds(),
            genesis: formats.genesis,
            databases,
            kept: scope.kept,
            settings: scope.settings,
        })
    }

    /// The target, parsed.
    ///
    /// # Errors
    /// [`PlanError::Target`] when the file names an engine that this version does not know.
    pub fn target_format(&self) -> Result<TargetFormat, PlanError> {
        self.target.parse().map_err(PlanError::Target)
    }

    /// The plan as TOML.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a plan holds only values that TOML can say")
    }

    /// Reads a plan back.
    ///
    /// # Errors
    /// [`PlanError::Parse`] with the place, or [`PlanError::Version`].
    pub fn from_toml(text: &str) -> Result<Self, PlanError> {
        let plan: Self = toml::from_str(text).map_err(|error| PlanError::Parse { reason: error.to_string() })?;
        if plan.version == 1 { Ok(plan) } else { Err(PlanError::Version { version: plan.version }) }
    }

    /// Names of the databases that it migrates.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.databases.iter().map(|database| database.name.as_str())
    }

    /// Whether all that it needs is done already.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.databases.is_empty() && self.settings.is_empty()
    }
}
