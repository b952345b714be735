//! A sled database that a node of a testnet has open: see [`crate::engine::live`].
//!
//! sled's flush survives the end of the process, not that of the machine's power; a testnet needs no more.

use std::path::Path;

use super::{Conf, SEGMENT_BYTES, SledStore, guarded, open};
use crate::durable;
use crate::engine::live::LiveStore;
use crate::store::{ReadStore, StoreError};

/// An open database.
#[derive(Debug)]
pub struct SledLive(SledStore);

impl SledLive {
    /// Opens a database, or creates it.
    ///
    /// # Errors
    /// When it cannot be opened; when another process has it open.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let segment_bytes = match dir.join("conf").exists() {
            true => Conf::read(dir)?.segment_bytes,
            false => SEGMENT_BYTES,
        };
        let db = durable::step("open", dir, || Ok(open(dir, segment_bytes)))??;
        Ok(Self(SledStore::of_open(dir, db)))
    }
}

impl LiveStore for SledLive {
    fn reader(&self) -> &dyn ReadStore {
        &self.0
    }

    fn put(&mut self, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        let mut batch = ::sled::Batch::default();
        for (key, value) in rows {
            batch.insert(key.as_slice(), value.as_slice());
        }
        let dir = self.0.dir();
        let write = || {
            self.0.db().apply_batch(batch)?;
            self.0.db().flush()
        };
        durable::step("write", dir, || Ok(guarded(dir, write)))??;
        Ok(())
    }
}
