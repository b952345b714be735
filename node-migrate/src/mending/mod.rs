//! Repairing a damaged block store: which heights are hurt, the same blocks from somebody else, and the proof that they
//! are the chain's.
//!
//! | file | what |
//! |---|---|
//! | `damage` | which heights of a store are not what the chain signed, and which keys cannot be read |
//! | `peers` | whoever may have the blocks: what they are asked, what they answer |
//! | `home_peer`, `folder` | another home, and a folder of fetched blocks; nodes in the network are `crate::fetching` |
//! | `prover` | blocks from outside, held against what this node knows of its chain |
//! | `gather` | proven blocks of a range of heights for somebody else than the store |
//! | `patch_file` | the rows that repair the store, kept in the workspace |
//!
//! The source is never changed: its copy is made through a patch ([`ledger_formats::patched`]). Nothing that a peer says
//! is believed. A block is taken when the validators that this node's own state names for its height have
//! signed it, whoever brought it; who did is recorded.

mod damage;
mod folder;
mod gather;
mod home_peer;
mod patch_file;
mod peers;
mod prover;

use std::collections::{BTreeMap, BTreeSet};

use ledger_formats::comet::StoredBlock;
use ledger_formats::comet::key::{BlockKey, Layout};
use ledger_formats::patched::{LostRange, Patch};
use ledger_formats::store::{ReadStore, StoreError};
use serde::{Deserialize, Serialize};

use crate::blocks::{Chain, Proven, Unproven};
use crate::checkpoint::ChainError;
use crate::context::{Context, Interrupted};
pub use damage::Damage;
pub use folder::{Folder, FolderPeer};
pub use gather::{Brought, GatherError, Gathered, GatheredHeight, HEIGHTS_MAX, Keep, Range, gather};
pub use home_peer::HomePeer;
pub use patch_file::{PatchFileError, read as read_patch, write as write_patch};
pub use peers::{BlockPeers, Fetched, InTurn, NotTaken, PeerError, Take, Wanted};
use prover::Prover;

/// Bytes of blocks that a repair holds in memory at most: a store that lacks more is better restored from a copy.
const BYTES_MAX: usize = 192 << 20;

/// A block that was taken from somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MendedBlock {
    /// Its height.
    pub height: u64,
    /// Its hash, hex.
    pub hash: String,
    /// What was wrong with the block in the source.
    pub damage: String,
    /// Who brought the one that counts now.
    pub provenance: String,
}

/// What repairs a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// The rows.
    pub patch: Patch,
    /// The blocks they belong to, ascending.
    pub blocks: Vec<MendedBlock>,
}

/// Why a store cannot be repaired.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MendError {
    /// The store does not say which heights it holds.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store cannot be read, and not because of damage at one place of it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A block's proof needs what cannot be read here.
    #[error(transparent)]
    Unproven(#[from] Unproven),
    /// The home has no genesis file, so that the chain's name is not known.
    #[error("the chain's id is not known: there is no genesis file")]
    NoChainId,
    /// Signatures are checked against the validators in the state database, which is not there.
    #[error("there is no state database, which names the validators that sign blocks")]
    NoState,
    /// Nobody brought a block that can be proven.
    #[error("{missing} of {damaged} damaged blocks could not be had, the first of height {height}: {reason}")]
    Missing {
        /// How many are missing.
        missing: usize,
        /// How many are damaged.
        damaged: usize,
        /// The lowest missing height.
        height: u64,
        /// What was said of it.
        reason: String,
    },
    /// There is too much to repair.
    #[error("the damaged blocks have more than {limit} bytes", limit = BYTES_MAX)]
    TooMuch,
    /// The peers cannot be asked.
    #[error(transparent)]
    Peers(#[from] PeerError),
    /// The patch cannot be kept.
    #[error(transparent)]
    PatchFile(#[from] PatchFileError),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl MendError {
    /// Whether nothing is wrong but that the user asked to stop.
    #[must_use]
    pub const fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted(_) | Self::Peers(PeerError::Interrupted(_)))
    }
}

/// Looks for damage in a block store and makes the patch that repairs it; `None` when nothing is hurt.
///
/// `state` is the state database beside it, whose records of validators are trusted: the headers name their hashes.
///
/// # Errors
/// See [`MendError`]; nothing was written.
pub fn mend(
    blocks: &dyn ReadStore,
    state: &dyn ReadStore,
    chain_id: &str,
    peers: &dyn BlockPeers,
    context: &Context<'_>,
) -> Result<Option<Mended>, MendError> {
    let chain = Chain::open(blocks, state, chain_id)?;
    let damage = damage::find(&chain, blocks, context)?;
    if damage.heights.is_empty() && damage.lost.is_empty() {
        return Ok(None);
    }
    let hurt: BTreeSet<u64> = damage.heights.keys().copied().collect();
    let prover = Prover::new(&chain, hurt.clone());
    let wanted = prover.wanted(hurt);
    let mut workshop = Workshop {
        chain: &chain,
        prover,
        heights: &damage.heights,
        done: BTreeMap::new(),
        refused: BTreeMap::new(),
        bytes: 0,
    };
    context.listener.begin(&format!("repair: {} blocks", wanted.heights.len()), 0);
    let fetched = peers.fetch(&wanted, context, &mut |block| workshop.take(block));
    context.listener.end();
    if workshop.bytes > BYTES_MAX {
        return Err(MendError::TooMuch);
    }
    fetched?;
    Ok(Some(workshop.finish(damage.lost, chain.layout())?))
}

/// Where proven blocks are gathered.
struct Workshop<'a> {
    chain: &'a Chain<'a>,
    prover: Prover<'a>,
    heights: &'a BTreeMap<u64, String>,
    done: BTreeMap<u64, (Proven, String)>,
    refused: BTreeMap<u64, String>,
    bytes: usize,
}

impl Workshop<'_> {
    /// Takes a block if it is wanted and proven.
    fn take(&mut self, fetched: Fetched) -> Result<(), NotTaken> {
        let height = fetched.height;
        if !self.heights.contains_key(&height) || self.done.contains_key(&height) || self.bytes > BYTES_MAX {
            return Ok(());
        }
        match self.prover.prove(&fetched) {
            Ok(proven) => {
                self.bytes += proven.bytes.len();
                self.refused.remove(&height);
                self.done.insert(height, (proven, fetched.provenance));
                Ok(())
            }
            Err(error) => {
                self.refused.insert(height, format!("{}: {error}", fetched.provenance));
                Err(error)
            }
        }
    }

    fn finish(self, lost: Vec<LostRange>, layout: Layout) -> Result<Mended, MendError> {
        let missing: Vec<u64> = self.heights.keys().copied().filter(|height| !self.done.contains_key(height)).collect();
        if let Some(&height) = missing.first() {
            let reason = self.refused.get(&height).cloned().unwrap_or_else(|| "no peer has it".to_owned());
            return Err(MendError::Missing { missing: missing.len(), damaged: self.heights.len(), height, reason });
        }
        let mut mended = Mended { patch: Patch { rows: BTreeMap::new(), lost }, blocks: Vec::new() };
        for (height, (proven, provenance)) in self.done {
            let seen = self.chain.seen_commit(height, &proven.id);
            put_rows(&mut mended.patch, layout, &proven, seen);
            let hash = hex::encode(proven.id.hash);
            mended.blocks.push(MendedBlock { height, hash, damage: self.heights[&height].clone(), provenance });
        }
        Ok(mended)
    }
}

/// The rows of a block. The commit that the node itself saw stays if it holds; else the chain's own takes its place.
fn put_rows(patch: &mut Patch, layout: Layout, proven: &Proven, seen: Option<Vec<u8>>) {
    let height = proven.height;
    let stored = StoredBlock::new(&proven.bytes).expect("a proven block is a block");
    let mut rows = stored.rows();
    rows.push((BlockKey::Commit { height }, proven.commit.clone()));
    rows.push((BlockKey::SeenCommit { height }, seen.unwrap_or_else(|| proven.commit.clone())));
    if let Some(extended) = &proven.extended_commit {
        rows.push((BlockKey::ExtendedCommit { height }, extended.clone()));
    }
    for (key, value) in rows {
        let mut spelled = Vec::new();
        key.encode(layout, &mut spelled);
        patch.rows.insert(spelled, value);
    }
}
