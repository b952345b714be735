//! The formats that the databases of a home have, told by their content.

use std::path::Path;

use ledger_formats::comet::key::Layout;
use ledger_formats::comet::layout::{Spelled, spelled};
use ledger_formats::comet::writer::{Writer, writer};
use ledger_formats::store::StoreError;

use super::with_formats;
use crate::home::{Database, Home, Role};
use crate::reading::{Reading, ReadingError};
use crate::tips::{self, TipError};

/// Why the formats of a home cannot be changed as wanted, or not be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatsError {
    /// A database cannot be opened.
    #[error("{database}: {source}")]
    Open {
        /// The database.
        database: String,
        /// What is wrong.
        source: ReadingError,
    },
    /// A database cannot be read.
    #[error("{database}: {source}")]
    Store {
        /// The database.
        database: String,
        /// What is wrong.
        source: StoreError,
    },
    /// The height of a database cannot be told.
    #[error("{database}: {source}")]
    Tip {
        /// The database.
        database: String,
        /// What is wrong.
        source: TipError,
    },
    /// A store has keys of both layouts.
    #[error(
        "{database} has keys of layout v1 and of layout v2: no node reads both, and which ones count cannot be told"
    )]
    BothLayouts {
        /// The database.
        database: String,
    },
    /// The label of a store names another layout than its keys have.
    #[error(
        "{database} says that it has layout {label}, but its keys are of layout {layout}: no node finds them; `repair` sets the label right"
    )]
    Mislabelled {
        /// The database.
        database: String,
        /// By its label.
        label: &'static str,
        /// By its keys.
        layout: &'static str,
    },
    /// The label of a store is none that a release writes.
    #[error("{database}: the value of its key `version` is `{label}`, which is no layout")]
    UnknownLabel {
        /// The database.
        database: String,
        /// The value, escaped.
        label: String,
    },
    /// Nobody can tell who wrote the state.
    #[error("the state names no release that this tool knows: its dialect cannot be told")]
    UnknownWriter,
    /// There is no way between two dialects.
    #[error("{release} cannot open what {from} wrote, and there is no conversion to dialect {to}")]
    NoWay {
        /// The release wanted.
        release: &'static str,
        /// The release that wrote the home.
        from: String,
        /// The dialect that the release writes.
        to: &'static str,
    },
    /// A layout that the release of the home does not open.
    #[error("layout v2 is opened by v1.0 only, and the values would be of dialect {dialect}")]
    LayoutTooNew {
        /// The dialect.
        dialect: &'static str,
    },
    /// Only some databases are to be converted.
    #[error(
        "layout and dialect are changed in blockstore, state and evidence together: name all three with --db, or none"
    )]
    Partial,
    /// Block store and state are too far apart.
    #[error(
        "the block store ends at height {blocks}, the state at {state}: a node is never more than one block apart, so one of them is not of this home"
    )]
    Apart {
        /// The last block.
        blocks: u64,
        /// The state's height.
        state: u64,
    },
    /// Records that the target cannot say.
    #[error("{total} records cannot be converted:{}", .shown.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    Refused {
        /// How many.
        total: u64,
        /// The first ones, with database, height and field.
        shown: Vec<String>,
    },
    /// No label is wrong.
    #[error("every label names the layout that the keys have: there is nothing to repair")]
    NothingToRepair,
    /// The genesis file cannot be edited.
    #[error("{path}: {reason}")]
    Genesis {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        reason: String,
    },
}

/// One database, open, with the layout of its keys.
pub(super) struct OpenDatabase {
    pub name: String,
    pub role: Role,
    pub reading: Reading,
    pub spelled: Spelled,
}

/// The databases of a home that have formats.
pub struct Found {
    pub(super) databases: Vec<OpenDatabase>,
    /// Who wrote the state last; `None` for an empty state or a software of no known line.
    pub writer: Option<Writer>,
}

impl Found {
    /// Opens the databases and looks at their keys and at the state. `temporary`: for engines that need a copy.
    ///
    /// # Errors
    /// When one cannot be opened or read.
    pub fn of(home: &Home, cache_bytes: u64, temporary: &Path) -> Result<Self, FormatsError> {
        Self::of_those(home, |_| true, cache_bytes, temporary)
    }

    /// The same of some databases.
    ///
    /// # Errors
    /// As [`Found::of`].
    pub(super) fn of_those(
        home: &Home,
        is_meant: impl Fn(&Database) -> bool,
        cache_bytes: u64,
        temporary: &Path,
    ) -> Result<Self, FormatsError> {
        let mut found = Self { databases: Vec::new(), writer: None };
        for database in home.databases.iter().filter(|database| is_meant(database)) {
            let Some(kind) = with_formats(database.role) else { continue };
            let name = database.name.clone();
            let reading = Reading::open(&database.real_path, database.engine, cache_bytes, temporary)
                .map_err(|source| FormatsError::Open { database: name.clone(), source })?;
            let failed = |source| FormatsError::Store { database: name.clone(), source };
            let spelled = spelled(reading.store(), kind).map_err(failed)?;
            if database.role == Role::State {
                found.writer = writer(reading.store()).map_err(failed)?;
            }
            found.databases.push(OpenDatabase { name, role: database.role, reading, spelled });
        }
        Ok(found)
    }

    /// What keys and labels show, by database.
    pub fn layouts(&self) -> impl Iterator<Item = (&str, &Spelled)> {
        self.databases.iter().map(|database| (database.name.as_str(), &database.spelled))
    }

    /// Whether there is nothing but a light client's store: no state says who wrote it, and each record says how.
    pub(super) fn is_light(&self) -> bool {
        !self.databases.is_empty() && self.databases.iter().all(|database| database.role == Role::LightStore)
    }

    /// The layout of the home: of the first database whose keys show one, else of the first label; v1 when all are empty.
    pub(super) fn layout(&self) -> Layout {
        let by_keys = self.databases.iter().find_map(|database| database.spelled.layout());
        let by_label = || self.databases.iter().find_map(|database| database.spelled.labelled());
        by_keys.or_else(by_label).unwrap_or(Layout::V1)
    }

    /// Whether the label of a store names another layout than its keys have; or, of a store without keys, than the keys of the others
    /// have: a node that does not know labels would write its own keys below it, and mislabel the store.
    #[must_use]
    pub fn is_wrong_label(&self, spelled: &Spelled) -> bool {
        let is_clear = !(spelled.v1 && spelled.v2);
        let layout = spelled.layout().unwrap_or_else(|| self.layout());
        is_clear && spelled.labelled().is_some_and(|label| label != layout)
    }

    /// Refuses stores whose layout cannot be told.
    pub(super) fn refuse_unclear(&self, mislabelled_too: bool) -> Result<(), FormatsError> {
        for database in &self.databases {
            let (name, spelled) = (database.name.clone(), &database.spelled);
            if spelled.v1 && spelled.v2 {
                return Err(FormatsError::BothLayouts { database: name });
            }
            match (&spelled.label, spelled.labelled(), spelled.layout()) {
                (Some(label), None, _) => {
                    let label = label.escape_ascii().take(40).map(char::from).collect();
                    return Err(FormatsError::UnknownLabel { database: name, label });
                }
                (_, Some(label), Some(layout)) if label != layout && mislabelled_too => {
                    return Err(FormatsError::Mislabelled {
                        database: name,
                        label: label.label(),
                        layout: layout.label(),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Refuses a block store and a state that are not of one time.
    pub(super) fn refuse_apart(&self) -> Result<(), FormatsError> {
        let tip = |role: Role| -> Result<Option<u64>, FormatsError> {
            let Some(database) = self.databases.iter().find(|database| database.role == role) else { return Ok(None) };
            let tip = tips::of(role, database.reading.store())
                .map_err(|source| FormatsError::Tip { database: database.name.clone(), source })?;
            Ok(tip.map(tips::Tip::number))
        };
        match (tip(Role::BlockStore)?, tip(Role::State)?) {
            (Some(blocks), Some(state)) if blocks != state && Some(blocks) != state.checked_add(1) => {
                Err(FormatsError::Apart { blocks, state })
            }
            _ => Ok(()),
        }
    }
}
