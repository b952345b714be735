//! Which heights a block store holds, and in which layout its keys really are.

use ledger_formats::comet::key::{BlockKey, Layout};
use ledger_formats::comet::{BlockStoreState, Decode, decode_layout};
use ledger_formats::store::ReadStore;

use super::error::ChainError;

/// The block metas of a store.
#[derive(Clone, Copy)]
pub struct Blocks<'a> {
    pub(super) store: &'a dyn ReadStore,
    pub(super) layout: Layout,
    base: u64,
    tip: u64,
}

impl<'a> Blocks<'a> {
    /// Looks which heights `store` holds.
    ///
    /// # Errors
    /// [`ChainError::NoBlocks`], [`ChainError::StoreState`] or [`ChainError::Store`].
    pub fn open(store: &'a dyn ReadStore) -> Result<Self, ChainError> {
        let value = store.get(b"blockStore")?.ok_or(ChainError::NoBlocks)?;
        let state = BlockStoreState::decode(&value).map_err(|source| ChainError::StoreState { source })?;
        let BlockStoreState { base, height: tip } = state;
        // A height of 2^64 - 1 is no height of any chain; without it, counts of heights fit.
        if tip == 0 || base > tip || tip > i64::MAX.cast_unsigned() {
            return Err(ChainError::NoBlocks);
        }
        Ok(Self { store, layout: layout(store, base)?, base, tip })
    }

    /// Lowest height whose block is there.
    #[must_use]
    pub const fn base(&self) -> u64 {
        self.base
    }

    /// Highest one.
    #[must_use]
    pub const fn tip(&self) -> u64 {
        self.tip
    }

    /// How its keys are spelled.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Number of heights from `first` to the tip: the leaves of the tree that begins there.
    ///
    /// # Errors
    /// [`ChainError::Pruned`] if the store begins above `first`, [`ChainError::Outside`] if it ends below.
    pub fn leaves_from(&self, first: u64) -> Result<u64, ChainError> {
        if first < self.base {
            return Err(ChainError::Pruned { first, base: self.base, tip: self.tip });
        }
        if first > self.tip {
            return Err(self.outside(format!("the tree begins at height {first}")));
        }
        Ok(self.tip - first + 1)
    }

    pub(super) fn get(&self, key: &BlockKey) -> Result<Option<Vec<u8>>, ChainError> {
        let mut bytes = Vec::new();
        key.encode(self.layout, &mut bytes);
        Ok(self.store.get(&bytes)?)
    }

    pub(super) fn outside(&self, what: String) -> ChainError {
        ChainError::Outside { what, base: self.base, tip: self.tip }
    }
}

/// The layout that the meta of `base` is found in: the label may say another, and nodes then do not start.
fn layout(store: &dyn ReadStore, base: u64) -> Result<Layout, ChainError> {
    let label = store.get(b"version")?.and_then(|value| decode_layout(&value).ok()).unwrap_or(Layout::V1);
    let mut key = Vec::new();
    for layout in [label].into_iter().chain(Layout::ALL) {
        key.clear();
        BlockKey::Meta { height: base }.encode(layout, &mut key);
        if store.get(&key)?.is_some() {
            return Ok(layout);
        }
    }
    Ok(label)
}
