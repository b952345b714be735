//! A folder of fetched blocks: written by `fetch` on a machine with a network, read by a repair on one without.
//!
//! ```text
//! <height>.block             tendermint.types.Block, as the chain has it
//! <height>.commit            tendermint.types.Commit that proves it
//! <height>.extended_commit   tendermint.types.ExtendedCommit, where the chain has one
//! manifest.json              what `fetch` said: heights, hashes, who brought them
//! ```
//! Nothing in it is believed when it is read: blocks are proven again.
//!
//! # Correctness
//! Each file is durable under its name or not there. The manifest is written last; a folder without one is of a fetch that was
//! cut short, and what is in it is whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use ledger_formats::durable::{self, DurableError};
use serde::Deserialize;

use super::peers::{BlockPeers, Fetched, PeerError, Take, Wanted};
use crate::blocks::Proven;
use crate::context::Context;

/// Longest file that is read.
const BYTES_MAX: u64 = 256 << 20;
const MANIFEST: &str = "manifest.json";

/// A folder that blocks are written into.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`, made if need be.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> Result<Self, DurableError> {
        durable::create_dir_all(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Writes a block with what proves it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, proven: &Proven) -> Result<(), DurableError> {
        let file = |kind| file(&self.path, proven.height, kind);
        durable::write_file(&file("commit"), &proven.commit)?;
        if let Some(extended) = &proven.extended_commit {
            durable::write_file(&file("extended_commit"), extended)?;
        }
        durable::write_file(&file("block"), &proven.bytes)
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&self, manifest: &str) -> Result<(), DurableError> {
        durable::write_file(&self.path.join(MANIFEST), manifest.as_bytes())
    }
}

fn file(folder: &Path, height: u64, kind: &str) -> PathBuf {
    folder.join(format!("{height}.{kind}"))
}

/// A folder of fetched blocks as a peer.
#[derive(Clone, Debug)]
pub struct FolderPeer {
    /// The folder.
    pub path: PathBuf,
}

impl FolderPeer {
    /// Whether the folder is one that `fetch` has written.
    #[must_use]
    pub fn is_one(path: &Path) -> bool {
        path.join(MANIFEST).is_file()
    }

    /// Who brought each block, as the manifest says.
    fn provenances(&self) -> Result<BTreeMap<u64, String>, PeerError> {
        let path = self.path.join(MANIFEST);
        let Some(text) = read(&path)? else { return Ok(BTreeMap::new()) };
        let parsed: Manifest = serde_json::from_slice(&text)
            .map_err(|error| PeerError::Folder { path: path.clone(), reason: error.to_string() })?;
        let lines = parsed.heights.into_iter();
        Ok(lines.filter_map(|line| Some((line.height, line.brought?.provenance))).collect())
    }
}

/// What is read of a manifest.
#[derive(Deserialize)]
struct Manifest {
    heights: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    height: u64,
    brought: Option<By>,
}

#[derive(Deserialize)]
struct By {
    provenance: String,
}

impl BlockPeers for FolderPeer {
    fn fetch(&self, wanted: &Wanted, context: &Context<'_>, take: Take<'_>) -> Result<(), PeerError> {
        let provenances = self.provenances()?;
        for &height in wanted.heights.iter().rev() {
            context.go_on()?;
            let part = |kind| read(&file(&self.path, height, kind));
            let Some(block) = part("block")? else { continue };
            let by = provenances.get(&height).map(|by| format!(", fetched from {by}")).unwrap_or_default();
            let fetched = Fetched {
                height,
                block,
                commit: part("commit")?,
                extended_commit: part("extended_commit")?,
                provenance: format!("the folder {}{by}", self.path.display()),
            };
            // What is not taken here is left to the next peer.
            let _ = take(fetched);
        }
        Ok(())
    }
}

/// The bytes of a file; `None` where there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, PeerError> {
    let fault = |reason: String| PeerError::Folder { path: path.to_owned(), reason };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(error.to_string())),
    };
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| fault(error.to_string()))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(fault(format!("it is longer than {BYTES_MAX} bytes")));
    }
    Ok(Some(bytes))
}
