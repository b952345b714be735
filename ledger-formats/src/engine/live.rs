//! A database that is written as a running node writes it: a few rows at a time.
//!
//! For testnets only, whose validators need databases like those of real nodes. A migration never opens anything this
//! way: it reads snapshots and writes whole databases with a [`crate::store::BulkWriter`].
//!
//! # Correctness
//! The rows of one call are there together or not at all, whatever the process dies of; when the call returns, they
//! stay. The folder is the engine's own while it is open, and belongs to the node that has it open.

use crate::store::{ReadStore, StoreError};

/// An open database of a running node.
pub trait LiveStore: Send {
    /// What is in it now.
    fn reader(&self) -> &dyn ReadStore;

    /// Puts rows, all at once and for good.
    ///
    /// # Errors
    /// When the engine cannot write them; then none of them may be taken for written.
    fn put(&mut self, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError>;
}
