//! Reading back what a validator needs at its start, and blocks for its peers.

use std::sync::Arc;

use ledger_formats::comet::key::{BlockKey, StateRecord};
use ledger_formats::comet::{self, BlockMeta, BlockStoreState, Decode, DecodeError};
use ledger_formats::store::{ReadStore, StoreError};
use proofs::checkpoint::Leaf;
use proofs::merkle::{Frontier, Hash, leaf_hash};

use super::format::Format;
use super::rows::block_key;
use crate::chain::{Block, BlockError, BlockId, ChainState, Commit, Rules, Time, ValidatorSet, ValidatorSetFault};
use crate::consensus::Unapplied;

/// What the stores hold.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The format of the rows, by the label.
    pub format: Format,
    /// The state after the last block that was applied.
    pub state: ChainState,
    /// The commit of the last block, as it was seen; `None` before the first.
    pub last_commit: Option<Commit>,
    /// The last block, if the state after it is not there.
    pub unapplied: Option<Unapplied>,
}

/// Why a validator cannot start from its stores, or cannot serve a block.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row that must be there is not.
    #[error("{what} of height {height} is missing")]
    Missing {
        /// What.
        what: &'static str,
        /// The height.
        height: u64,
    },
    /// A row is not what its key says.
    #[error("{what} of height {height}: {source}")]
    Decode {
        /// What.
        what: &'static str,
        /// The height.
        height: u64,
        /// What is wrong.
        source: DecodeError,
    },
    /// A row has a form that no validator writes.
    #[error("{what} of height {height} is not as validators write it")]
    Form {
        /// What.
        what: &'static str,
        /// The height.
        height: u64,
    },
    /// A stored block is none.
    #[error("block {height}: {source}")]
    Block {
        /// The height.
        height: u64,
        /// What is wrong.
        source: BlockError,
    },
    /// A stored set of validators is none.
    #[error("stored validators: {0}")]
    Validators(#[from] ValidatorSetFault),
    /// The stores do not go together.
    #[error("the block store ends at {blocks}, the state at {state}")]
    Apart {
        /// Last block.
        blocks: u64,
        /// Last block of the state.
        state: u64,
    },
}

/// Reads what a validator starts from. `rules` are those of the chain; the stores do not hold them.
///
/// # Errors
/// [`LoadError`]: a node would not start on these stores either.
pub fn load(blocks: &dyn ReadStore, states: &dyn ReadStore, rules: Rules) -> Result<Stored, LoadError> {
    let format = Format::of_label(states.get(b"version")?.as_deref());
    let state = state(states, rules)?;
    let rows = Blocks { store: blocks, format };
    let tip = rows.state()?.height;
    let last_commit = if tip == 0 { None } else { Some(rows.commit(BlockKey::SeenCommit { height: tip })?) };
    let unapplied = match tip {
        tip if tip == state.last_height => None,
        tip if tip == state.next_height() => Some(rows.unapplied(tip)?),
        tip => return Err(LoadError::Apart { blocks: tip, state: state.last_height }),
    };
    Ok(Stored { format, state, last_commit, unapplied })
}

/// A stored block and a commit that proves it, for a peer; `None` if it is not here.
///
/// # Errors
/// When rows of the block are missing or not what they should be.
pub fn served(blocks: &dyn ReadStore, format: Format, height: u64) -> Result<Option<(Vec<u8>, Commit)>, LoadError> {
    let rows = Blocks { store: blocks, format };
    let Some((_, bytes)) = rows.block(height)? else { return Ok(None) };
    // The commit in the next block has the votes that came late, too.
    let canonical = BlockKey::Commit { height };
    let key = if rows.get(canonical)?.is_some() { canonical } else { BlockKey::SeenCommit { height } };
    Ok(Some((bytes, rows.commit(key)?)))
}

/// The bytes of a stored block; `None` if it is not here.
///
/// # Errors
/// When rows of the block are missing or not what they should be.
pub fn block_bytes(blocks: &dyn ReadStore, format: Format, height: u64) -> Result<Option<Vec<u8>>, LoadError> {
    Ok(Blocks { store: blocks, format }.block(height)?.map(|(_, bytes)| bytes))
}

/// The commit of a stored block as it was seen.
///
/// # Errors
/// When it is missing or not what it should be.
pub fn seen_commit(blocks: &dyn ReadStore, format: Format, height: u64) -> Result<Commit, LoadError> {
    Blocks { store: blocks, format }.commit(BlockKey::SeenCommit { height })
}

/// Root over the heights from the first to `height`: the tree of the ledger's checkpoints.
///
/// # Errors
/// When a height is missing or not what it should be.
pub fn root(blocks: &dyn ReadStore, format: Format, height: u64) -> Result<Hash, LoadError> {
    let rows = Blocks { store: blocks, format };
    let mut frontier = Frontier::new();
    for height in rows.state()?.base.max(1)..=height {
        let (id, _) = rows.block(height)?.ok_or(LoadError::Missing { what: "block", height })?;
        frontier.push(leaf_hash(&Leaf { height, block: id.into() }.to_bytes()));
    }
    Ok(frontier.root())
}

struct Blocks<'a> {
    store: &'a dyn ReadStore,
    format: Format,
}

impl Blocks<'_> {
    fn get(&self, key: BlockKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(&block_key(key, self.format))
    }

    fn state(&self) -> Result<BlockStoreState, LoadError> {
        let value = self.get(BlockKey::StoreState)?.unwrap_or_default();
        decode("the block store's state", 0, &value)
    }

    fn commit(&self, key: BlockKey) -> Result<Commit, LoadError> {
        const WHAT: &str = "commit";
        let height = key.height().unwrap_or(0);
        let value = self.get(key)?.ok_or(LoadError::Missing { what: WHAT, height })?;
        let commit = Commit::from_borrowed(&decode::<comet::Commit<'_>>(WHAT, height, &value)?);
        commit.ok().flatten().ok_or(LoadError::Form { what: WHAT, height })
    }

    /// Name and bytes of a block.
    fn block(&self, height: u64) -> Result<Option<(BlockId, Vec<u8>)>, LoadError> {
        const WHAT: &str = "block";
        let Some(value) = self.get(BlockKey::Meta { height })? else { return Ok(None) };
        let meta: BlockMeta<'_> = decode(WHAT, height, &value)?;
        let id = BlockId::from_borrowed(&meta.block_id).ok().flatten().ok_or(LoadError::Form { what: WHAT, height })?;
        let mut bytes = Vec::new();
        for part in 0..id.part_count {
            let value = self.get(BlockKey::Part { height, part })?.ok_or(LoadError::Missing { what: WHAT, height })?;
            bytes.extend_from_slice(decode::<comet::Part<'_>>(WHAT, height, &value)?.bytes);
        }
        Ok(Some((id, bytes)))
    }

    fn unapplied(&self, height: u64) -> Result<Unapplied, LoadError> {
        let (id, bytes) = self.block(height)?.ok_or(LoadError::Missing { what: "block", height })?;
        let block = Block::decode(&bytes).map_err(|source| LoadError::Block { height, source })?;
        Ok(Unapplied { block, id })
    }
}

fn state(store: &dyn ReadStore, rules: Rules) -> Result<ChainState, LoadError> {
    const WHAT: &str = "state";
    let missing = LoadError::Missing { what: WHAT, height: 0 };
    let value = store.get(StateRecord::State.key().as_bytes())?.ok_or(missing)?;
    let state: comet::State<'_> = decode(WHAT, 0, &value)?;
    let height = state.last_block_height;
    let form = || LoadError::Form { what: WHAT, height };
    let hash = |bytes: &[u8]| Hash::try_from(bytes).map_err(|_| form());
    let set = |set: Option<&comet::ValidatorSet<'_>>| -> Result<Arc<ValidatorSet>, LoadError> {
        Ok(Arc::new(ValidatorSet::from_borrowed(set.ok_or_else(form)?)?))
    };
    let last_validators = state.last_validators.as_ref().map(|last| set(Some(last))).transpose()?;
    Ok(ChainState {
        chain_id: std::str::from_utf8(state.chain_id).map_err(|_| form())?.into(),
        rules,
        initial_height: state.initial_height,
        last_height: height,
        last_block_id: BlockId::from_borrowed(&state.last_block_id).map_err(|_| form())?,
        last_time: Time::from_timestamp(state.last_block_time).ok_or_else(form)?,
        next_validators: set(state.next_validators.as_ref())?,
        validators: set(state.validators.as_ref())?,
        last_validators,
        validators_changed: state.last_height_validators_changed,
        last_results_hash: hash(state.last_results_hash)?,
        app_hash: hash(state.app_hash)?,
    })
}

fn decode<'a, T: Decode<'a>>(what: &'static str, height: u64, value: &'a [u8]) -> Result<T, LoadError> {
    T::decode(value).map_err(|source| LoadError::Decode { what, height, source })
}
