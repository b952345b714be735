//! What a node keeps: stores, log and signer's state, and what of it a crash leaves.

use ledger_formats::engine::memory::MemoryStore;

use super::migration::Stores;
use super::rng::Rng;
use crate::chain::{ChainState, Genesis, Rules};
use crate::consensus::wire::WalRecord;
use crate::consensus::{DecidedBlock, LastSigned, Recovered};
use crate::store::{self, Format, LoadError, Rows};

/// A disk.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    /// What the node opens.
    pub(super) stores: Stores,
    /// The copy of a migration, and whether it was verified.
    pub(super) copy: Option<(Stores, bool)>,
    /// What the node opened before the cut-over, and its height then.
    pub(super) kept: Option<(Stores, u64)>,
    pub(super) signer: LastSigned,
    wal_height: u64,
    wal: Vec<Vec<u8>>,
    /// Records of the log that last.
    synced: usize,
}

impl Disk {
    /// The disk of a node that has not begun.
    pub(super) fn new(genesis: &Genesis, state: &ChainState, format: Format) -> Self {
        let (blocks, states) = store::genesis_rows(genesis, state, format);
        let (blocks, states) = (MemoryStore::new(blocks), MemoryStore::new(states));
        let stores = Stores { format, blocks, states, is_damaged: false };
        let signer = LastSigned::default();
        Self { stores, copy: None, kept: None, signer, wal_height: 0, wal: Vec::new(), synced: 0 }
    }

    pub(super) fn append(&mut self, record: Vec<u8>) {
        self.wal.push(record);
    }

    pub(super) fn sync(&mut self) {
        self.synced = self.wal.len();
    }

    pub(super) fn reset_wal(&mut self, height: u64) {
        self.wal.clear();
        (self.synced, self.wal_height) = (0, height);
    }

    pub(super) fn save_block(&mut self, decided: &DecidedBlock) {
        let rows = store::block_rows(decided, self.stores.format);
        put(&mut self.stores.blocks, rows);
    }

    pub(super) fn save_state(&mut self, decided: &DecidedBlock) {
        let rows = store::state_rows(decided, self.stores.format);
        put(&mut self.stores.states, rows);
    }

    /// Loses what was not made durable: some of the log's end.
    pub(super) fn crash(&mut self, rng: &mut Rng) {
        let kept = self.synced + rng.place(self.wal.len() - self.synced + 1);
        self.wal.truncate(kept);
        self.synced = kept;
    }

    /// What a validator starts from.
    pub(super) fn recover(&self, rules: Rules) -> Result<Recovered, LoadError> {
        let stored = store::load(&self.stores.blocks, &self.stores.states, rules)?;
        // A record that cannot be read ends the log, as a torn one does.
        let wal = self.wal.iter().map_while(|record| WalRecord::decode(record).ok()).collect();
        Ok(Recovered {
            state: stored.state,
            last_commit: stored.last_commit,
            unapplied: stored.unapplied,
            wal: (self.wal_height, wal),
        })
    }
}

fn put(store: &mut MemoryStore, rows: Rows) {
    rows.into_iter().for_each(|(key, value)| store.put(key, value));
}
