//! The validator's blocks for whoever asks by the shim's block exchange: what it decided or checked itself, from its own databases.

use std::sync::atomic::{AtomicU64, Ordering};

use shim::source::{BlockSource, Offer, OfferedBlock, SourceError};

use super::disk::{SharedDatabases, lock};

/// The blocks of a node that runs.
pub(super) struct OwnBlocks {
    chain_id: String,
    databases: SharedDatabases,
    first: u64,
    last: AtomicU64,
}

impl OwnBlocks {
    /// Those from the chain's first height to `last`, 0 for none.
    pub(super) const fn new(chain_id: String, databases: SharedDatabases, first: u64, last: u64) -> Self {
        Self { chain_id, databases, first, last: AtomicU64::new(last) }
    }

    /// Offers all up to a height.
    pub(super) fn grow(&self, last: u64) {
        self.last.fetch_max(last, Ordering::Relaxed);
    }
}

impl BlockSource for OwnBlocks {
    fn chain_id(&self) -> &str {
        &self.chain_id
    }

    fn offer(&self) -> Option<Offer> {
        let (base, top) = (self.first, self.last.load(Ordering::Relaxed));
        (top >= base).then_some(Offer { base, top })
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        if self.offer().is_none_or(|offer| !(offer.base..=offer.top).contains(&height)) {
            return Ok(None);
        }
        let failed = |reason: String| SourceError { height, reason };
        let served = lock(&self.databases).served(height).map_err(|error| failed(error.to_string()))?;
        let (block, commit) = served.ok_or_else(|| failed("it is not in the database".to_owned()))?;
        Ok(Some(OfferedBlock { height, hash: commit.block_id.hash, block: block.into(), extended_commit: None }))
    }
}
