//! Real homes with their oracles, as rows in memory, for the tests of what the rows say.
//!
//! `NODE_MIGRATE_FIXTURES` names a folder with more homes; without it the homes of this repository are used.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ledger_formats::comet::class::Database;
use ledger_formats::comet::key::{BlockKey, Layout, StateKey, StateRecord};
use ledger_formats::digest::Summariser;
use ledger_formats::engine::EngineKind;
use ledger_formats::engine::lsm::LsmStore;
use ledger_formats::store::{KeyRange, ReadStore};
use serde_json::Value;

/// The rows of one database.
pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A home whose rows were read and found to be those that the oracle saw.
pub struct Home {
    /// Name of the fixture.
    pub name: String,
    /// What upstream's libraries say about it.
    pub oracle: Value,
    /// How its keys are spelled, whatever its `version` says.
    pub layout: Layout,
    databases: BTreeMap<Database, Rows>,
}

/// All homes of CometBFT but the one of RocksDB, which not every build can read.
pub fn homes() -> &'static [Home] {
    static HOMES: LazyLock<Vec<Home>> = LazyLock::new(|| {
        let names = oracles();
        assert!(names.len() >= 20, "only {} homes found in {}", names.len(), folder().display());
        names.iter().filter_map(|name| Home::load(name)).collect()
    });
    &HOMES
}

/// The folder of the fixtures.
pub fn folder() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    std::env::var_os("NODE_MIGRATE_FIXTURES").map_or_else(own, PathBuf::from)
}

/// Reads a JSON file of the fixtures.
pub fn json(file: &str) -> Value {
    let bytes = std::fs::read(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn oracles() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap_or_else(|error| panic!("{}: {error}", folder().display()));
    let files = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    let named = files.filter_map(|file| file.strip_suffix(".oracle.json").map(str::to_owned));
    let mut names: Vec<String> = named.filter(|name| name.starts_with("cometbft-")).collect();
    names.sort();
    names
}

impl Home {
    /// Unpacks and reads a home; `None` if an engine of it is not in this build.
    fn load(name: &str) -> Option<Self> {
        let oracle = json(&format!("{name}.oracle.json"));
        let unpacked = tempfile::tempdir().expect("a temporary folder");
        let packed = File::open(folder().join(format!("{name}.tar.zst"))).expect("a packed home");
        let decoder = ruzstd::decoding::StreamingDecoder::new(packed).expect("zstd");
        tar::Archive::new(decoder).unpack(unpacked.path()).expect("a tarball");
        let mut databases = BTreeMap::new();
        for database in Database::ALL {
            let folder = unpacked.path().join(name).join("data").join(format!("{}.db", database.name()));
            let summary = summary_of(&oracle, database);
            let rows = read_rows(&folder, summary["engine"].as_str()?)?;
            assert_is_what_the_oracle_saw(name, &rows, summary);
            databases.insert(database, rows);
        }
        let layout = Layout::from_label(oracle["layout"].as_str()?.as_bytes()).expect("a layout");
        Some(Self { name: name.to_owned(), oracle, layout, databases })
    }

    /// The rows of a database.
    pub fn rows(&self, database: Database) -> &Rows {
        &self.databases[&database]
    }

    /// The value of a key of the block store.
    pub fn block(&self, key: &BlockKey) -> Option<&[u8]> {
        let mut spelled = Vec::new();
        key.encode(self.layout, &mut spelled);
        self.rows(Database::BlockStore).get(&spelled).map(Vec::as_slice)
    }

    /// The value of a key of the state store.
    pub fn state(&self, key: &StateKey) -> Option<&[u8]> {
        let mut spelled = Vec::new();
        key.encode(self.layout, &mut spelled);
        self.rows(Database::State).get(&spelled).map(Vec::as_slice)
    }

    /// The value of `stateKey`.
    pub fn tip(&self) -> &[u8] {
        self.state(&StateKey::Single(StateRecord::State)).expect("every home has a state")
    }

    /// A number of the oracle.
    pub fn number(&self, field: &str) -> u64 {
        self.oracle[field].as_u64().unwrap_or_else(|| panic!("{}: oracle has no number {field}", self.name))
    }

    /// What the oracle says about each block, by height.
    pub fn blocks(&self) -> impl Iterator<Item = (u64, &Value)> {
        let blocks = self.oracle["blocks"].as_array().expect("blocks");
        blocks.iter().map(|block| (block["height"].as_u64().expect("a height"), block))
    }
}

/// What an oracle says about one database.
pub fn summary_of(oracle: &Value, database: Database) -> &Value {
    let folder = format!("{}.db", database.name());
    let databases = oracle["databases"].as_array().expect("databases");
    databases.iter().find(|summary| summary["dir"] == folder.as_str()).expect("the oracle knows the database")
}

/// Asserts that rows have the digest of the oracle.
pub fn assert_is_what_the_oracle_saw(name: &str, rows: &Rows, summary: &Value) {
    let mut summariser = Summariser::default();
    rows.iter().for_each(|(key, value)| summariser.add(key, value));
    let actual = hex::encode(summariser.finish().sha256);
    assert_eq!(actual, summary["sha256"].as_str().expect("a digest"), "{name}: {}", summary["dir"]);
}

/// All rows of a folder; `None` for an engine that this test does not read.
fn read_rows(folder: &Path, engine: &str) -> Option<Rows> {
    let engine = [EngineKind::LevelDb, EngineKind::Pebble].into_iter().find(|kind| kind.config_name() == engine)?;
    let store = LsmStore::open(folder, engine, 0).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut cursor = store.scan(&KeyRange::all()).expect("a scan");
    let mut rows = Rows::new();
    while let Some((key, value)) = cursor.next().unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        rows.insert(key.to_vec(), value.to_vec());
    }
    Some(rows)
}
