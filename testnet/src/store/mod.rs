//! What a validator stores: the rows of CometBFT's block store and state store, in either key layout.
//!
//! Rows are made here and written by whoever has the disk; each function makes the rows of one durable step.
//!
//! # Correctness
//! The rows of a block are written before those of the state after it. A store that ends between the two is one block
//! ahead of its state; [`load()`] finds that and the validator applies the block again.

mod format;
mod home;
mod load;
mod rows;
mod values;

pub use format::Format;
pub use home::{Databases, HomeError};
pub use load::{LoadError, Stored, block_bytes, load, root, seen_commit, served};
pub use rows::{Rows, block_rows, genesis_rows, state_rows};
