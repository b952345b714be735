//! A RocksDB database that a node of a testnet has open: see [`crate::engine::live`].

use std::path::Path;

use rocksdb::{DB, WriteBatch, WriteOptions};

use super::RocksStore;
use super::error::{step, store_error};
use super::options::for_nodes;
use crate::engine::live::LiveStore;
use crate::store::{ReadStore, StoreError};

/// An open database.
#[derive(Debug)]
pub struct RocksLive(RocksStore);

impl RocksLive {
    /// Opens a database, or creates it.
    ///
    /// # Errors
    /// When it cannot be opened; when another process has it open.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let options = for_nodes().map_err(|error| store_error(dir, error))?;
        let db = step("open", dir, || DB::open(&options, dir))?;
        Ok(Self(RocksStore::of_open(dir, db)))
    }
}

impl LiveStore for RocksLive {
    fn reader(&self) -> &dyn ReadStore {
        &self.0
    }

    fn put(&mut self, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for (key, value) in rows {
            batch.put(key, value);
        }
        let mut options = WriteOptions::default();
        options.set_sync(true);
        step("write", self.0.dir(), || self.0.db().write_opt(batch, &options))
    }
}
