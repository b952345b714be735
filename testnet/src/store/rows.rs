//! The rows of each durable step.

use ledger_formats::comet::CHECKPOINT_INTERVAL;
use ledger_formats::comet::key::{BlockKey, Layout, StateKey, StateRecord};

use super::values;
use crate::chain::{ChainState, Commit, Genesis};
use crate::consensus::DecidedBlock;

/// Rows to put, in no order; of equal keys there are none.
pub type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Rows of `blockstore.db` for a decided block.
#[must_use]
pub fn block_rows(decided: &DecidedBlock, layout: Layout) -> Rows {
    let DecidedBlock { block, id, parts, seen_commit, state, .. } = decided;
    let height = block.header.height;
    let mut rows = Vec::with_capacity(6);
    let mut put = |key: BlockKey, value| rows.push((block_key(key, layout), value));
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
pub fn state_rows(decided: &DecidedBlock, layout: Layout) -> Rows {
    let DecidedBlock { state, outcome, .. } = decided;
    let height = state.last_height;
    let mut rows = vec![
        (state_key(StateKey::AbciResponses { height }, layout), values::outcome(outcome)),
        (single(StateRecord::LastAbciResponse), values::last_outcome(height, outcome)),
    ];
    rows.extend(saved(state, layout));
    rows
}

/// Rows of `blockstore.db` and of `state.db` before the first block.
#[must_use]
pub fn genesis_rows(genesis: &Genesis, state: &ChainState, layout: Layout) -> (Rows, Rows) {
    let first = state.initial_height;
    let validators = StateKey::Validators { height: first };
    let mut rows = vec![
        (state_key(validators, layout), values::validators(Some(&state.validators), first)),
        (single(StateRecord::GenesisDoc), genesis.to_json().into_bytes()),
    ];
    rows.extend(saved(state, layout));
    // Only layout v2 is labelled: releases that know no other than v1 write no label.
    let label = (layout == Layout::V2).then(|| (b"version".to_vec(), layout.label().as_bytes().to_vec()));
    rows.extend(label.clone());
    (label.into_iter().collect(), rows)
}

/// What `State.save` of CometBFT writes: the state, the validators two heights on and the parameters one height on.
fn saved(state: &ChainState, layout: Layout) -> Rows {
    let next = state.next_height();
    let (ahead, changed) = (next + 1, state.validators_changed);
    let is_full = ahead == changed || ahead.is_multiple_of(CHECKPOINT_INTERVAL);
    let validators = is_full.then_some(state.next_validators.as_ref());
    vec![
        (state_key(StateKey::Validators { height: ahead }, layout), values::validators(validators, changed)),
        (state_key(StateKey::ConsensusParams { height: next }, layout), values::params(next, state.initial_height)),
        (single(StateRecord::State), values::state(state)),
    ]
}

pub(super) fn block_key(key: BlockKey, layout: Layout) -> Vec<u8> {
    let mut out = Vec::with_capacity(40);
    key.encode(layout, &mut out);
    out
}

fn state_key(key: StateKey, layout: Layout) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    key.encode(layout, &mut out);
    out
}

fn single(record: StateRecord) -> Vec<u8> {
    record.key().as_bytes().to_vec()
}
