//! What a migration is made of in every state: home, workspace, plan, journal, history.

use std::path::{Path, PathBuf};

use ledger_formats::durable::{self, DurableError};
use ledger_formats::engine::{TargetFormat, fingerprint};
use ledger_formats::store::StoreError;
use sha2::{Digest, Sha256};

use super::history::{History, Phase};
use crate::context::Context;
use crate::event::Event;
use crate::home::{Home, Role};
use crate::journal::{self, Journal, JournalError, Record};
use crate::plan::{Plan, PlanError, PlannedDatabase};
use crate::workspace::{Places, Workspace, WorkspaceError, Workspaces};

/// Digits of the time that an id begins with, and their meaning.
const TIME_DIGITS: usize = 14;
const TIME_FORMAT: &str = "%Y%m%d%H%M%S";

/// Why a migration cannot be opened or begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The plan in the workspace or the one given.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The plan in the workspace is not the one that was signed off.
    #[error("{path} was changed after it was signed off")]
    PlanChanged {
        /// The plan.
        path: PathBuf,
    },
    /// A file of the workspace cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file of the workspace cannot be written.
    #[error(transparent)]
    Write(#[from] DurableError),
    /// A source cannot be fingerprinted.
    #[error("{database}: {source}")]
    Source {
        /// The database.
        database: String,
        /// What is wrong.
        source: StoreError,
    },
    /// The plan is of another state of a source.
    #[error("the plan was made for another state of {database}: the node has run since")]
    Stale {
        /// The database.
        database: String,
    },
    /// The plan is of another home.
    #[error("the plan was made for {planned}, this home is {home}")]
    OtherHome {
        /// The plan's home.
        planned: PathBuf,
        /// This one.
        home: PathBuf,
    },
}

/// Home, workspace, plan, journal and history of one migration.
#[derive(Debug)]
pub struct Core {
    pub(crate) home: Home,
    pub(crate) workspace: Workspace,
    pub(crate) plan: Plan,
    pub(crate) target: TargetFormat,
    pub(crate) history: History,
    journal: Journal,
}

impl Core {
    /// The workspace of the migration that is under way, if any.
    pub(super) fn find_open(workspaces: &Workspaces) -> Result<Option<Workspace>, OpenError> {
        for workspace in workspaces.list()?.into_iter().rev() {
            let contents = journal::read(&workspace.journal())?;
            if contents.records.is_empty() {
                // Killed before its first record: nothing depends on it.
                continue;
            }
            let history = History::of(&contents.records);
            let plan = read_plan(&workspace, &history)?;
            if !history.phase(plan.names()).is_closed() {
                return Ok(Some(workspace));
            }
        }
        Ok(None)
    }

    /// Opens an existing migration for work.
    pub(super) fn open(home: &Home, workspace: Workspace) -> Result<Self, OpenError> {
        let (journal, contents) = Journal::open(&workspace.journal())?;
        let history = History::of(&contents.records);
        let plan = read_plan(&workspace, &history)?;
        if plan.home != home.root {
            return Err(OpenError::OtherHome { planned: plan.home, home: home.root.clone() });
        }
        let target = plan.target_format()?;
        Ok(Self { home: home.clone(), workspace, plan, target, history, journal })
    }

    /// Begins a new migration: the plan is written, then the journal's first record.
    pub(super) fn create(
        home: &Home,
        workspaces: &Workspaces,
        plan: Plan,
        context: &Context<'_>,
    ) -> Result<Self, OpenError> {
        if plan.home != home.root {
            return Err(OpenError::OtherHome { planned: plan.home, home: home.root.clone() });
        }
        refuse_stale(&plan)?;
        let target = plan.target_format()?;
        let now = (context.now)();
        let workspace = unused(workspaces, &now, target)?;
        durable::create_dir_all(workspace.root())?;
        let text = plan.to_toml();
        durable::write_file(&workspace.plan(), text.as_bytes())?;
        let (mut journal, _) = Journal::open(&workspace.journal())?;
        let event = Event::Created {
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            home: home.root.clone(),
            plan_sha256: hex::encode(Sha256::digest(text.as_bytes())),
        };
        let mut history = History::default();
        history.apply(&event);
        journal.append(now, event)?;
        Ok(Self { home: home.clone(), workspace, plan, target, history, journal })
    }

    /// Writes an event down and takes it into account.
    ///
    /// # Errors
    /// When it cannot be made durable; then it has not happened.
    pub(crate) fn record(&mut self, context: &Context<'_>, event: Event) -> Result<Record, JournalError> {
        let record = self.journal.append((context.now)(), event)?;
        self.history.apply(&record.event);
        Ok(record)
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The history.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The workspace.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Where the migration stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.history.phase(self.plan.names())
    }

    /// SHA-256 of the journal's last record.
    #[must_use]
    pub fn journal_head(&self) -> [u8; 32] {
        self.journal.head()
    }

    pub(crate) fn home_db_dir(&self) -> &Path {
        &self.home.db_dir
    }

    /// The chain, if the home has a genesis file.
    #[must_use]
    pub fn chain_id(&self) -> Option<&str> {
        self.home.genesis.as_ref().map(|genesis| genesis.chain_id.as_str())
    }

    /// What a database holds, by its name.
    #[must_use]
    pub fn role(&self, database: &str) -> Role {
        self.home.databases.iter().find(|found| found.name == database).map_or(Role::Opaque, |found| found.role)
    }

    /// Where the work on a database happens.
    #[must_use]
    pub fn places(&self, database: &PlannedDatabase) -> Places {
        places(&self.workspace, database)
    }
}

/// Where the work on a database of a migration happens.
pub(crate) fn places(workspace: &Workspace, database: &PlannedDatabase) -> Places {
    if database.own_mount {
        workspace.places_beside(&database.name, &database.path)
    } else {
        workspace.places(&database.name)
    }
}

/// Reads the plan of a workspace and checks that it is the one that was signed off.
pub(crate) fn read_plan(workspace: &Workspace, history: &History) -> Result<Plan, OpenError> {
    let path = workspace.plan();
    let text = std::fs::read_to_string(&path).map_err(|source| OpenError::Read { path: path.clone(), source })?;
    if hex::encode(Sha256::digest(text.as_bytes())) != history.plan_sha256 {
        return Err(OpenError::PlanChanged { path });
    }
    Ok(Plan::from_toml(&text)?)
}

fn refuse_stale(plan: &Plan) -> Result<(), OpenError> {
    for database in &plan.databases {
        let now = fingerprint::fingerprint(&database.path)
            .map_err(|source| OpenError::Source { database: database.name.clone(), source })?;
        if hex::encode(now) != database.fingerprint {
            return Err(OpenError::Stale { database: database.name.clone() });
        }
    }
    Ok(())
}

/// A workspace whose id begins with a time later than those of all others, so that ids sort, and names the target.
fn unused(workspaces: &Workspaces, now: &str, target: TargetFormat) -> Result<Workspace, WorkspaceError> {
    let now: String = now.chars().filter(char::is_ascii_digit).take(TIME_DIGITS).collect();
    let time = |workspace: &Workspace| workspace.id().chars().take(TIME_DIGITS).collect::<String>();
    let newest = workspaces.list()?.iter().map(time).max();
    let later = newest.filter(|newest| *newest >= now).and_then(|newest| second_after(&newest));
    Ok(workspaces.named(&format!("{}-{}", later.unwrap_or(now), target.engine)))
}

/// The second after a time as ids have it; `None` when it is none.
fn second_after(time: &str) -> Option<String> {
    let time = jiff::civil::DateTime::strptime(TIME_FORMAT, time).ok()?;
    Some(time.checked_add(jiff::Span::new().seconds(1)).ok()?.strftime(TIME_FORMAT).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_beginning_of_their_migrations() {
        let folder = tempfile::tempdir().expect("a folder");
        let workspaces = Workspaces::of(folder.path());
        let begin = |now: &str, target: &str| {
            let workspace = unused(&workspaces, now, target.parse().expect("a target")).expect("can be listed");
            std::fs::create_dir_all(workspace.root()).expect("creates");
            std::fs::write(workspace.journal(), b"").expect("writes");
            workspace.id()
        };
        // In one second, in another order than that of the names; and when the clock was set back.
        let now = "2026-12-31T23:59:59Z";
        let ids = [begin(now, "rocksdb"), begin(now, "goleveldb"), begin("2026-01-01T00:00:00Z", "pebbledb")];
        assert_eq!(ids, ["20261231235959-rocksdb", "20270101000000-goleveldb", "20270101000001-pebbledb"]);
        let listed: Vec<String> = workspaces.list().expect("can be listed").iter().map(Workspace::id).collect();
        assert_eq!(listed, ids);
    }
}
