//! The nodes of a tree that is stored as tiles.

use std::cell::RefCell;
use std::collections::HashMap;

use super::path::{TileKind, TilePath};
use super::{TILE_HEIGHT, TILE_WIDTH};
use crate::merkle::{Hash, Nodes, root_of_hashes};

/// Tiles kept: a proof needs at most eight, and as many at the right edge.
const KEPT_TILES_MAX: usize = 32;

/// A tree whose tiles are fetched as they are needed, and some of them kept.
///
/// What is fetched is not trusted: a proof made from wrong tiles does not hold against the checkpoint.
pub struct TileTree<F> {
    size: u64,
    fetch: F,
    kept: RefCell<HashMap<TilePath, Vec<Hash>>>,
}

/// Why a node cannot be had from tiles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TileError<E: std::error::Error + 'static> {
    /// The tile was not to be had.
    #[error("cannot fetch {path}: {source}")]
    Fetch {
        /// The tile.
        path: TilePath,
        /// Why.
        source: E,
    },
    /// The tile has the wrong length.
    #[error("{path} has {actual} bytes instead of {expected}")]
    Length {
        /// The tile.
        path: TilePath,
        /// 32 for each of its hashes.
        expected: usize,
        /// Bytes fetched.
        actual: usize,
    },
    /// The tree does not reach so far.
    #[error("a tree of {size} leaves has no node {place} at height {level}")]
    Outside {
        /// Leaves of the tree.
        size: u64,
        /// Height of the node.
        level: u32,
        /// Its number.
        place: u64,
    },
}

impl<E: std::error::Error + 'static, F: Fn(TilePath) -> Result<Vec<u8>, E>> TileTree<F> {
    /// The tree of `size` leaves whose tiles `fetch` gets.
    pub fn new(size: u64, fetch: F) -> Self {
        Self { size, fetch, kept: RefCell::default() }
    }

    /// Number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }
}

impl<E: std::error::Error + 'static, F: Fn(TilePath) -> Result<Vec<u8>, E>> Nodes for TileTree<F> {
    type Error = TileError<E>;

    fn node(&self, level: u32, place: u64) -> Result<Hash, TileError<E>> {
        let outside = || TileError::Outside { size: self.size, level, place };
        // The node is the root over 2^inner hashes of one tile.
        let (tile_level, inner) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let first = place.checked_mul(1 << inner).ok_or_else(outside)?;
        let kind = TileKind::hashes(tile_level);
        let (index, offset) = (first / u64::from(TILE_WIDTH), first % u64::from(TILE_WIDTH));
        let path = TilePath::in_tree(kind, index, self.size).ok_or_else(outside)?;
        let mut kept = self.kept.borrow_mut();
        if !kept.contains_key(&path) {
            if kept.len() >= KEPT_TILES_MAX {
                kept.clear();
            }
            kept.insert(path, tile_hashes(path, &self.fetch)?);
        }
        let offset = usize::try_from(offset).map_err(|_| outside())?;
        let hashes = kept.get(&path).and_then(|hashes| hashes.get(offset..offset + (1 << inner)));
        Ok(root_of_hashes(&mut hashes.ok_or_else(outside)?.to_vec()))
    }
}

/// Fetches the tile named `path` and takes it apart.
pub(super) fn tile_hashes<E: std::error::Error + 'static>(
    path: TilePath,
    fetch: impl Fn(TilePath) -> Result<Vec<u8>, E>,
) -> Result<Vec<Hash>, TileError<E>> {
    let bytes = fetch(path).map_err(|source| TileError::Fetch { path, source })?;
    let (hashes, rest) = bytes.as_chunks::<32>();
    let width = usize::from(path.width());
    if hashes.len() != width || !rest.is_empty() {
        return Err(TileError::Length { path, expected: 32 * width, actual: bytes.len() });
    }
    Ok(hashes.to_vec())
}
