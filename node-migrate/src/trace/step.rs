//! What a migration did with a record: by the rules of its plan, held against both sides.

use ledger_formats::comet::class::Kind;
use ledger_formats::comet::convert::{Conversion, Fate, rule};
use ledger_formats::comet::dialect::{self, Change};

use super::side::{Sighting, may_have_run};
use crate::migration::Lineage;

/// What a migration did with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The migration.
    pub migration: String,
    /// Where it stands.
    pub phase: &'static str,
    /// What happened, or will happen.
    pub fate: Fate,
    /// Why, where a rule says so.
    pub reason: Option<&'static str>,
    /// The format before: engine and layout.
    pub from: String,
    /// The format afterwards: engine, layout and dialect.
    pub to: String,
    /// The shard that copied it: its number, shards in all, rows and SHA-256 of what was read.
    pub shard: Option<CopiedBy>,
    /// What is not as the step alone would leave it.
    pub note: Option<String>,
}

/// The shard that copied a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedBy {
    /// Its number, from 0.
    pub number: u32,
    /// Shards in all.
    pub shards: usize,
    /// Rows that it read.
    pub rows: u64,
    /// BLAKE3 over them, as `digest` frames rows.
    pub blake3: [u8; 32],
}

impl Step {
    /// The step of a record of `kind` that was found as given.
    pub(super) fn of(lineage: &Lineage, kind: Kind, source: Option<&Sighting>, target: Option<&Sighting>) -> Self {
        let conversion = lineage.conversion.as_ref().map(|planned| planned.conversion);
        let reason = conversion.and_then(|conversion| rule(kind, conversion));
        let fate = match (reason, source, target) {
            (Some(_), _, Some(_)) => Fate::Rebuilt,
            (Some(_), _, None) => Fate::Dropped,
            (None, Some(source), _) => fate(kind, conversion, source),
            (None, None, _) => Fate::Copied,
        };
        let layout = |conversion: Conversion| format!(", layout {}", conversion.from.label());
        let planned = lineage.conversion.as_ref().map(|planned| format!(", {}", planned.target()));
        Self {
            migration: lineage.migration.clone(),
            phase: lineage.phase.name(),
            fate,
            reason,
            from: format!("{}{}", lineage.from, conversion.map(layout).unwrap_or_default()),
            to: format!("{}{}", lineage.to, planned.unwrap_or_default()),
            shard: target.or(source).and_then(|sighting| copied_by(lineage, &sighting.key)),
            note: note(lineage, kind, reason.is_some(), source, target),
        }
    }
}

fn fate(kind: Kind, conversion: Option<Conversion>, source: &Sighting) -> Fate {
    let Some(conversion) = conversion else { return Fate::Copied };
    if kind == Kind::Unknown {
        return Fate::Unknown;
    }
    if expected(kind, conversion, source).is_some_and(|value| value != source.value) {
        return Fate::Rewritten;
    }
    let is_respelled = source.layout.is_some() && conversion.from != conversion.to;
    if is_respelled { Fate::Respelled } else { Fate::Copied }
}

/// The value that a conversion makes of the source's; `None` where it cannot.
fn expected(kind: Kind, conversion: Conversion, source: &Sighting) -> Option<Vec<u8>> {
    let Some(dialect) = conversion.dialect else { return Some(source.value.clone()) };
    let mut value = Vec::new();
    match dialect::convert(kind, &source.value, dialect, &mut value).ok()? {
        Change::None => Some(source.value.clone()),
        Change::Rewritten => Some(value),
    }
}

fn note(
    lineage: &Lineage,
    kind: Kind,
    is_by_rule: bool,
    source: Option<&Sighting>,
    target: Option<&Sighting>,
) -> Option<String> {
    if lineage.target.is_none() {
        return Some("the target is not complete yet, or was removed".to_owned());
    }
    if lineage.source.is_none() {
        return Some("the source was removed when the migration was finalised".to_owned());
    }
    let since = if may_have_run(lineage.phase) { "the node has run since, or it" } else { "it" };
    match (source, target) {
        _ if is_by_rule => None,
        (Some(_), None) => Some(format!("not in the target: {since} was quarantined or pruned")),
        (None, Some(_)) => Some("not in the source: the node has written it since".to_owned()),
        (Some(source), Some(target)) => {
            let conversion = lineage.conversion.as_ref().map(|planned| planned.conversion);
            let made = conversion.map_or_else(|| Some(source.value.clone()), |by| expected(kind, by, source));
            (made.as_ref() != Some(&target.value))
                .then(|| "the target has another value: the node has written it since".to_owned())
        }
        (None, None) => None,
    }
}

fn copied_by(lineage: &Lineage, key: &[u8]) -> Option<CopiedBy> {
    let (number, _, shard) = lineage.shard(key)?;
    let (rows, blake3) = (shard.source.keys, shard.source.blake3);
    Some(CopiedBy { number, shards: lineage.shards(), rows, blake3 })
}
