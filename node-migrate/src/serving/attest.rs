//! Signed checkpoints of the blocks that are given, for other nodes to compare.
//!
//! One at every multiple of some heights, as soon as all heights up to it were proven. The signer remembers the last one
//! and signs no tree that did not grow out of it, so a node attests to one chain however often it is restarted.

use std::num::NonZeroU64;
use std::path::PathBuf;

use proofs::checkpoint::LedgerOrigin;
use proofs::note::{Note, VerifierKey};
use shim::source::BlockSource;

use super::VerifiedBlocks;
use crate::checkpoint::{Blocks, ChainError, ChainTree, Signer, SignerError};
use crate::context::{Context, Silence};

/// Why nothing is attested to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttestError {
    /// The key cannot sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The store does not give the tree.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Attests to the blocks of a home.
#[derive(Debug)]
pub struct Attester {
    key: PathBuf,
    verifier: VerifierKey,
    first: u64,
    every: NonZeroU64,
    /// The last height that was attested to.
    last: u64,
}

impl Attester {
    /// Attests with the key in a file to every multiple of `every`.
    ///
    /// # Errors
    /// When the key cannot be read, or is not that of a tree of heights.
    pub fn new(key: PathBuf, every: NonZeroU64) -> Result<Self, AttestError> {
        let verifier = Signer::open(&key)?.verifier().clone();
        let first = LedgerOrigin::parse(verifier.name()).map_err(ChainError::from)?.first_height();
        Ok(Self { key, verifier, first, every, last: 0 })
    }

    /// The public half of the key.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The height up to which the blocks that are offered now let it attest; `None` when that was done, or there is none.
    #[must_use]
    pub fn due(&self, blocks: &VerifiedBlocks) -> Option<u64> {
        let top = blocks.offer()?.top;
        Some(top - top % self.every).filter(|height| *height > self.last && *height >= self.first)
    }

    /// Signs the checkpoint up to `height`, which must be due.
    ///
    /// # Errors
    /// [`AttestError`]; nothing was signed, and it may be tried again.
    pub fn attest(&mut self, height: u64, blocks: &VerifiedBlocks, context: &Context<'_>) -> Result<Note, AttestError> {
        let context = Context { listener: &Silence, ..*context };
        let views = blocks.views();
        let covers = |view: &&std::sync::Arc<super::view::View>| view.base <= self.first && view.contains(height);
        let view = views.iter().find(covers).or(views.first()).ok_or(ChainError::NoBlocks)?;
        let tree = ChainTree::build(Blocks::open(view.store())?, self.first, &context)?;
        let note = Signer::open(&self.key)?.sign(&tree, height - self.first + 1)?;
        self.last = height;
        Ok(note)
    }
}
