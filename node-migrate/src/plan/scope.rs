//! Which databases a plan migrates, which stay, and which settings follow. Pure over a read home.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ledger_formats::engine::{EngineKind, UnknownTarget};

use super::{KeptDatabase, PlannedSetting, Request};
use crate::formats::{Decided, FormatsError};
use crate::home::{Database, Home, Setting};

/// Why there can be no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// `--db` names a database that the home does not have.
    #[error("there is no database `{name}` in this home; it has {present}")]
    NoSuchDatabase {
        /// The name given.
        name: String,
        /// Those that are there.
        present: String,
    },
    /// The request would leave databases of two engines under one setting.
    #[error(
        "one setting, {setting}, governs {left} too, which would stay {engine}: no node could open this home; name them all, or none"
    )]
    SplitGroup {
        /// The setting.
        setting: Setting,
        /// The databases left out.
        left: String,
        /// Their engine.
        engine: String,
    },
    /// A database cannot be read for planning.
    #[error("{database}: {source}")]
    Store {
        /// The database.
        database: String,
        /// What is wrong.
        source: ledger_formats::store::StoreError,
    },
    /// The free space cannot be told.
    #[error("cannot tell the free space of {path}: {source}")]
    Space {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The layout or dialect cannot be changed as wanted.
    #[error(transparent)]
    Formats(#[from] FormatsError),
    /// The plan file names an unknown target.
    #[error(transparent)]
    Target(UnknownTarget),
    /// The plan file is not a plan.
    #[error("the plan cannot be read: {reason}")]
    Parse {
        /// Where and why.
        reason: String,
    },
    /// The plan file is of another version.
    #[error("the plan has version {version}; this tool reads version 1")]
    Version {
        /// Its version.
        version: u32,
    },
}

/// What will be done with each database and setting.
pub(super) struct Scope<'a> {
    pub migrate: Vec<&'a Database>,
    pub kept: Vec<KeptDatabase>,
    pub settings: Vec<PlannedSetting>,
    pub warnings: Vec<String>,
}

/// Decides the scope of a request.
pub(super) fn decide<'a>(home: &'a Home, request: &Request, formats: &Decided) -> Result<Scope<'a>, PlanError> {
    refuse_unknown_names(home, request)?;
    refuse_partial(home, request, formats)?;
    let target = request.target.engine;
    let mut scope = Scope { migrate: Vec::new(), kept: Vec::new(), settings: Vec::new(), warnings: Vec::new() };
    for database in &home.databases {
        match reason_to_stay(home, database, request, formats) {
            Some(reason) => scope.kept.push(KeptDatabase {
                name: database.name.clone(),
                engine: database.engine.to_string(),
                reason,
            }),
            None => scope.migrate.push(database),
        }
    }
    // An empty app-db-backend follows db_backend, which is therefore settled first.
    let db_backend = settle(home, Setting::DbBackend, target, None, &mut scope)?;
    settle(home, Setting::AppDbBackend, target, db_backend.as_deref(), &mut scope)?;
    if target == EngineKind::Sled {
        scope
            .warnings
            .push("no released node opens sled: the home will not start until it is migrated on, or back".to_owned());
    }
    if home.config_toml.is_none() && !scope.migrate.is_empty() {
        scope.warnings.push(
            "there is no config/config.toml: no setting is rewritten and no start guard protects the cut-over; keep the node stopped"
                .to_owned(),
        );
    }
    Ok(scope)
}

fn refuse_unknown_names(home: &Home, request: &Request) -> Result<(), PlanError> {
    for name in &request.databases {
        if !home.databases.iter().any(|database| matches_name(database, name)) {
            let present = home.databases.iter().map(|database| database.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(PlanError::NoSuchDatabase { name: name.clone(), present });
        }
    }
    Ok(())
}

/// Layout and dialect are those of a node: it opens all of its databases or none.
fn refuse_partial(home: &Home, request: &Request, formats: &Decided) -> Result<(), PlanError> {
    let is_named = |name: &String| {
        let mut named = home.databases.iter().filter(|database| database.name == *name);
        named.any(|database| request.databases.iter().any(|word| matches_name(database, word)))
    };
    if request.databases.is_empty() || formats.conversions.keys().all(is_named) {
        return Ok(());
    }
    Err(FormatsError::Partial.into())
}

pub(super) fn matches_name(database: &Database, name: &str) -> bool {
    database.name == name || database.dir_name == name
}

fn reason_to_stay(home: &Home, database: &Database, request: &Request, formats: &Decided) -> Option<String> {
    let named = request.databases.iter().any(|name| matches_name(database, name));
    if !request.databases.is_empty() && !named {
        return Some("not named by --db".to_owned());
    }
    // A home without any configuration is a bare set of databases: all of them are meant.
    if database.governed_by.is_none() && !named && home.config_toml.is_some() {
        return Some("the node's configuration does not govern it; name it with --db to migrate it".to_owned());
    }
    let is_rewritten =
        formats.conversions.contains_key(&database.name) || request.repaired.is_some_and(|role| role == database.role);
    (database.engine == request.target.engine && !is_rewritten).then(|| format!("is {} already", database.engine))
}

/// Checks that all databases under `setting` end up with one engine, and plans the setting's value.
/// `fallback`: the value that counts when the setting itself is empty. Gives the value that counts
/// afterwards.
fn settle(
    home: &Home,
    setting: Setting,
    target: EngineKind,
    fallback: Option<&str>,
    scope: &mut Scope<'_>,
) -> Result<Option<String>, PlanError> {
    let migrated = |database: &Database| scope.migrate.iter().any(|planned| planned.name == database.name);
    let governed: Vec<&Database> =
        home.databases.iter().filter(|database| database.governed_by == Some(setting)).collect();
    let after: BTreeSet<EngineKind> =
        governed.iter().map(|database| if migrated(database) { target } else { database.engine }).collect();
    let moves = governed.iter().any(|database| migrated(database));
    if moves && after.len() > 1 {
        let left: Vec<&&Database> =
            governed.iter().filter(|database| !migrated(database) && database.engine != target).collect();
        return Err(PlanError::SplitGroup {
            setting,
            left: left.iter().map(|database| database.name.as_str()).collect::<Vec<_>>().join(", "),
            engine: left.iter().map(|database| database.engine.to_string()).next().unwrap_or_default(),
        });
    }
    let Some((file, from)) = home.setting(setting) else { return Ok(None) };
    let counts = if from.is_empty() { fallback.unwrap_or_default().to_owned() } else { from.clone() };
    let (Some(engine), 1) = (after.first(), after.len()) else { return Ok(Some(counts)) };
    if counts == engine.config_name() {
        return Ok(Some(counts));
    }
    let follows = moves || scope.settings.iter().any(|planned| planned.setting == Setting::DbBackend);
    if !follows && *engine != target {
        // A disagreement that was there before and that nobody asked to mend.
        return Ok(Some(counts));
    }
    if !follows {
        scope.warnings.push(format!(
            "{setting} says {counts}, but the databases under it are {engine}: the cut-over sets it right"
        ));
    }
    let to = engine.config_name().to_owned();
    scope.settings.push(PlannedSetting { file, setting, from, to: to.clone() });
    Ok(Some(to))
}
