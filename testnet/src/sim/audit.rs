//! Whether stores are exactly what the chain makes of them: the chain is decided once more, from its genesis, out of the
//! stored blocks, and every row that follows is compared with the row that is there.
//!
//! It shares nothing with the conversion: rows are made in the format of the store, as a validator makes them.

use std::collections::BTreeMap;

use ledger_formats::comet::key::StateRecord;
use ledger_formats::engine::memory::MemoryStore;
use ledger_formats::store::{KeyRange, ReadStore, StoreError};
use proofs::checkpoint::Leaf;
use proofs::merkle::{Frontier, Hash, leaf_hash};

use crate::chain::{Block, ChainState, Genesis, PartSet};
use crate::consensus::DecidedBlock;
use crate::store::{self, Format, LoadError, Rows};

/// Why stores are not what the chain makes of them.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuditError {
    /// A row cannot be read or means nothing.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A store cannot be scanned.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A block is not the next one.
    #[error("height {height}: {reason}")]
    Block { height: u64, reason: String },
    /// A row is missing, differs or is too much.
    #[error("{database}: row {key} is not what the chain makes of it")]
    Row { database: &'static str, key: String },
}

/// Root over the blocks up to a height, each named by its own bytes: what a node attests to.
pub(super) fn attested(blocks: &MemoryStore, format: Format, heights: (u64, u64)) -> Result<Hash, AuditError> {
    let mut frontier = Frontier::new();
    for height in heights.0..=heights.1 {
        let (_, _, parts, hash) = block_at(blocks, format, height)?;
        let leaf = Leaf { height, block: parts.id(hash).into() };
        frontier.push(leaf_hash(&leaf.to_bytes()));
    }
    Ok(frontier.root())
}

/// Checks every row of both stores.
pub(super) fn audit(genesis: &Genesis, blocks: &MemoryStore, states: &MemoryStore) -> Result<(), AuditError> {
    let stored = store::load(blocks, states, genesis.rules)?;
    let format = stored.format;
    let mut state = ChainState::genesis(genesis).map_err(LoadError::from)?;
    let (first_blocks, first_states) = store::genesis_rows(genesis, &state, format);
    let (mut block_rows, mut state_rows) = (BTreeMap::new(), BTreeMap::new());
    take(&mut block_rows, first_blocks);
    take(&mut state_rows, first_states);
    let tip = stored.unapplied.as_ref().map_or(stored.state.last_height, |it| it.block.header.height);
    let first = genesis.initial_height;
    for height in first..=tip {
        let decided = decide(&state, blocks, format, height)?;
        take(&mut block_rows, store::block_rows(&decided, format));
        if height <= stored.state.last_height {
            take(&mut state_rows, store::state_rows(&decided, format));
        }
        state = decided.state;
    }
    compare("blockstore", blocks, block_rows)?;
    compare("state", states, state_rows)
}

fn take(expected: &mut BTreeMap<Vec<u8>, Vec<u8>>, rows: Rows) {
    expected.extend(rows);
}

fn compare(
    database: &'static str,
    store: &MemoryStore,
    mut expected: BTreeMap<Vec<u8>, Vec<u8>>,
) -> Result<(), AuditError> {
    // A store that has been of v1.0 has lost it, and a validator writes it at its genesis only.
    let genesis_doc = StateRecord::GenesisDoc.key().as_bytes();
    expected.remove(genesis_doc);
    let fault = |key: &[u8]| AuditError::Row { database, key: key.escape_ascii().to_string() };
    let mut cursor = store.scan(&KeyRange::all())?;
    while let Some((key, value)) = cursor.next()? {
        if key != genesis_doc && expected.remove(key).is_none_or(|expected| expected != value) {
            return Err(fault(key));
        }
    }
    expected.keys().next().map_or(Ok(()), |key| Err(fault(key)))
}

fn decide(state: &ChainState, blocks: &MemoryStore, format: Format, height: u64) -> Result<DecidedBlock, AuditError> {
    let fault = |reason: String| AuditError::Block { height, reason };
    let (bytes, block, parts, hash) = block_at(blocks, format, height)?;
    let id = parts.id(hash);
    state.validate(&block, bytes).map_err(|error| fault(error.to_string()))?;
    let rules = state.rules;
    let mut commits = vec![store::seen_commit(blocks, format, height)?];
    commits.extend(store::served(blocks, format, height)?.map(|(_, commit)| commit));
    for commit in &commits {
        let verdict = commit.verify(&state.chain_id, height, &id, &state.validators, rules.quorum, rules.crypto);
        verdict.map_err(|error| fault(error.to_string()))?;
    }
    let (state, outcome) = state.apply(&block, id);
    Ok(DecidedBlock { block, id, parts, seen_commit: commits.swap_remove(0), state, outcome })
}

/// A block, how many bytes it has, its parts and its hash.
fn block_at(blocks: &MemoryStore, format: Format, height: u64) -> Result<(usize, Block, PartSet, Hash), AuditError> {
    let missing = LoadError::Missing { what: "block", height };
    let bytes = store::block_bytes(blocks, format, height)?.ok_or(missing)?;
    let block = Block::decode(&bytes).map_err(|source| LoadError::Block { height, source })?;
    let hash = block.header.hash();
    Ok((bytes.len(), block, PartSet::new(&bytes), hash))
}
