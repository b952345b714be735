//! The order that every writer asks of its callers: each key strictly above the one before it.

use crate::store::{FinishedShard, StoreError};

/// Remembers the last key and refuses one that is not above it.
#[derive(Debug, Default)]
pub(super) struct Ascending {
    last: Option<Vec<u8>>,
}

impl Ascending {
    /// Takes `key` as the new last key.
    ///
    /// # Errors
    /// [`StoreError::Unsorted`] when it is not above the last one, which then stays.
    pub(super) fn admit(&mut self, key: &[u8]) -> Result<(), StoreError> {
        if let Some(last) = self.last.as_deref().filter(|last| key <= *last) {
            return Err(StoreError::Unsorted { key: hex::encode(key), last: hex::encode(last) });
        }
        let last = self.last.get_or_insert_default();
        last.clear();
        last.extend_from_slice(key);
        Ok(())
    }

    /// The last key taken, `None` before the first.
    #[cfg(feature = "rocks")]
    pub(super) fn last(&self) -> Option<&[u8]> {
        self.last.as_deref()
    }
}

/// Checks that shards come in the order of their numbers, none twice.
///
/// # Errors
/// [`StoreError::Unsorted`] with the shard numbers in place of keys.
pub(super) fn shards_ascend(shards: &[FinishedShard]) -> Result<(), StoreError> {
    let mut order = Ascending::default();
    shards.iter().try_for_each(|shard| order.admit(&shard.shard.to_be_bytes()))
}
