//! Rows of the two stores by their keys.

use ledger_formats::comet::key::{BlockKey, Layout, StateKey};
use ledger_formats::store::{ReadStore, StoreError};

use super::unproven::Unproven;

/// The stores.
pub(super) struct Rows<'a> {
    pub(super) blocks: &'a dyn ReadStore,
    pub(super) layout: Layout,
    pub(super) state: &'a dyn ReadStore,
}

impl Rows<'_> {
    /// A row of the block store.
    pub(super) fn row(&self, key: &BlockKey) -> Result<Option<Vec<u8>>, StoreError> {
        let mut spelled = Vec::new();
        key.encode(self.layout, &mut spelled);
        self.blocks.get(&spelled)
    }

    /// The same, about a height.
    pub(super) fn fetch(&self, key: &BlockKey, height: u64) -> Result<Option<Vec<u8>>, Unproven> {
        self.row(key).map_err(|source| Unproven::Store { height, source })
    }

    /// A row of the block store that must be there.
    pub(super) fn require(&self, key: &BlockKey, height: u64) -> Result<Vec<u8>, Unproven> {
        self.fetch(key, height)?.ok_or(Unproven::Missing { height, what: what(key) })
    }

    /// A row of the state store, in whichever layout it is spelled: a height is never spelled alike in both.
    pub(super) fn state_row(&self, key: &StateKey, height: u64) -> Result<Option<Vec<u8>>, Unproven> {
        let mut spelled = Vec::new();
        for layout in Layout::ALL {
            spelled.clear();
            key.encode(layout, &mut spelled);
            if let Some(row) = self.state.get(&spelled).map_err(|source| Unproven::Store { height, source })? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// A record of validators, which must be there.
    pub(super) fn validators(&self, stored_at: u64, height: u64) -> Result<Vec<u8>, Unproven> {
        self.state_row(&StateKey::Validators { height: stored_at }, height)?.ok_or(Unproven::NoValidators { height })
    }
}

const fn what(key: &BlockKey) -> &'static str {
    match key {
        BlockKey::Meta { .. } => "block meta",
        BlockKey::Part { .. } => "block part",
        BlockKey::Commit { .. } => "commit",
        BlockKey::SeenCommit { .. } => "seen commit",
        BlockKey::ExtendedCommit { .. } => "extended commit",
        BlockKey::ByHash { .. } => "height of its hash",
        BlockKey::StoreState | BlockKey::Version => "record of the store",
    }
}
