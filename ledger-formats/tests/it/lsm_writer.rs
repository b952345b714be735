//! LevelDB and Pebble as the contract of all engines sees them: written by the table writer, read by
//! the merged reader of their folders.

use ledger_formats::engine::EngineKind;
use ledger_formats::engine::block_codec::Compression;
use ledger_formats::engine::lsm::LsmStore;
use ledger_formats::engine::lsm_writer::{LsmTarget, LsmWriter, LsmWriterOptions};
use ledger_formats::store::{BulkWriter, ReadStore, StoreError};

use crate::contract::{Adapter, Place};

/// Small tables, so that a shard has many.
const OPTIONS: LsmWriterOptions =
    LsmWriterOptions { table_bytes: Some(300_000), block_bytes: 1000, compression: Compression::Snappy };

macro_rules! adapter {
    ($name:ident, $target:expr, $engine:expr, $options:expr) => {
        #[derive(Default)]
        pub struct $name;

        impl Adapter for $name {
            fn writer<'a>(&'a self, place: &Place) -> Result<Box<dyn BulkWriter + 'a>, StoreError> {
                Ok(Box::new(LsmWriter::new($target, &place.parts(), &place.target(), $options)?))
            }

            fn open<'a>(&'a self, place: &Place) -> Result<Box<dyn ReadStore + 'a>, StoreError> {
                Ok(Box::new(LsmStore::open(&place.target(), $engine, 8 << 20)?))
            }
        }
    };
}

adapter!(LevelDb, LsmTarget::LevelDb, EngineKind::LevelDb, OPTIONS);
adapter!(PebbleV1, LsmTarget::PebbleV1, EngineKind::Pebble, LsmWriterOptions::default());
adapter!(PebbleV2, LsmTarget::PebbleV2, EngineKind::Pebble, OPTIONS);
