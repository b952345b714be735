//! The heights of a home as they are stored, for two light clients to judge.
//!
//! Records are given as the bytes in the store, so that each side decodes them by its own code. Only the engine and
//! the spelling of keys are read here.

use std::path::Path;

use ledger_formats::comet::key::{BlockKey, Layout, StateKey};
use ledger_formats::comet::{BlockStoreState, Decode, ValidatorsInfo, decode_layout};
use ledger_formats::engine::{self, EngineKind};
use ledger_formats::store::ReadStore;

/// Memory for each store's cache.
const CACHE_BYTES: u64 = 4 << 20;

/// A home's block store and state store.
pub struct Home {
    blocks: Box<dyn ReadStore>,
    states: Box<dyn ReadStore>,
    layout: Layout,
    /// Lowest height.
    pub base: u64,
    /// Highest height.
    pub tip: u64,
}

/// What is stored of a height.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The block meta: block id and header.
    pub meta: Vec<u8>,
    /// The commit for the block, from the block above.
    pub commit: Vec<u8>,
    /// The record of the validators that holds the full set.
    pub validators: Vec<u8>,
}

impl Home {
    /// Opens the home at `path`.
    ///
    /// # Panics
    /// When it cannot be read: it is a test's own.
    #[must_use]
    pub fn open(path: &Path, engine: EngineKind) -> Self {
        let open = |name| {
            let store = engine::open_in_place(&path.join("data").join(name), engine, CACHE_BYTES);
            store.expect("the database is whole").expect("its engine is read in place")
        };
        let (blocks, states) = (open("blockstore.db"), open("state.db"));
        let label = blocks.get(b"version").expect("reads");
        let layout = label.map_or(Layout::V1, |label| decode_layout(&label).expect("a known layout"));
        let state = blocks.get(b"blockStore").expect("reads").expect("there are blocks");
        let BlockStoreState { base, height: tip } = BlockStoreState::decode(&state).expect("base and height");
        Self { blocks, states, layout, base, tip }
    }

    /// What is stored of `height`, which is below the tip.
    ///
    /// # Panics
    /// When a record is missing.
    #[must_use]
    pub fn at(&self, height: u64) -> Stored {
        let block = |key: BlockKey| {
            let mut bytes = Vec::new();
            key.encode(self.layout, &mut bytes);
            self.blocks.get(&bytes).expect("reads").unwrap_or_else(|| panic!("{key:?} is there"))
        };
        let (meta, commit) = (block(BlockKey::Meta { height }), block(BlockKey::Commit { height }));
        Stored { meta, commit, validators: self.validators(height) }
    }

    fn validators(&self, height: u64) -> Vec<u8> {
        let record = |height| {
            let mut key = Vec::new();
            StateKey::Validators { height }.encode(self.layout, &mut key);
            self.states.get(&key).expect("reads").unwrap_or_else(|| panic!("validators of {height} are there"))
        };
        let found = record(height);
        let info = ValidatorsInfo::decode(&found).expect("a record of validators");
        let stored_at = info.stored_at(height);
        if stored_at == height { found } else { record(stored_at) }
    }
}
