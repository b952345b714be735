//! What can be wrong with a block of a table, in words and without the place: the table adds file,
//! offset and keys.

/// What is wrong with a block, without the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockFault {
    /// The checksum behind the block is not that of its bytes.
    #[error("checksum mismatch: stored {stored:08x}, computed {computed:08x}")]
    Checksum {
        /// As on disk.
        stored: u32,
        /// Of the bytes on disk.
        computed: u32,
    },
    /// The compressed body cannot be expanded.
    #[error("cannot expand the {method} body of {compressed} bytes: {reason}")]
    Compression {
        /// The compression's name.
        method: &'static str,
        /// Bytes on disk.
        compressed: usize,
        /// Why not.
        reason: String,
    },
    /// The restart array does not fit.
    #[error("restart array of {restarts} points does not fit into {length} bytes")]
    Restarts {
        /// Number of points that the block claims.
        restarts: u32,
        /// Bytes of the block.
        length: usize,
    },
    /// An entry that reaches over the entries' end, shares more than there is, or has a short key.
    #[error("malformed entry at {at} of the block")]
    Entry {
        /// Offset inside the expanded block.
        at: usize,
    },
    /// An entry that is not above the one before it.
    #[error("keys do not ascend at {at} of the block")]
    Order {
        /// Offset inside the expanded block.
        at: usize,
    },
    /// An entry of a kind that no table holds.
    #[error("unknown kind {kind} of an entry")]
    Kind {
        /// The kind byte.
        kind: u8,
    },
    /// A value that should be a block handle and is none, or points outside the table.
    #[error("malformed block handle")]
    Handle,
    /// Something well-formed that is not read here.
    #[error("{0} is not supported")]
    Unsupported(String),
}
