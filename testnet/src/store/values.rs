//! Values of the stores.
//!
//! ```text
//! BlockMeta {block_id 1, block_size 2, header 3, num_txs 4}      BlockStoreState {base 1, height 2}
//! ValidatorsInfo {validator_set 1, last_height_changed 2}        ConsensusParamsInfo {consensus_params 1, last_height_changed 2}
//! ABCIResponsesInfo {height 2, response_finalize_block 3}
//! State {version 1 {consensus 1, software 2}, chain_id 2, last_block_height 3, last_block_id 4, last_block_time 5,
//!   next_validators 6, validators 7, last_validators 8, last_height_validators_changed 9, consensus_params 10,
//!   last_height_consensus_params_changed 11, last_results_hash 12, app_hash 13, initial_height 14}
//! ```

use ledger_formats::comet::put_timestamp;
use ledger_formats::comet::wire::{put_bytes, put_message, put_uint};

use crate::chain::{BlockId, ChainState, Dialect, Outcome, Params, ValidatorSet};
use crate::consensus::DecidedBlock;

/// What `stateKey` says who wrote it.
const SOFTWARE: &[u8] = b"0.38.0-testnet";
/// Version of blocks.
const BLOCK_PROTOCOL: u64 = 11;

pub(super) fn meta(decided: &DecidedBlock) -> Vec<u8> {
    let bytes: usize = decided.parts.parts.iter().map(|part| part.bytes.len()).sum();
    message(|out| {
        put_message(out, 1, |out| decided.id.borrowed().put(out));
        put_uint(out, 2, bytes as u64);
        put_message(out, 3, |out| decided.block.header.put(out));
        put_uint(out, 4, decided.block.txs.len() as u64);
    })
}

pub(super) fn store_state(base: u64, height: u64) -> Vec<u8> {
    message(|out| {
        put_uint(out, 1, base);
        put_uint(out, 2, height);
    })
}

/// A record of validators: sparse without a set.
pub(super) fn validators(set: Option<&ValidatorSet>, changed: u64, dialect: Dialect) -> Vec<u8> {
    message(|out| {
        if let Some(set) = set {
            put_message(out, 1, |out| set.put(dialect, out));
        }
        put_uint(out, 2, changed);
    })
}

/// A record of parameters: they never change, and are in full at the initial height only.
pub(super) fn params(height: u64, initial_height: u64, dialect: Dialect) -> Vec<u8> {
    message(|out| {
        put_message(out, 1, |out| {
            if height == initial_height {
                Params::put(dialect, out);
            }
        });
        put_uint(out, 2, initial_height);
    })
}

pub(super) fn outcome(outcome: &Outcome, dialect: Dialect) -> Vec<u8> {
    message(|out| outcome.put(dialect, out))
}

/// Only releases before v1.0 write it.
pub(super) fn last_outcome(height: u64, outcome: &Outcome) -> Vec<u8> {
    message(|out| {
        put_uint(out, 2, height);
        put_message(out, 3, |out| outcome.put(Dialect::V0_38, out));
    })
}

pub(super) fn state(state: &ChainState, dialect: Dialect) -> Vec<u8> {
    let last_block = state.last_block_id.as_ref().map(BlockId::borrowed).unwrap_or_default();
    message(|out| {
        put_message(out, 1, |out| {
            put_message(out, 1, |out| put_uint(out, 1, BLOCK_PROTOCOL));
            put_bytes(out, 2, SOFTWARE);
        });
        put_bytes(out, 2, state.chain_id.as_bytes());
        put_uint(out, 3, state.last_height);
        put_message(out, 4, |out| last_block.put(out));
        put_message(out, 5, |out| put_timestamp(out, state.last_time.timestamp()));
        put_message(out, 6, |out| state.next_validators.put(dialect, out));
        put_message(out, 7, |out| state.validators.put(dialect, out));
        if let Some(validators) = &state.last_validators {
            put_message(out, 8, |out| validators.put(dialect, out));
        }
        put_uint(out, 9, state.validators_changed);
        put_message(out, 10, |out| Params::put(dialect, out));
        put_uint(out, 11, state.initial_height);
        put_bytes(out, 12, &state.last_results_hash);
        put_bytes(out, 13, &state.app_hash);
        put_uint(out, 14, state.initial_height);
    })
}

fn message(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(&mut out);
    out
}
