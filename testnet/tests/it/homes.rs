//! Homes that validators write are homes to node-migrate: verified, migrated from sled in layout v1 to RocksDB in layout
//! v2, and the validator goes on from there.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use ledger_formats::engine::EngineKind;
use node_migrate::context::{Context, Silence};
use node_migrate::copy::OnCorrupt;
use node_migrate::formats::TargetSpec;
use node_migrate::home::{Home, Role};
use node_migrate::migration::{self, Migration, Stage, Verified};
use node_migrate::plan::{Plan, Request};
use node_migrate::reading::Reading;
use node_migrate::verify::{Input, InputDatabase, Report, check};
use testnet::local::damage_once;
use testnet::store::{Format, root};

use crate::solo::Solo;

const NEW: &str = "rocksdb,layout=v2,dialect=v1_0";
const OLD: &str = "sled,layout=v1,dialect=v0_38";

fn with_context<T>(work: impl FnOnce(&Context<'_>) -> T) -> T {
    let stop = AtomicBool::new(false);
    let now = || "2026-01-01T00:00:00Z".to_owned();
    work(&Context { now, workers: 2, memory_bytes: 512 << 20, stop: &stop, listener: &Silence })
}

/// What the verification says of the databases that a home has now.
fn verified(home: &Path) -> Report {
    let home = Home::open(home).expect("is a home");
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let open = |database: &node_migrate::home::Database| {
        Reading::open(&database.path, database.engine, 1 << 20, temporary.path()).expect("opens")
    };
    let readings: Vec<(String, Role, Reading)> =
        home.databases.iter().map(|it| (it.name.clone(), it.role, open(it))).collect();
    assert_eq!(readings.len(), 2, "two databases");
    let databases = readings.iter().map(|(name, role, reading)| InputDatabase {
        name: name.clone(),
        role: *role,
        store: reading.store(),
        source: None,
        quarantined: Vec::new(),
    });
    let input = Input { databases: databases.collect(), chain_id: home.genesis.as_ref().map(|it| it.chain_id.clone()) };
    with_context(|context| check(&input, context)).expect("verifies")
}

fn expect_clean(home: &Path, tip: u64) {
    let report = verified(home);
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    let heights = report.heights.expect("heights");
    assert_eq!((heights.base, heights.tip, heights.state), (1, tip, Some(tip)));
    assert!(report.signatures.checked >= tip, "{:?}", report.signatures);
}

fn copied_and_verified(home: &Path, to: &str, context: &Context<'_>) -> Migration<Verified> {
    let home = Home::open(home).expect("is a home");
    let spec: TargetSpec = to.parse().expect("a target");
    let request = Request { target: spec.engine, databases: Vec::new(), formats: spec.formats(), repaired: None };
    let plan = Plan::make(&home, &request).expect("a plan");
    let Stage::Planned(planned) = migration::begin(&home, plan, context).expect("begins") else { panic!("planned") };
    let copied = planned.copy(context, OnCorrupt::Stop).expect("copies");
    copied.verify(context).expect("verifies").0
}

fn migrate(home: &Path, to: &str) {
    with_context(|context| {
        let done = copied_and_verified(home, to, context).cut_over(context).expect("cuts over");
        done.finalise(context).expect("finalises");
    });
}

#[test]
fn a_validator_goes_on_from_its_migrated_home_and_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path();
    let mut solo = Solo::create(home, EngineKind::Sled, Format::Old);
    solo.run_to(14);
    let before = root(solo.databases.blocks(), Format::Old, 14).expect("a root");
    let closed = solo.closed();
    expect_clean(home, 14);

    migrate(home, NEW);
    expect_clean(home, 14);
    let mut solo = closed.opened(home);
    assert_eq!(solo.databases.format(), Format::New);
    assert_eq!(root(solo.databases.blocks(), Format::New, 14).expect("a root"), before);
    solo.run_to(25);
    let closed = solo.closed();
    expect_clean(home, 25);

    migrate(home, OLD);
    let mut solo = closed.opened(home);
    assert_eq!(solo.databases.format(), Format::Old);
    solo.run_to(30);
    assert_eq!(root(solo.databases.blocks(), Format::Old, 14).expect("a root"), before);
    drop(solo.closed());
    expect_clean(home, 30);
}

#[test]
fn a_home_written_in_the_new_format_is_the_migrated_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [old, new] = [EngineKind::Sled, EngineKind::RocksDb].map(|engine| {
        let home = folder.path().join(engine.config_name());
        let format = if engine == EngineKind::Sled { Format::Old } else { Format::New };
        let mut solo = Solo::create(&home, engine, format);
        solo.run_to(14);
        drop(solo.closed());
        expect_clean(&home, 14);
        home
    });
    migrate(&old, NEW);
    assert_eq!(rows(&old), rows(&new));
    let genesis = |home: &Path| -> serde_json::Value {
        let text = std::fs::read(home.join("config/genesis.json")).expect("reads");
        serde_json::from_slice(&text).expect("JSON")
    };
    assert_eq!(genesis(&old), genesis(&new));
}

/// All rows of a home's databases.
fn rows(home: &Path) -> Vec<(String, Vec<(String, String)>)> {
    let home = Home::open(home).expect("is a home");
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let all = |database: &node_migrate::home::Database| {
        let reading = Reading::open(&database.path, database.engine, 1 << 20, temporary.path()).expect("opens");
        let mut cursor = reading.store().scan(&ledger_formats::store::KeyRange::all()).expect("scans");
        let mut rows = Vec::new();
        while let Some((key, value)) = cursor.next().expect("reads") {
            rows.push((key.escape_ascii().to_string(), hex::encode(value)));
        }
        drop(cursor);
        (database.name.clone(), rows)
    };
    home.databases.iter().map(all).collect()
}

#[test]
fn a_node_that_a_damaged_new_store_keeps_from_starting_goes_back_to_sled() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path().join("home");
    let mut solo = Solo::create(&home, EngineKind::Sled, Format::Old);
    solo.run_to(8);
    let closed = solo.closed();
    with_context(|context| {
        let done = copied_and_verified(&home, NEW, context).cut_over(context).expect("cuts over");
        assert!(damage_once(&home).expect("damages"));
        assert!(testnet::store::Databases::open(&home).is_err(), "the node does not start");
        done.roll_back(context).expect("rolls back");
        assert!(!damage_once(&home).expect("is damaged once"));
    });
    let mut solo = closed.opened(&home);
    assert_eq!(solo.databases.format(), Format::Old);
    solo.run_to(12);
    drop(solo.closed());
    expect_clean(&home, 12);
}

#[test]
fn a_rollback_lets_the_validator_go_on_from_the_old_home_and_the_guard_stops_it_before() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path();
    let mut solo = Solo::create(home, EngineKind::Sled, Format::Old);
    solo.run_to(8);
    let closed = solo.closed();
    with_context(|context| {
        let done = copied_and_verified(home, NEW, context).cut_over(context).expect("cuts over");
        done.roll_back(context).expect("rolls back");
    });
    let mut solo = closed.opened(home);
    assert_eq!(solo.databases.format(), Format::Old);
    solo.run_to(12);
    drop(solo.closed());
    expect_clean(home, 12);

    let config = home.join("config/config.toml");
    let text = std::fs::read_to_string(&config).expect("reads");
    std::fs::write(&config, text.replace("sled", "node-migrate-cut-over-in-progress")).expect("writes");
    let refused = testnet::store::Databases::open(home).err().expect("refuses");
    assert!(refused.to_string().starts_with("unknown db_backend"), "{refused}");
}
