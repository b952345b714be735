//! The checkpoint of a store: the tree over its heights, its signed head, proofs and exports from it.
//!
//! | file | what |
//! |---|---|
//! | `blocks` | which heights a block store holds, and how its keys are spelled |
//! | `leaves` | the leaves of a run of heights, streamed, each bound to its header and to the height below |
//! | `tree` | the tree over them: one hash a segment in memory, the rest read again when asked for |
//! | `bound` | what binds the last leaf, which no header above does yet |
//! | `signer` | the key and its last checkpoint, which only a grown tree follows |
//! | `stated` | what a receipt says of that checkpoint |
//! | `parquet` | the leaves as Parquet files, for query engines |
//! | `tile_folder` | the tree as tiles that anybody can serve (C2SP `tlog-tiles`) |
//!
//! Leaves depend on the chain alone: a home gives the same tree in every engine and layout, and so does
//! every honest node of the network. Nothing here writes into a database.

mod blocks;
mod bound;
mod error;
mod leaves;
#[cfg(feature = "parquet")]
mod parquet;
mod signer;
mod stated;
mod tile_folder;
mod tree;

pub use blocks::Blocks;
#[cfg(feature = "parquet")]
pub use error::ParquetFolderError;
pub use error::{ChainError, SignerError, TileFolderError};
pub use leaves::Leaves;
#[cfg(feature = "parquet")]
pub use parquet::export as export_parquet;
pub use signer::Signer;
pub use stated::{Stated, stated};
pub use tile_folder::export as export_tiles;
pub use tree::ChainTree;
