//! Layers 1 and 2 of the report: what each database holds, and what is odd about its keys.

use std::collections::BTreeMap;

use ledger_formats::comet::class::Kind;

use super::InputDatabase;
use super::findings::Findings;
use super::report::{DatabaseCounts, Layer, Report};
use super::survey::Survey;
use super::text::count;
use crate::home::Role;

/// Writes down what the scan counted.
pub(super) fn write(databases: &[InputDatabase<'_>], surveys: &[Survey], findings: &Findings<'_>, report: &mut Report) {
    for (database, survey) in databases.iter().zip(surveys) {
        report.databases.push(counts_of(database, survey));
        remark_on_unknown(database, survey, findings);
    }
    let alone: Vec<&str> =
        databases.iter().filter(|database| database.source.is_none()).map(|database| database.name.as_str()).collect();
    if !alone.is_empty() {
        findings.not_checked(format!("equality with a source, which only a migration has: {}", alone.join(", ")));
    }
    let sum = |of: fn(&Survey) -> u64| surveys.iter().map(of).sum();
    report.layers.push(Layer {
        number: 1,
        name: "counts by class",
        checked: BTreeMap::from([
            ("databases", surveys.len() as u64),
            ("rows", sum(|survey| survey.keys)),
            ("index transactions against their hash", sum(|survey| survey.inventory.transactions)),
            ("pieces of evidence against their key", sum(|survey| survey.inventory.evidence)),
            ("light blocks against their own validators", sum(|survey| survey.inventory.light_blocks)),
        ]),
    });
    let compared = |survey: &&Survey| survey.equals_source.is_some();
    report.layers.push(Layer {
        number: 2,
        name: "digests against the source",
        checked: BTreeMap::from([
            ("shards", sum(|survey| survey.shards)),
            ("rows", surveys.iter().filter(compared).map(|survey| survey.keys).sum()),
            ("bytes", surveys.iter().filter(compared).map(|survey| survey.key_bytes + survey.value_bytes).sum()),
        ]),
    });
}

fn counts_of(database: &InputDatabase<'_>, survey: &Survey) -> DatabaseCounts {
    let mut classes = BTreeMap::new();
    for (class, rows) in &survey.inventory.classes {
        *classes.entry(class.name()).or_default() += rows;
    }
    if database.role == Role::Opaque {
        classes.insert("rows", survey.keys);
    }
    DatabaseCounts {
        name: database.name.clone(),
        keys: survey.keys,
        key_bytes: survey.key_bytes,
        value_bytes: survey.value_bytes,
        classes,
        equals_source: survey.equals_source,
    }
}

fn remark_on_unknown(database: &InputDatabase<'_>, survey: &Survey, findings: &Findings<'_>) {
    let unknown = survey.inventory.rows(Kind::Unknown);
    if unknown > 0 {
        let keys = count(unknown, "key", "keys");
        let first = survey.inventory.unknown.join(", ");
        findings.remark(format!("{}: {keys} of no known class, carried as they are: {first}", database.name));
    }
}
