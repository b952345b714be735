//! What the nodes say of the chain: who signed which new heights, and roots over the last ones.

use std::collections::BTreeMap;

use proofs::checkpoint::Leaf;
use proofs::merkle;

use super::rpc::{Rpc, RpcError};
use crate::rollout::observation::{Attestation, Sample};
use crate::rollout::state::State;

/// Commits that are fetched in one round.
const HEIGHTS_PER_ROUND_MAX: u64 = 50;

/// Beyond this many the older heights are left out, and said to be.
const HEIGHTS_BEHIND_MAX: u64 = 2000;

/// The heights since the last sample, of a node at `height`; `None` when there is no new final one.
pub(super) fn sample(rpc: &Rpc, height: u64, state: &State) -> Result<Option<Sample>, RpcError> {
    // A commit is final when the next block holds it.
    let last = height.saturating_sub(1);
    let known = state.sampled_to_height;
    let after_height = match last.checked_sub(known) {
        None | Some(0) => return Ok(None),
        // The beginning: what was before the rollout is not its own.
        Some(_) if known == 0 => last.saturating_sub(1),
        Some(behind) if behind > HEIGHTS_BEHIND_MAX => last - HEIGHTS_PER_ROUND_MAX,
        Some(_) => known,
    };
    let to_height = last.min(after_height + HEIGHTS_PER_ROUND_MAX);
    let skipped_heights = if known == 0 { 0 } else { after_height - known };
    let mut from_time_ms = (skipped_heights == 0 && known > 0).then_some(state.sampled_to_time_ms);
    let (mut to_time_ms, mut missed, mut signed) = (0, BTreeMap::new(), BTreeMap::new());
    for height in after_height + 1..=to_height {
        let commit = rpc.commit(height)?;
        for (name, address) in state.addresses() {
            if commit.signers.contains(&address) {
                signed.insert(name, height);
            } else {
                *missed.entry(name).or_default() += 1;
            }
        }
        from_time_ms = from_time_ms.or(Some(commit.time_ms));
        to_time_ms = commit.time_ms;
    }
    let begins_anew = known == 0 || skipped_heights > 0;
    let from_time_ms = from_time_ms.unwrap_or(to_time_ms);
    Ok(Some(Sample { after_height, to_height, from_time_ms, to_time_ms, missed, signed, skipped_heights, begins_anew }))
}

/// The node's word for the last two heights that are multiples of `interval`: the root over the blocks
/// of each interval, from its own databases.
pub(super) fn attestations(rpc: &Rpc, height: u64, interval: u64) -> Vec<Attestation> {
    let last = height - height.checked_rem(interval).unwrap_or(height);
    let heights = [last.saturating_sub(interval), last];
    heights.into_iter().filter(|height| *height > 0).filter_map(|height| attest(rpc, height, interval)).collect()
}

fn attest(rpc: &Rpc, height: u64, interval: u64) -> Option<Attestation> {
    let first = height.checked_sub(interval)? + 1;
    let blocks = rpc.block_ids(first, height).ok()?;
    let whole = blocks.iter().map(|(height, _)| *height).eq(first..=height);
    let leaves = blocks.into_iter().map(|(height, block)| Leaf { height, block }.to_bytes());
    whole.then(|| Attestation { height, root: merkle::root(leaves) })
}
