//! Real homes: what is found in them, and what a rewritten setting changes.

use std::collections::BTreeMap;

use node_migrate::home::settings::{Rewritten, rewrite};
use node_migrate::home::{Home, Setting};

use crate::fixture::{Fixture, names};

/// Folder name and engine of each database, by the oracle; its `databases` is a list or, for SDK homes, a map.
fn expected(oracle: &serde_json::Value) -> BTreeMap<String, String> {
    let engine = |database: &serde_json::Value| database["engine"].as_str().expect("has an engine").to_owned();
    match &oracle["databases"] {
        serde_json::Value::Array(list) => list
            .iter()
            .map(|database| (database["dir"].as_str().expect("has a folder").to_owned(), engine(database)))
            .collect(),
        serde_json::Value::Object(map) => map.iter().map(|(dir, database)| (dir.clone(), engine(database))).collect(),
        other => panic!("no databases: {other}"),
    }
}

#[test]
fn every_real_home_has_the_databases_and_engines_of_its_oracle() {
    for name in names() {
        let fixture = Fixture::unpack(&name);
        let home = Home::open(&fixture.home()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found: BTreeMap<String, String> =
            home.databases.iter().map(|database| (database.dir_name.clone(), database.engine.to_string())).collect();
        assert_eq!(found, expected(&fixture.oracle()), "{name}");
        assert_eq!(home.left_out, [], "{name}");
        assert_eq!(home.remarks(), [""; 0], "{name}");
    }
}

#[test]
fn every_setting_of_every_real_home_is_rewritten_in_exactly_one_line() {
    for name in names() {
        let fixture = Fixture::unpack(&name);
        for setting in Setting::ALL {
            if !fixture.home().join("config").join(setting.file_name()).exists() {
                continue;
            }
            let before = fixture.read(&format!("config/{}", setting.file_name()));
            for value in ["goleveldb", "pebbledb", "rocksdb", "sled", "node-migrate-cut-over-in-progress"] {
                one_line_changes(&name, setting, &before, value);
            }
        }
    }
}

fn one_line_changes(name: &str, setting: Setting, before: &str, value: &str) {
    let line_of = |value: &str| format!("{} = \"{value}\"\n", setting.key());
    let after = match rewrite(before, setting, value).expect("rewrites") {
        Rewritten::NoChange => return assert!(before.contains(&line_of(value)), "{name}: {setting} is not {value}"),
        Rewritten::Changed(after) => after,
    };
    let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
    let (old, new) = (lines(before), lines(&after));
    assert_eq!(old.len(), new.len(), "{name}");
    let changed: Vec<usize> = (0..old.len()).filter(|at| old[*at] != new[*at]).collect();
    assert_eq!(changed.len(), 1, "{name}: {setting} to {value} changed lines {changed:?}");
    assert_eq!(new[changed[0]], line_of(value), "{name}");
}

#[test]
fn the_chain_is_read_from_the_genesis_file() {
    let genesis = |name: &str| Home::open(&Fixture::unpack(name).home()).expect("opens").genesis.expect("has one");
    let odd = genesis("cometbft-0.38-initial-height");
    assert_eq!((odd.chain_id.as_str(), odd.initial_height), ("fx/Ω-1 \"q\" %s\\é=:_.", 1000));
    let sdk = genesis("simapp-0.50-mixed-engines");
    assert_eq!(sdk.initial_height, 1);
}
