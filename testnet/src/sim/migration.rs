//! A migration at once: the stores of a stopped node, converted in memory by the code that converts real ones, and
//! verified before anything is exchanged.

use std::sync::atomic::AtomicBool;

use ledger_formats::comet::class::Database;
use ledger_formats::comet::convert::{Conversion, ConvertedStore};
use ledger_formats::comet::dialect::Target;
use ledger_formats::engine::memory::MemoryStore;
use ledger_formats::store::{KeyRange, ReadStore, StoreError};
use node_migrate::context::{Context, Silence};
use node_migrate::home::Role;
use node_migrate::verify::{Input, InputDatabase, check};

use super::audit::audit;
use crate::chain::{Crypto, Dialect, Genesis};
use crate::store::{Format, Rows};

/// Both databases of a node in one format.
#[derive(Clone, Debug)]
pub(super) struct Stores {
    pub(super) format: Format,
    pub(super) blocks: MemoryStore,
    pub(super) states: MemoryStore,
    /// Whether rows in it were damaged: known to the judges alone.
    pub(super) is_damaged: bool,
}

impl Stores {
    /// The same in another format.
    ///
    /// # Errors
    /// What cannot be converted.
    pub(super) fn converted(&self, to: Format) -> Result<Self, StoreError> {
        let convert = |store: &MemoryStore, database| converted(store, database, self.format, to);
        let blocks = convert(&self.blocks, Database::BlockStore)?;
        let states = convert(&self.states, Database::State)?;
        Ok(Self { format: to, blocks, states, is_damaged: self.is_damaged })
    }

    /// Checks all rows against the chain; where signatures are real, by the verification of node-migrate too.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn verify(&self, genesis: &Genesis) -> Result<(), String> {
        audit(genesis, &self.blocks, &self.states).map_err(|error| error.to_string())?;
        if genesis.rules.crypto == Crypto::Ed25519 { self.verify_as_migrations_do(genesis) } else { Ok(()) }
    }

    fn verify_as_migrations_do(&self, genesis: &Genesis) -> Result<(), String> {
        let database = |name: &str, role, store| InputDatabase {
            name: name.to_owned(),
            role,
            store,
            source: None,
            quarantined: Vec::new(),
        };
        let databases = vec![
            database("blockstore", Role::BlockStore, &self.blocks as &dyn ReadStore),
            database("state", Role::State, &self.states),
        ];
        let input = Input { databases, chain_id: Some(genesis.chain_id.clone()) };
        let stop = AtomicBool::new(false);
        let context =
            Context { now: String::new, workers: 1, memory_bytes: 256 << 20, stop: &stop, listener: &Silence };
        let report = check(&input, &context).map_err(|error| error.to_string())?;
        report.findings.first().map_or(Ok(()), |finding| Err(finding.to_string()))
    }
}

fn converted(store: &MemoryStore, database: Database, from: Format, to: Format) -> Result<MemoryStore, StoreError> {
    let dialect = match to.dialect() {
        Dialect::V0_38 => Target::V0_38,
        Dialect::V1_0 => Target::V1_0,
    };
    let conversion = Conversion { from: from.layout(), to: to.layout(), dialect: Some(dialect) };
    let source = ConvertedStore::new(Box::new(store.clone()), database, conversion)?;
    Ok(MemoryStore::new(rows(&source)?))
}

/// All rows of a store.
pub(super) fn rows(store: &dyn ReadStore) -> Result<Rows, StoreError> {
    let mut cursor = store.scan(&KeyRange::all())?;
    let mut rows = Rows::new();
    while let Some((key, value)) = cursor.next()? {
        rows.push((key.to_vec(), value.to_vec()));
    }
    Ok(rows)
}
