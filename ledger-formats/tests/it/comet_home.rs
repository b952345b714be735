//! Real homes of CometBFT with their oracles, as rows in memory, for the tests of what the rows say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use ledger_formats::comet::class::Database;
use ledger_formats::comet::convert::{Conversion, ConvertedStore};
use ledger_formats::comet::dialect::Target;
use ledger_formats::comet::key::{BlockKey, Layout, StateKey, StateRecord};
use ledger_formats::digest::Summariser;
use ledger_formats::engine::EngineKind;
use ledger_formats::engine::lsm::LsmStore;
use ledger_formats::engine::memory::MemoryStore;
use ledger_formats::store::{KeyRange, ReadStore};
use serde_json::Value;

use super::homes;

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
    /// What they say about it in another layout, where that is known.
    pub converted: Vec<(Layout, Value)>,
    databases: BTreeMap<Database, Rows>,
}

/// All homes of CometBFT but the one of RocksDB, which not every build can read.
pub fn homes() -> &'static [Home] {
    static HOMES: LazyLock<Vec<Home>> = LazyLock::new(|| {
        let packed = homes::all();
        let homes: Vec<Home> =
            packed.iter().filter(|home| home.name.starts_with("cometbft-")).filter_map(Home::load).collect();
        assert!(homes.len() >= 20, "only {} homes", homes.len());
        homes
    });
    &HOMES
}

impl Home {
    /// Unpacks and reads a home; `None` if it has an engine that is not in every build.
    fn load(packed: &homes::Home) -> Option<Self> {
        let (name, oracle) = (packed.name.clone(), packed.oracle());
        let unpacked = packed.unpack();
        let mut databases = BTreeMap::new();
        for database in Database::ALL {
            let summary = summary_of(&oracle, database);
            let folder = unpacked.path(&Path::new("data").join(format!("{}.db", database.name())));
            let rows = read_rows(&folder, summary["engine"].as_str()?)?;
            assert_is_what_the_oracle_saw(&name, &rows, summary);
            databases.insert(database, rows);
        }
        let layout = Layout::from_label(oracle["layout"].as_str()?.as_bytes()).expect("a layout");
        let converted = Layout::ALL.iter().filter_map(|layout| Some((*layout, packed.oracle_as(layout.label())?)));
        Some(Self { converted: converted.collect(), name, oracle, layout, databases })
    }

    /// The home as it is after a conversion, in layout v2 where the release knows it. Without the index, which stays.
    pub fn converted_to(&self, target: Target) -> Self {
        let layout = if target == Target::V1_0 { Layout::V2 } else { Layout::V1 };
        let conversion = Conversion { from: self.layout, to: layout, dialect: Some(target) };
        let convert = |database: Database| {
            let source = self.rows(database).iter().map(|(key, value)| (key.clone(), value.clone()));
            let store = ConvertedStore::new(Box::new(MemoryStore::new(source)), database, conversion).expect("wraps");
            (database, all_rows(&store, &self.name))
        };
        let databases = [Database::BlockStore, Database::State, Database::Evidence].into_iter().map(convert).collect();
        Self { name: self.name.clone(), oracle: self.oracle.clone(), layout, converted: Vec::new(), databases }
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
    Some(all_rows(&store, &folder.display().to_string()))
}

fn all_rows(store: &dyn ReadStore, place: &str) -> Rows {
    let mut cursor = store.scan(&KeyRange::all()).expect("a scan");
    let mut rows = Rows::new();
    while let Some((key, value)) = cursor.next().unwrap_or_else(|error| panic!("{place}: {error}")) {
        rows.insert(key.to_vec(), value.to_vec());
    }
    rows
}
