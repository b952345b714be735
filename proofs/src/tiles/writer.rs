//! Making tiles from leaves that stream by, or adding leaves to tiles that are there.
//!
//! # Correctness
//! Full tiles are given out as they fill and never again. Partial tiles are given out by
//! [`TileWriter::finish`], under names of their own, so that those of an earlier size stay as they were. A
//! checkpoint should be published only when all tiles given out are durable.

use super::bundle::{BundleError, bundle_entries};
use super::path::{TileKind, TilePath};
use super::tree::{TileError, tile_hashes};
use super::{TILE_HEIGHT, TILE_WIDTH};
use crate::merkle::{Frontier, Hash, leaf_hash, root_of_hashes};

/// Takes finished tiles.
pub trait TileSink {
    /// Why a tile cannot be taken.
    type Error;

    /// Stores a tile.
    ///
    /// # Errors
    /// As the store says.
    fn put(&mut self, path: TilePath, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// A growing tree, as tiles. Memory is 8 KiB a level and one bundle.
#[derive(Debug)]
pub struct TileWriter<S> {
    sink: S,
    size: u64,
    /// The entries of the unfinished bundle.
    bundle: Vec<u8>,
    /// The hashes of the unfinished tile of each level.
    edges: Vec<Vec<Hash>>,
}

/// Why leaves cannot be made tiles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError<E: std::error::Error + 'static> {
    /// The length of the leaf does not fit 16 bits.
    #[error("leaf {index} has {bytes} bytes, more than a bundle takes")]
    LongEntry {
        /// Place of the leaf.
        index: u64,
        /// Its length.
        bytes: usize,
    },
    /// The sink did not take a tile. The writer is of no more use.
    #[error("cannot store {path}: {source}")]
    Put {
        /// The tile.
        path: TilePath,
        /// Why.
        source: E,
    },
}

/// Why stored tiles cannot be added to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError<E: std::error::Error + 'static> {
    /// A tile or bundle was not to be had.
    #[error(transparent)]
    Tile(#[from] TileError<E>),
    /// The last bundle is none.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The last bundle and the last tile of leaf hashes do not belong together.
    #[error("entry {entry} of {path} is not the leaf whose hash is in the tile")]
    Mismatch {
        /// The bundle.
        path: TilePath,
        /// Number of the entry, from 0.
        entry: usize,
    },
}

impl<S> TileWriter<S> {
    /// A writer of a new tree.
    pub const fn new(sink: S) -> Self {
        Self { sink, size: 0, bundle: Vec::new(), edges: Vec::new() }
    }

    /// A writer that adds to the stored tree of `size` leaves, whose partial tiles `fetch` gets. Compare
    /// [`TileWriter::root`] with the last checkpoint before adding anything.
    ///
    /// # Errors
    /// [`ResumeError`].
    pub fn resume<E: std::error::Error + 'static>(
        sink: S,
        size: u64,
        fetch: impl Fn(TilePath) -> Result<Vec<u8>, E>,
    ) -> Result<Self, ResumeError<E>> {
        let mut writer = Self { sink, size, bundle: Vec::new(), edges: Vec::new() };
        for level in 0..size.checked_ilog2().map_or(0, |height| height / TILE_HEIGHT + 1) {
            let edge = match writer.edge_path(TileKind::hashes(level)) {
                None => Vec::new(),
                Some(path) => tile_hashes(path, &fetch)?,
            };
            writer.edges.push(edge);
        }
        if let Some(path) = writer.edge_path(TileKind::Entries) {
            writer.bundle = fetch(path).map_err(|source| TileError::Fetch { path, source })?;
            let entries = bundle_entries(path, &writer.bundle)?;
            let mut pairs = entries.iter().zip(writer.edges.iter().flatten());
            if let Some(entry) = pairs.position(|(entry, hash)| leaf_hash(entry) != *hash) {
                return Err(ResumeError::Mismatch { path, entry });
            }
        }
        Ok(writer)
    }

    /// Number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Gives the sink back.
    pub fn into_sink(self) -> S {
        self.sink
    }

    /// Root over all leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut frontier = Frontier::new();
        for (level, edge) in (0..u64::BITS / TILE_HEIGHT).zip(&self.edges).rev() {
            for hash in edge {
                frontier.push_subtree(TILE_HEIGHT * level, *hash).expect("what stands left of an edge is full");
            }
        }
        frontier.root()
    }

    /// The partial tile of a kind at the right edge, if there is one.
    fn edge_path(&self, kind: TileKind) -> Option<TilePath> {
        let level = if let TileKind::Hashes { level } = kind { u32::from(level) } else { 0 };
        let index = self.size.checked_shr(TILE_HEIGHT * (level + 1)).unwrap_or(0);
        TilePath::in_tree(kind, index, self.size)
    }
}

impl<S: TileSink> TileWriter<S>
where
    S::Error: std::error::Error + 'static,
{
    /// Adds a leaf, given by its data.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn push(&mut self, leaf: &[u8]) -> Result<(), WriteError<S::Error>> {
        let length = u16::try_from(leaf.len());
        let length = length.map_err(|_| WriteError::LongEntry { index: self.size, bytes: leaf.len() })?;
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(leaf);
        self.size += 1;
        if self.size.is_multiple_of(TILE_WIDTH.into()) {
            let bundle = std::mem::take(&mut self.bundle);
            self.put_full(TileKind::Entries, self.size / u64::from(TILE_WIDTH) - 1, &bundle)?;
        }
        let (mut node, mut nodes) = (leaf_hash(leaf), self.size);
        for level in 0.. {
            if self.edges.len() == level {
                self.edges.push(Vec::with_capacity(TILE_WIDTH.into()));
            }
            self.edges[level].push(node);
            if self.edges[level].len() < TILE_WIDTH.into() {
                break;
            }
            nodes /= u64::from(TILE_WIDTH);
            let kind = TileKind::hashes(u32::try_from(level).expect("a tree has at most 8 levels of tiles"));
            let bytes = self.edges[level].concat();
            self.put_full(kind, nodes - 1, &bytes)?;
            node = root_of_hashes(&mut self.edges[level]);
            self.edges[level].clear();
        }
        Ok(())
    }

    /// Gives out the partial tiles of the present size and says the head to be signed. More leaves may follow.
    ///
    /// # Errors
    /// [`WriteError::Put`].
    pub fn finish(&mut self) -> Result<(u64, Hash), WriteError<S::Error>> {
        for (level, edge) in (0..).zip(&self.edges) {
            if let Some(path) = self.edge_path(TileKind::hashes(level)) {
                self.sink.put(path, &edge.concat()).map_err(|source| WriteError::Put { path, source })?;
            }
        }
        if let Some(path) = self.edge_path(TileKind::Entries) {
            self.sink.put(path, &self.bundle).map_err(|source| WriteError::Put { path, source })?;
        }
        Ok((self.size, self.root()))
    }

    fn put_full(&mut self, kind: TileKind, index: u64, bytes: &[u8]) -> Result<(), WriteError<S::Error>> {
        let path = TilePath::in_tree(kind, index, self.size).expect("the tile has just been filled");
        self.sink.put(path, bytes).map_err(|source| WriteError::Put { path, source })
    }
}
