//! The verification over every real home: it finds nothing wrong, and says what upstream's own libraries say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use ledger_formats::engine::EngineKind;
use node_migrate::context::{Context, Silence};
use node_migrate::home::Home;
use node_migrate::reading::Reading;
use node_migrate::verify::{self, Input, InputDatabase, Report};
use serde_json::Value;

use crate::fixture::{self, Fixture};

/// A context of one worker that nobody stops.
pub fn context(stop: &AtomicBool) -> Context<'_> {
    Context { now: String::new, workers: 2, memory_bytes: 256 << 20, stop, listener: &Silence }
}

/// Verifies a home's databases where they lie.
fn check_home(home: &Home, temporary: &Path) -> Report {
    let readings: Vec<_> = home
        .databases
        .iter()
        .filter(|database| cfg!(feature = "rocks") || database.engine != EngineKind::RocksDb)
        .map(|database| {
            let reading = Reading::open(&database.real_path, database.engine, 8 << 20, temporary).expect("opens");
            (database, reading)
        })
        .collect();
    let databases = readings.iter().map(|(database, reading)| InputDatabase {
        name: database.name.clone(),
        role: database.role,
        store: reading.store(),
        source: None,
        quarantined: Vec::new(),
    });
    let chain_id = home.genesis.as_ref().map(|genesis| genesis.chain_id.clone());
    let input = Input { databases: databases.collect(), chain_id };
    verify::check(&input, &context(&AtomicBool::new(false))).expect("can be carried out")
}

/// Rows of each database as the oracle counts them.
fn rows_by_oracle(oracle: &Value) -> BTreeMap<String, u64> {
    let databases = oracle["databases"].as_array().expect("a list");
    let rows = databases.iter().map(|database| {
        let name = database["dir"].as_str().expect("a name").trim_end_matches(".db").to_owned();
        (name, database["keys"].as_u64().expect("a number"))
    });
    rows.collect()
}

#[test]
fn every_home_is_found_whole() {
    let mut homes = 0;
    for name in fixture::names() {
        let fixture = Fixture::unpack(&name);
        let home = Home::open(&fixture.home()).expect("is a home");
        if !cfg!(feature = "rocks") && home.databases.iter().any(|database| database.engine == EngineKind::RocksDb) {
            continue;
        }
        let report = check_home(&home, &fixture.home());
        assert_eq!(report.findings, [], "{name}");
        assert_eq!((report.findings_total, report.exceptions_total), (0, 0), "{name}");
        let oracle = fixture.oracle();
        if oracle["databases"].is_array() {
            assert_says_what_the_oracle_says(&name, &report, &oracle);
        }
        homes += 1;
    }
    assert!(homes > 15, "{homes} homes");
}

fn assert_says_what_the_oracle_says(name: &str, report: &Report, oracle: &Value) {
    let rows: BTreeMap<String, u64> = report.databases.iter().map(|it| (it.name.clone(), it.keys)).collect();
    assert_eq!(rows, rows_by_oracle(oracle), "{name}");
    let number = |key: &str| oracle[key].as_u64().expect("a number");
    let heights = report.heights.expect("there are blocks");
    assert_eq!((heights.base, heights.tip), (number("base"), number("height")), "{name}");
    assert_eq!(heights.state, Some(number("state_height")), "{name}");
    let checked = &report.layers.iter().find(|layer| layer.number == 3).expect("layer 3 ran").checked;
    let passed = &oracle["upstream_checks_passed"];
    assert_eq!(checked["blocks"], passed["block"], "{name}");
    assert_eq!(checked["seen commits"], passed["seen_commit"], "{name}");
    assert_eq!(checked["extended commits"], passed["ext_commit"].as_u64().unwrap_or(0), "{name}");
    assert!(checked["commits"] >= passed["commit"].as_u64().expect("a number"), "{name}");
    assert_eq!(checked["transactions"], number("num_txs"), "{name}");
    assert_eq!(checked["validator sets"], checked["headers"], "{name}");
    assert!(checked["consensus parameters"] >= checked["blocks"], "{name}");
    assert_eq!(report.sample.len(), 5, "{name}");
}
