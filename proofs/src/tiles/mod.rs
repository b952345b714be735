//! Trees as files that anybody can serve: C2SP `tlog-tiles`.
//!
//! ```text
//! checkpoint                       the signed head
//! tile/<L>/<N>[.p/<W>]             256 (or W) hashes: nodes of height 8 L
//! tile/entries/<N>[.p/<W>]         256 (or W) leaves: u16be length ‖ data
//! ```
//! `N` is spelled `x001/x234/067`. A full tile is 8,192 bytes and never changes; the partial ones at the right
//! edge belong to one size. A proof from a stored tree reads three or four tiles.
//!
//! This module makes and reads the bytes; where they are stored is the caller's business.

mod bundle;
mod path;
mod tree;
mod writer;

pub use bundle::{BundleError, bundle_entries};
pub use path::{TileKind, TilePath, TilePathError};
pub use tree::{TileError, TileTree};
pub use writer::{ResumeError, TileSink, TileWriter, WriteError};

/// Hashes of a full tile, and entries of a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// Levels of the tree between two levels of tiles.
const TILE_HEIGHT: u32 = 8;
