//! The conversion of a home's databases, decided and tried out before anything is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledger_formats::comet::convert::{Conversion, Fate, Survey, survey};
use ledger_formats::comet::dialect::{Dialect, Target};
use ledger_formats::comet::key::Layout;
use ledger_formats::comet::release::{Release, path};
use ledger_formats::comet::writer::Writer;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{FormatsError, Found, Wanted, genesis, with_formats};
use crate::home::{Database, Home, Role};

/// Bytes of cache for each database that is looked through.
const CACHE_BYTES: u64 = 16 << 20;
/// Refusals that an error quotes.
const QUOTED_MAX: usize = 20;

/// What becomes of the keys and values of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedConversion {
    /// From which layout to which, and to which dialect.
    #[serde(flatten)]
    pub conversion: Conversion,
    /// Rows that the new database will have, where all were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_after: Option<u64>,
    /// What the target cannot say and does not need.
    #[serde(default)]
    pub losses: Vec<String>,
    /// What is odd and stays as it is.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// The map of what happens to each class of records.
    #[serde(rename = "class", default)]
    pub classes: Vec<PlannedClass>,
}

/// What happens to the records of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedClass {
    /// The class.
    pub class: String,
    /// What happens.
    pub fate: String,
    /// How many; nothing where they were not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<u64>,
    /// Why, where a rule says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl PlannedConversion {
    /// The new format in words, as receipts name it: `layout v1, dialect v0_38`.
    #[must_use]
    pub fn target(&self) -> String {
        let dialect = self.conversion.dialect.map(|dialect| format!(", dialect {dialect}")).unwrap_or_default();
        format!("layout {}{dialect}", self.conversion.to.label())
    }

    fn of(conversion: Conversion, survey: Survey) -> Self {
        let classes = survey.classes.iter().map(|count| PlannedClass {
            class: count.class.to_owned(),
            fate: count.fate.name().to_owned(),
            keys: count.keys,
            reason: count.reason.map(str::to_owned),
        });
        let classes = classes.collect();
        let Survey { rows_after, losses, remarks, .. } = survey;
        Self { conversion, rows_after, losses, remarks, classes }
    }
}

/// The edit of the genesis file that goes with a change of dialect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedGenesis {
    /// The file, symlinks resolved.
    pub file: PathBuf,
    /// The dialect that it is edited for.
    pub dialect: Target,
    /// SHA-256 of the file as it is.
    pub sha256_before: String,
    /// SHA-256 of the file as it will be.
    pub sha256_after: String,
}

/// All that changes beside the engine.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    /// By database.
    pub conversions: BTreeMap<String, PlannedConversion>,
    /// The genesis file.
    pub genesis: Option<PlannedGenesis>,
}

/// Decides what it takes to give a home the formats wanted; nothing where they are there.
///
/// # Errors
/// [`FormatsError`]: what makes it impossible, by database and height.
pub(crate) fn decide(home: &Home, wanted: Wanted, named: &[String]) -> Result<Decided, FormatsError> {
    if wanted == Wanted::Unchanged {
        return Ok(Decided::default());
    }
    let found = Found::of_those(home, |database| takes_part(home, database, named), CACHE_BYTES, &home.db_dir)?;
    found.refuse_unclear(wanted != Wanted::TrueLabels)?;
    let Some((layout, dialect)) = aim(&found, wanted)? else { return Ok(Decided::default()) };
    if wanted != Wanted::TrueLabels {
        found.refuse_apart()?;
    }
    let mut decided = Decided::default();
    let mut refused = (0, Vec::new());
    for database in &found.databases {
        let Some(kind) = with_formats(database.role) else { continue };
        let from = database.spelled.layout().unwrap_or(layout);
        let to = if wanted == Wanted::TrueLabels { from } else { layout };
        let conversion = Conversion { from, to, dialect };
        let is_relabelled = database.spelled.labelled().is_some_and(|label| label != to);
        if dialect.is_none() && from == to && !is_relabelled {
            continue;
        }
        let found = survey(database.reading.store(), kind, conversion)
            .map_err(|source| FormatsError::Store { database: database.name.clone(), source })?;
        refused.0 += found.refused_total;
        refused.1.extend(found.refused.iter().map(ToString::to_string));
        if is_relabelled || is_change(&found) {
            decided.conversions.insert(database.name.clone(), PlannedConversion::of(conversion, found));
        }
    }
    if refused.0 > 0 {
        refused.1.truncate(QUOTED_MAX);
        return Err(FormatsError::Refused { total: refused.0, shown: refused.1 });
    }
    if wanted == Wanted::TrueLabels && decided.conversions.is_empty() {
        return Err(FormatsError::NothingToRepair);
    }
    if let Some(dialect) = dialect.filter(|_| !decided.conversions.is_empty()) {
        decided.genesis = plan_genesis(&home.genesis_file(), dialect)?;
    }
    Ok(decided)
}

/// Whether these conversions are what the formats wanted take. The home is as it was when they were planned.
///
/// # Errors
/// As [`decide`].
pub(crate) fn are_planned<'a>(
    home: &Home,
    wanted: Wanted,
    named: &[String],
    mut planned: impl Iterator<Item = &'a PlannedConversion>,
) -> Result<bool, FormatsError> {
    match (planned.next(), wanted) {
        (first, Wanted::Unchanged) => Ok(first.is_none()),
        (None, wanted) => Ok(decide(home, wanted, named)?.conversions.is_empty()),
        (Some(PlannedConversion { conversion, .. }), wanted) => {
            let found = Found::of_those(home, |database| takes_part(home, database, named), CACHE_BYTES, &home.db_dir)?;
            Ok(aim(&found, wanted)? == Some((conversion.to, conversion.dialect)))
        }
    }
}

/// Whether a database is converted with the others. Block store, state and evidence are converted together; a light
/// client's store is by itself, and in a node's home only when it is named.
fn takes_part(home: &Home, database: &Database, named: &[String]) -> bool {
    let is_light = |database: &&Database| database.role == Role::LightStore;
    let is_called = |database: &Database, name: &String| *name == database.name || *name == database.dir_name;
    let of_light = |name: &String| home.databases.iter().filter(is_light).any(|database| is_called(database, name));
    let is_node = home.databases.iter().any(|other| !is_light(&other) && with_formats(other.role).is_some());
    match (is_light(&database), named.is_empty()) {
        (true, true) => !is_node,
        (true, false) => named.iter().any(|name| is_called(database, name)),
        (false, true) => true,
        (false, false) => !named.iter().all(of_light),
    }
}

/// The layout and dialect to aim at; `None` when the home is what is wanted.
fn aim(found: &Found, wanted: Wanted) -> Result<Option<(Layout, Option<Target>)>, FormatsError> {
    let present = found.layout();
    let writer = found.writer.as_ref();
    let (layout, dialect) = match wanted {
        Wanted::Unchanged => return Ok(None),
        Wanted::TrueLabels => return Ok(Some((present, None))),
        Wanted::Formats { layout, dialect } => (layout.unwrap_or(present), dialect),
        Wanted::For(release) if found.is_light() => {
            let layout = if release.layouts.contains(&present) { present } else { Layout::V1 };
            // What a light client keeps has had one form in all releases before v1.0.
            (layout, Some(Target::of(release.writes).unwrap_or(Target::V0_38)))
        }
        Wanted::For(release) => {
            let writer = writer.ok_or(FormatsError::UnknownWriter)?;
            let layout = if release.layouts.contains(&present) { present } else { Layout::V1 };
            (layout, dialect_for(release, writer)?)
        }
    };
    let after = dialect.map(Target::dialect).or(writer.map(|writer| writer.dialect));
    match after {
        Some(dialect) if layout == Layout::V2 && dialect != Dialect::V1_0 => {
            Err(FormatsError::LayoutTooNew { dialect: dialect.name() })
        }
        _ => Ok(Some((layout, dialect))),
    }
}

/// The dialect that values must get for a release; `None` where it opens them as they are.
fn dialect_for(release: &'static Release, writer: &Writer) -> Result<Option<Target>, FormatsError> {
    // v1.0 goes on with the home of an older release and leaves its records as they are, but reads them only in part.
    let may_be_mixed = writer.is_mixed || writer.dialect == Dialect::V1_0;
    if release.opens.contains(&writer.dialect) && !may_be_mixed {
        return Ok(None);
    }
    match (Target::of(release.writes), path(writer.dialect, release.writes)) {
        (Some(target), Some(_)) => Ok(Some(target)),
        _ => Err(FormatsError::NoWay { release: release.name, from: writer.name(), to: release.writes.name() }),
    }
}

/// Whether the new database would differ: what is dropped only to be made again counts for nothing.
fn is_change(survey: &Survey) -> bool {
    let has = |class: &str, fate| survey.classes.iter().any(|count| count.class == class && count.fate == fate);
    survey.classes.iter().any(|count| match count.fate {
        Fate::Copied | Fate::Unknown => false,
        Fate::Respelled | Fate::Rewritten => true,
        Fate::Dropped => !has(count.class, Fate::Rebuilt),
        Fate::Rebuilt => !has(count.class, Fate::Dropped),
    })
}

fn plan_genesis(file: &Path, dialect: Target) -> Result<Option<PlannedGenesis>, FormatsError> {
    let fault = |reason: String| FormatsError::Genesis { path: file.to_path_buf(), reason };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(error.to_string())),
    };
    let Some(edited) = genesis::edited(&text, dialect).map_err(fault)? else { return Ok(None) };
    let sha256 = |text: &str| hex::encode(Sha256::digest(text.as_bytes()));
    Ok(Some(PlannedGenesis {
        file: file.canonicalize().map_err(|error| fault(error.to_string()))?,
        dialect,
        sha256_before: sha256(&text),
        sha256_after: sha256(&edited),
    }))
}
