//! The rows of each durable step.

use ledger_formats::comet::CHECKPOINT_INTERVAL;
use ledger_formats::comet::key::{BlockKey, StateKey, StateRecord};

use super::format::Format;
use super::values;
use crate::chain::{ChainState, Commit, Genesis};
use crate::consensus::DecidedBlock;

/// Rows to put, in no order; of equal keys there are none.
pub type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Rows of `blockstore.db` for a decided block.
#[must_use]
pub fn block_rows(decided: &DecidedBlock, format: Format) -> Rows {
    let DecidedBlock { block, id, parts, seen_commit, state, .. } = decided;
    let height = block.header.height;
    let mut rows = Vec::with_capacity(6);
    let mut put = |key: BlockKey, value| rows.push((block_key(key, format), value));
    put(BlockKey::Meta { height }, values::meta(decided));
    for part in &parts.parts {
        let mut value = Vec::with_capacity(part.bytes.len() + 64);
        part.put(&mut value);
        put(BlockKey::Part { height, part: part.index }, value);
    }
    let mut last_commit = Vec::new();
    Commit::put(block.last_commit.as_ref(), &mut last_commit);
    put(BlockKey::Commit { height: height - 1 }, last_commit);
    put(BlockKey::SeenCommit { height }, seen_commit.encode());
    put(BlockKey::ByHash { hash: id.hash }, height.to_string().into_bytes());
    put(BlockKey::StoreState, values::store_state(state.initial_height, height));
    rows
}

/// Rows of `state.db` for the state after a decided block.
#[must_use]
pub fn state_rows(decided: &DecidedBlock, format: Format) -> Rows {
    let DecidedBlock { state, outcome, .. } = decided;
    let height = state.last_height;
    let results = values::outcome(outcome, format.dialect());
    let mut rows = vec![(state_key(StateKey::AbciResponses { height }, format), results)];
    if format == Format::Old {
        rows.push((single(StateRecord::LastAbciResponse), values::last_outcome(height, outcome)));
    }
    rows.extend(saved(state, format));
    rows
}

/// Rows of `blockstore.db` and of `state.db` before the first block.
#[must_use]
pub fn genesis_rows(genesis: &Genesis, state: &ChainState, format: Format) -> (Rows, Rows) {
    let first = state.initial_height;
    let validators = values::validators(Some(&state.validators), first, format.dialect());
    let mut rows = vec![(state_key(StateKey::Validators { height: first }, format), validators)];
    rows.extend(saved(state, format));
    match format {
        // Releases before v1.0 keep the genesis file here, and know no layouts.
        Format::Old => {
            rows.push((single(StateRecord::GenesisDoc), genesis.to_json(format.dialect()).into_bytes()));
            (Vec::new(), rows)
        }
        Format::New => {
            let label = (b"version".to_vec(), format.layout().label().as_bytes().to_vec());
            rows.push(label.clone());
            (vec![label], rows)
        }
    }
}

/// What `State.save` of CometBFT writes: the state, the validators two heights on and the parameters one height on.
fn saved(state: &ChainState, format: Format) -> Rows {
    let next = state.next_height();
    let (ahead, changed) = (next + 1, state.validators_changed);
    let is_full = ahead == changed || ahead.is_multiple_of(CHECKPOINT_INTERVAL);
    let validators = is_full.then_some(state.next_validators.as_ref());
    vec![
        (
            state_key(StateKey::Validators { height: ahead }, format),
            values::validators(validators, changed, format.dialect()),
        ),
        (
            state_key(StateKey::ConsensusParams { height: next }, format),
            values::params(next, state.initial_height, format.dialect()),
        ),
        (single(StateRecord::State), values::state(state, format.dialect())),
    ]
}

pub(super) fn block_key(key: BlockKey, format: Format) -> Vec<u8> {
    let mut out = Vec::with_capacity(40);
    key.encode(format.layout(), &mut out);
    out
}

fn state_key(key: StateKey, format: Format) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    key.encode(format.layout(), &mut out);
    out
}

fn single(record: StateRecord) -> Vec<u8> {
    record.key().as_bytes().to_vec()
}
