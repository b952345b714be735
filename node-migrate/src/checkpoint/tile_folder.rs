//! A tree as a folder of tiles that any web server can serve (C2SP `tlog-tiles`).
//!
//! ```text
//! DIR/checkpoint        the signed head
//! DIR/tile/...          see proofs::tiles
//! ```
//! An export into the folder of an earlier one adds what has grown.
//!
//! # Correctness
//! Tiles are fsynced, then their folders, and only then the checkpoint is replaced: whoever reads the
//! checkpoint finds its tiles. Full tiles never change, partial ones have names of their own, so an
//! interrupted export is repeated over what it left.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use ledger_formats::durable::{self, DurableError, NewFile};
use proofs::checkpoint::Checkpoint;
use proofs::note::Note;
use proofs::tiles::{TilePath, TileSink, TileWriter};

use super::error::TileFolderError;
use super::tree::ChainTree;
use crate::context::Context;

/// Leaves between two looks at the wish to stop.
const LEAVES_BETWEEN_LOOKS: u64 = 8_192;

/// Writes tiles below a folder, and remembers which folders must be made durable.
struct Folder {
    root: PathBuf,
    touched: BTreeSet<PathBuf>,
}

impl TileSink for Folder {
    type Error = DurableError;

    fn put(&mut self, path: TilePath, bytes: &[u8]) -> Result<(), DurableError> {
        let path = self.root.join(path.to_string());
        if let Some(parent) = path.parent()
            && !self.touched.contains(parent)
        {
            durable::create_dir_all(parent)?;
            self.touched.insert(parent.to_owned());
        }
        let mut file = NewFile::create(&path)?;
        file.write_all(bytes)?;
        file.finish().map(drop)
    }
}

/// Exports the tree that `note` is a head of into `folder`.
///
/// `note` is only read: whoever serves the folder decides which key's checkpoints it serves.
///
/// # Errors
/// [`TileFolderError`]; a checkpoint that was in the folder is still there then, with all its tiles.
pub fn export(
    tree: &ChainTree<'_>,
    note: &Note,
    checkpoint: &Checkpoint,
    folder: &Path,
    context: &Context<'_>,
) -> Result<(), TileFolderError> {
    tree.expect_head(checkpoint)?;
    durable::create_dir_all(folder)?;
    let sink = Folder { root: folder.to_owned(), touched: BTreeSet::new() };
    let mut writer = match published(folder)? {
        None => TileWriter::new(sink),
        Some(earlier) => {
            let mismatch = |reason: &str| published_error(folder, reason);
            if earlier.origin() != checkpoint.origin() {
                return Err(mismatch(&format!("is of the tree {}, not {}", earlier.origin(), checkpoint.origin())));
            }
            if earlier.size() > checkpoint.size() {
                return Err(mismatch(&format!("has {} leaves, more than {}", earlier.size(), checkpoint.size())));
            }
            resume(sink, folder, &earlier, tree)?
        }
    };
    context.listener.begin("tiles", 0);
    for leaf in tree.leaves(writer.size(), checkpoint.size())? {
        writer.push(&leaf?)?;
        if writer.size().is_multiple_of(LEAVES_BETWEEN_LOOKS) {
            context.go_on().map_err(super::ChainError::from)?;
            context.listener.advance(0, LEAVES_BETWEEN_LOOKS);
        }
    }
    let (_, root) = writer.finish()?;
    context.listener.end();
    if root != *checkpoint.root() {
        return Err(TileFolderError::Root { folder: folder.to_owned(), tiles: root, claimed: *checkpoint.root() });
    }
    for touched in &writer.into_sink().touched {
        durable::sync_dir(touched)?;
    }
    durable::write_file(&folder.join("checkpoint"), note.to_string().as_bytes())?;
    Ok(())
}

/// A writer behind the tiles of an earlier export, which must be those of its checkpoint and of this tree.
fn resume(
    sink: Folder,
    folder: &Path,
    earlier: &Checkpoint,
    tree: &ChainTree<'_>,
) -> Result<TileWriter<Folder>, TileFolderError> {
    tree.expect_head(earlier)?;
    let fetch = |path: TilePath| -> io::Result<Vec<u8>> { std::fs::read(folder.join(path.to_string())) };
    let writer = TileWriter::resume(sink, earlier.size(), fetch)
        .map_err(|source| TileFolderError::Resume { folder: folder.to_owned(), source })?;
    if writer.root() != *earlier.root() {
        let (tiles, claimed) = (writer.root(), *earlier.root());
        return Err(TileFolderError::Root { folder: folder.to_owned(), tiles, claimed });
    }
    Ok(writer)
}

/// The checkpoint of an earlier export, unverified: it is compared with the tree.
fn published(folder: &Path) -> Result<Option<Checkpoint>, TileFolderError> {
    let bytes = match std::fs::read(folder.join("checkpoint")) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(published_error(folder, &error.to_string())),
    };
    let note = Note::parse(&bytes).map_err(|error| published_error(folder, &error.to_string()))?;
    let checkpoint = Checkpoint::parse_text(note.unverified_text());
    checkpoint.map(Some).map_err(|error| published_error(folder, &error.to_string()))
}

fn published_error(folder: &Path, reason: &str) -> TileFolderError {
    TileFolderError::Published { path: folder.join("checkpoint"), reason: reason.to_owned() }
}
