//! A node's databases held in memory, to be damaged one row at a time and verified.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use ledger_formats::engine::memory::MemoryStore;
use ledger_formats::store::{KeyRange, ReadStore};
use node_migrate::home::{Home, Role};
use node_migrate::reading::Reading;
use node_migrate::shard_summary::{ShardSummariser, ShardSummary};
use node_migrate::verify::{self, Finding, Input, InputDatabase, Report, VerifyError, What};

use crate::fixture::Fixture;
use crate::verify::context;

/// The rows of a database.
pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// First and last key of a place that was left out.
pub type Place = (Vec<u8>, Vec<u8>);

/// Shards, each with what was read from the source.
pub type Shards = Vec<(KeyRange, ShardSummary)>;

/// The databases of a home.
#[derive(Clone)]
pub struct Node {
    chain_id: Option<String>,
    databases: BTreeMap<String, (Role, Rows)>,
    /// What the copy left out, by database.
    pub quarantined: BTreeMap<String, Vec<Place>>,
    source: Option<BTreeMap<String, Shards>>,
}

impl Node {
    /// Reads a home.
    pub fn of(name: &str) -> Self {
        let fixture = Fixture::unpack(name);
        let home = Home::open(&fixture.home()).expect("is a home");
        let databases = home.databases.iter().map(|database| {
            let rows = read(&database.real_path, database.engine, &fixture.home());
            (database.name.clone(), (database.role, rows))
        });
        Self {
            chain_id: home.genesis.as_ref().map(|genesis| genesis.chain_id.clone()),
            databases: databases.collect(),
            quarantined: BTreeMap::new(),
            source: None,
        }
    }

    /// The rows of a database.
    pub fn rows(&mut self, database: &str) -> &mut Rows {
        &mut self.databases.get_mut(database).expect("is there").1
    }

    /// The value of a row.
    pub fn value(&mut self, database: &str, key: &[u8]) -> &mut Vec<u8> {
        self.rows(database).get_mut(key).unwrap_or_else(|| panic!("{} has {}", database, key.escape_ascii()))
    }

    /// Flips one bit of a value, counted from its first bit.
    pub fn flip(&mut self, database: &str, key: &[u8], bit: usize) {
        self.value(database, key)[bit / 8] ^= 1 << (bit % 8);
    }

    /// Drops a database.
    pub fn without(mut self, database: &str) -> Self {
        self.databases.remove(database).expect("is there");
        self
    }

    /// The node as a copy of itself as it is now.
    pub fn copied(mut self) -> Self {
        let shards = self.databases.iter().map(|(name, (_, rows))| (name.clone(), shards(rows)));
        self.source = Some(shards.collect());
        self
    }

    /// Verifies all databases.
    pub fn check(&self) -> Report {
        self.check_until(&AtomicBool::new(false)).expect("can be carried out")
    }

    /// Verifies all databases unless told to stop.
    pub fn check_until(&self, stop: &AtomicBool) -> Result<Report, VerifyError> {
        let stores: BTreeMap<&String, MemoryStore> =
            self.databases.iter().map(|(name, (_, rows))| (name, MemoryStore::new(rows.clone()))).collect();
        let databases = self.databases.iter().map(|(name, (role, _))| InputDatabase {
            name: name.clone(),
            role: *role,
            store: &stores[name],
            source: self.source.as_ref().map(|source| source[name].clone()),
            quarantined: self.quarantined.get(name).cloned().unwrap_or_default(),
        });
        let input = Input { databases: databases.collect(), chain_id: self.chain_id.clone() };
        verify::check(&input, &context(stop))
    }
}

fn read(folder: &Path, engine: ledger_formats::engine::EngineKind, temporary: &Path) -> Rows {
    let reading = Reading::open(folder, engine, 8 << 20, temporary).expect("opens");
    let mut cursor = reading.store().scan(&KeyRange::all()).expect("scans");
    let mut rows = Rows::new();
    while let Some((key, value)) = cursor.next().expect("reads") {
        rows.insert(key.to_vec(), value.to_vec());
    }
    rows
}

fn shards(rows: &Rows) -> Shards {
    let store = MemoryStore::new(rows.clone());
    let bytes: usize = rows.iter().map(|(key, value)| key.len() + value.len()).sum();
    let points = store.split_points((bytes as u64 / 3).max(1)).expect("memory reads");
    let starts = std::iter::once(Vec::new()).chain(points.iter().cloned());
    let ends = points.iter().cloned().map(Some).chain([None]);
    let ranges = starts.zip(ends).map(|(start, end)| KeyRange { start, end });
    ranges.map(|range| (range.clone(), summary(&store, &range))).collect()
}

/// What a copy would have read there.
fn summary(store: &MemoryStore, range: &KeyRange) -> ShardSummary {
    let mut cursor = store.scan(range).expect("memory reads");
    let mut summariser = ShardSummariser::default();
    while let Some((key, value)) = cursor.next().expect("memory reads") {
        summariser.add(key, value);
    }
    summariser.finish()
}

/// What a finding is about: database, key, height and what.
pub type About<'a> = (&'a str, &'a str, Option<u64>, What);

/// What a finding is about.
pub fn about(finding: &Finding) -> About<'_> {
    (&finding.database, &finding.key, finding.height, finding.what)
}

/// Asserts that something was found.
#[track_caller]
pub fn assert_found(report: &Report, expected: About<'_>) {
    let found: Vec<_> = report.findings.iter().map(about).collect();
    assert!(found.contains(&expected), "{expected:?} is not among {found:?}");
}

/// Where the last signature of a commit begins.
pub fn last_signature(commit: &[u8]) -> usize {
    commit.windows(2).rposition(|pair| pair == [0x22, 64]).expect("a signature") + 2
}
