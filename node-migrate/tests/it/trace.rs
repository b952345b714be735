//! Lineage through the whole program: from the source by the step to the target, with proofs that lead to the roots.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proofs::merkle::{Hash, leaf_hash, root_from_path};
use serde_json::Value;

use crate::fixture::Fixture;
use crate::program::{command, roots, run, run_with_fault, text};

fn trace(home: &Path, words: &[&str]) -> Value {
    run(&[&["trace", text(home), "--json"], words].concat()).ok().json()
}

/// The record of this name.
fn record<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let mut records = answer["records"].as_array().expect("a list").iter();
    let is_it =
        |record: &&Value| record["record"].as_str().is_some_and(|words| words.ends_with(&format!("key {name}")));
    records.find(is_it).unwrap_or_else(|| panic!("no {name} in {answer}"))
}

fn key(record: &Value, side: &str) -> Vec<u8> {
    hex::decode(record[side]["key"].as_str().expect("a key")).expect("hex")
}

fn hash(value: &Value) -> Hash {
    hex::decode(value.as_str().expect("a hash")).expect("hex").try_into().expect("32 bytes")
}

/// Climbs a path, and gives the root.
fn climbed(rung: &Value, leaf: Hash) -> Hash {
    let number = |name: &str| rung[name].as_u64().expect("a number");
    let path: Vec<Hash> = rung["path"].as_array().expect("a path").iter().map(hash).collect();
    let root = root_from_path(number("total"), number("index"), leaf, &path).expect("a path of the right length");
    assert_eq!(root, hash(&rung["root"]));
    root
}

/// The root that a proof leads to, by docs/formats.md and nothing else.
fn proven(proof: &Value) -> Hash {
    let number = |value: &Value| value.as_u64().expect("a number").to_be_bytes();
    let segment = climbed(&proof["segment"], hash(&proof["segment"]["leaf"]));
    let leaf = [&[2][..], &number(&proof["segment_number"]), &number(&proof["segment"]["total"]), &segment].concat();
    let kind = climbed(&proof["kind_tree"], leaf_hash(&leaf));
    let name = proof["kind"].as_str().expect("a name");
    let length = u32::try_from(name.len()).expect("short").to_be_bytes();
    let leaf = [&[3][..], &length, name.as_bytes(), &number(&proof["kind_records"]), &kind].concat();
    climbed(&proof["database"], leaf_hash(&leaf))
}

/// Every table and log that is named is there, and has the offset.
fn assert_lies(home: &Path, sighting: &Value) {
    let location = &sighting["location"];
    let (file, offset) = match (location["table"].as_str(), location["log"].as_str()) {
        (Some(table), _) => (table, location["block_offset"].as_u64()),
        (None, Some(log)) => (log, location["record_offset"].as_u64()),
        (None, None) => {
            let files = location["one_of"].as_array().expect("a list");
            assert!(!files.is_empty() && files.iter().all(|file| Path::new(file.as_str().expect("a path")).exists()));
            return;
        }
    };
    assert!(Path::new(file).starts_with(home), "{file}");
    assert!(fs::metadata(file).expect("is there").len() > offset.expect("an offset"), "{sighting}");
}

/// Height 1 of the home that goes from layout v2 to v0.38, with one side in the workspace.
fn assert_is_on_both_sides(home: &Path, answer: &Value, waiting: &str, roots: &BTreeMap<String, Value>) {
    let parts = answer["records"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|record| record["source"].is_object() && key(record, "source").starts_with(&[0x81, 0x81]));
    assert!(parts.count() >= 1, "{answer}");
    for (name, fate) in [
        ("H:1", "key respelled"),
        ("SC:1", "key respelled"),
        ("validatorsKey:1", "rewritten"),
        ("consensusParamsKey:1", "rewritten"),
        ("abciResponsesKey:1", "key respelled"),
    ] {
        let record = record(answer, name);
        assert_eq!(record["step"]["fate"], fate, "{record}");
        assert_eq!(record["step"]["note"], Value::Null, "{record}");
        assert!(record["step"]["from"].as_str().expect("words").contains("layout v2"));
        assert!(record["step"]["to"].as_str().expect("words").contains("layout v1, dialect v0_38"));
        assert!(record["step"]["shard"]["rows"].as_u64().expect("a number") > 1);
        assert_eq!(key(record, "target"), name.as_bytes());
        assert_ne!(key(record, "source"), name.as_bytes());
        let is_same = record["source"]["value_sha256"] == record["target"]["value_sha256"];
        assert_eq!(is_same, fate == "key respelled", "{record}");
        for side in ["source", "target"] {
            assert_lies(home, &record[side]);
            let file = record[side]["location"].to_string();
            assert_eq!(file.contains(".node-migrate"), side == waiting, "{file}");
        }
        let database = record["database"].as_str().expect("a name");
        assert_eq!(hash(&roots[database]["sha256"]), proven(&record["proof"]), "{record}");
    }
    let checkpoint = &answer["checkpoint"];
    let leaf = hex::decode(checkpoint["leaf"].as_str().expect("hex")).expect("hex");
    assert_eq!((leaf.len(), &leaf[..8]), (76, &1_u64.to_be_bytes()[..]));
    let path: Vec<Hash> = checkpoint["path"].as_array().expect("a path").iter().map(hash).collect();
    let size = checkpoint["size"].as_u64().expect("a number");
    let root = root_from_path(size, 0, leaf_hash(&leaf), &path).expect("a path");
    assert_eq!((root, size), (hash(&checkpoint["root"]), 240));
}

#[test]
fn a_height_is_traced_from_the_source_to_the_target_and_proven() {
    let fixture = Fixture::unpack("cometbft-1.0-v2-goleveldb");
    let home = fixture.home();
    let roots = roots(&home);
    let path = text(&home);
    let alone = trace(&home, &["--height", "1"]);
    assert!(record(&alone, "H:1")["target"].is_null() && record(&alone, "H:1")["step"].is_null());

    run(&["run", path, "--for", "cometbft-0.38", "--execute"]).ok();
    assert_is_on_both_sides(&home, &trace(&home, &["--height", "1"]), "target", &roots);
    run(&["verify", path]).ok();
    run(&["cutover", path, "--execute"]).ok();
    assert_is_on_both_sides(&home, &trace(&home, &["--height", "1"]), "source", &roots);

    run(&["finalise", path, "--execute"]).ok();
    let finalised = trace(&home, &["--height", "1"]);
    let meta = record(&finalised, "H:1");
    assert!(meta["source"].is_null() && meta["target"].is_object(), "{meta}");
    assert!(meta["step"]["note"].as_str().expect("a note").contains("removed when the migration was finalised"));
    assert_eq!(hash(&roots["blockstore"]["sha256"]), proven(&meta["proof"]));
}

#[test]
fn records_that_go_and_come_by_rule_say_so() {
    let fixture = Fixture::unpack("cometbft-1.0-v2-goleveldb");
    let home = fixture.home();
    run(&["migrate", text(&home), "--for", "cometbft-0.38", "--to", "rocksdb", "--execute"]).ok();
    let of_name = |name: &str| trace(&home, &["--db", "state", "--key", &hex::encode(name)]);
    let gone = of_name("genesisDocHash");
    let gone = record(&gone, "genesisDocHash");
    assert_eq!((&gone["step"]["fate"], &gone["target"]), (&Value::from("dropped by rule"), &Value::Null));
    assert!(gone["step"]["reason"].as_str().expect("a reason").contains("genesis file"));
    let made = of_name("lastABCIResponseKey");
    let made = record(&made, "lastABCIResponseKey");
    assert_eq!((&made["step"]["fate"], &made["source"]), (&Value::from("rebuilt"), &Value::Null));
    assert_eq!(made["proof"]["under"], "own");
    // RocksDB names tables, not places in them.
    assert_lies(&home, &made["target"]);
    assert!(made["target"]["location"]["one_of"].is_array());
    // Rows that nothing is known of stay what they are.
    let oracle = fixture.oracle();
    let mut databases = oracle["databases"].as_array().expect("a list").iter();
    let index = databases.find(|database| database["dir"] == "tx_index.db").expect("the index");
    let key = index["smallest_key"].as_str().expect("a key");
    let row = run(&["trace", text(&home), "--key", key, "--no-proof"]).ok().out;
    assert!(row.contains("step    copied, goleveldb to rocksdb") && row.contains(".sst (the engine"), "{row}");
    assert!(!row.contains("proof"), "{row}");
}

#[test]
fn what_the_node_wrote_since_is_told_apart() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    let home = fixture.home();
    run(&["migrate", text(&home), "--to", "pebbledb", "--execute"]).ok();
    crate::program::let_the_blocks_grow(&home);
    let since = trace(&home, &["--height", "7", "--db", "blockstore", "--no-proof"]);
    let meta = record(&since, "H:7");
    assert_eq!(meta["step"]["fate"], "copied");
    assert!(meta["step"]["note"].as_str().expect("a note").contains("written it since"), "{meta}");
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb-onelog");
    let home = fixture.home();
    let path = text(&home);
    run(&["trace", path, "--height", "999"])
        .failed(2, "height 999 is in no database that was looked into: blockstore (blocks 1 to 80)");
    run(&["trace", path, "--key", "483a393939"]).failed(2, "the key 483a393939 (H:999)");
    run(&["trace", path, "--key", "4g"]).failed(2, "a key is given in hex");
    run(&["trace", path]).failed(2, "--height");
    run(&["trace", path, "--height", "1", "--db", "nothing"]).failed(2, "no database of that name");
    let logged = trace(&home, &["--height", "5"]);
    assert!(record(&logged, "H:5")["source"]["location"]["log"].as_str().expect("a log").ends_with("000001.log"));
    assert_lies(&home, &record(&logged, "H:5")["source"]);

    run(&["run", path, "--to", "pebbledb", "--execute"]).ok();
    run(&["verify", path]).ok();
    // In the middle of the exchange no folder is surely one or the other.
    for at in 1.. {
        let ended = run_with_fault(&format!("crash@{at}"), &["cutover", path, "--execute"]);
        assert_ne!(ended.code, 0, "a cut-over has no step {at} after which it is half done");
        if command(&["status", path])
            .output()
            .is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("cutting over"))
        {
            break;
        }
    }
    run(&["trace", path, "--height", "1"]).failed(8, "interrupted half-way");
    run(&["cutover", path, "--execute"]).ok();
    trace(&home, &["--height", "1"]);
}
