//! A snapshot of a block store and its state store, and the blocks that the one proves by the other.

use std::path::Path;

use bytes::Bytes;
use ledger_formats::comet::key::{Layout, StateKey, StateRecord};
use ledger_formats::comet::{Block, Decode, State, TimeRule};
use ledger_formats::store::ReadStore;
use proofs::commit::BlockId;
use shim::source::OfferedBlock;

use super::ServingError;
use super::folders::{Folder, Layer};
use crate::blocks::{Chain, Proven, Unproven};
use crate::checkpoint::ChainError;
use crate::reading::Reading;

/// A snapshot.
pub(super) struct View {
    /// What it is of, in words.
    pub name: &'static str,
    /// Lowest height.
    pub base: u64,
    /// Highest height whose validators are known.
    pub top: u64,
    blocks: Reading,
    state: Reading,
    chain_id: String,
}

/// A block that its validators signed, ready to be given.
pub(super) struct Checked {
    pub block: OfferedBlock,
    /// Its name.
    pub id: BlockId,
    /// The block that its header names as the one below.
    pub below: Option<BlockId>,
    /// The one rule that explains its time, where only one does.
    pub time: Option<TimeRule>,
}

impl View {
    /// Takes snapshots of a layer, which lie below `scratch`; `None` while a new node has no block.
    pub(super) fn open(
        layer: &Layer,
        scratch: &Path,
        chain_id: &str,
        cache_bytes: u64,
    ) -> Result<Option<Self>, ServingError> {
        let open = |folder: &Folder| Reading::open_moving(&folder.path, folder.engine, cache_bytes, scratch);
        // The state first: what it knows is then in the block store as well.
        let state = open(&layer.state)?;
        let Some(known) = last_height(state.store())? else { return Ok(None) };
        let blocks = open(&layer.blocks)?;
        let heights = match Chain::open(blocks.store(), state.store(), chain_id) {
            Ok(chain) => Some((chain.base(), chain.tip())),
            Err(ChainError::NoBlocks) => None,
            Err(error) => return Err(error.into()),
        };
        // Validators are known to the height after the next; of blocks above the state there is one at most.
        let view = heights.map(|(base, tip)| (base, tip.min(known.saturating_add(1))));
        let chain_id = chain_id.to_owned();
        Ok(view.map(|(base, top)| Self { name: layer.name, base, top, blocks, state, chain_id }))
    }

    /// Whether the height should be there.
    pub(super) fn contains(&self, height: u64) -> bool {
        (self.base..=self.top).contains(&height)
    }

    /// The block store.
    pub(super) fn store(&self) -> &dyn ReadStore {
        self.blocks.store()
    }

    /// The means to prove blocks; cheap, and to be kept for as many heights as there are to prove.
    pub(super) fn chain(&self) -> Result<Chain<'_>, ServingError> {
        Ok(Chain::open(self.blocks.store(), self.state.store(), &self.chain_id)?)
    }
}

/// The block of a height, proven.
pub(super) fn checked(chain: &Chain<'_>, height: u64) -> Result<Checked, ServingError> {
    let mut proven = chain.block(height)?;
    let extended_commit = chain.required_extended_commit(&mut proven)?.map(Bytes::from);
    let Proven { id, bytes, .. } = proven;
    let undecodable = |source| Unproven::Decode { height, what: "block", source };
    let below = Block::decode(&bytes).map_err(undecodable)?.header.last_block_id.to_proof();
    // Where the votes below cannot be weighed any more nothing is said about the time.
    let time = chain.time_rule(height, &bytes).ok().flatten();
    let block = OfferedBlock { height, hash: id.hash, block: bytes.into(), extended_commit };
    Ok(Checked { block, id, below, time })
}

/// The height that the state has come to; `None` before the first block.
fn last_height(state: &dyn ReadStore) -> Result<Option<u64>, ServingError> {
    let mut key = Vec::new();
    StateKey::Single(StateRecord::State).encode(Layout::V1, &mut key);
    let Some(value) = state.get(&key)? else { return Ok(None) };
    let state = State::decode(&value).map_err(|source| ServingError::State { source })?;
    Ok(Some(state.last_block_height).filter(|height| *height > 0))
}
