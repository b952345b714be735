//! The memory that the tables of one database share: decoded blocks and open files.

use std::sync::Arc;

/// Decoded blocks by bytes, and a bounded number of open files.
#[derive(Debug)]
pub struct BlockCache {
    bytes_max: usize,
}

impl BlockCache {
    /// A cache of at most `bytes_max` bytes of decoded blocks.
    #[must_use]
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max })
    }
}
