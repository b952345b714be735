//! A header against the height below it, and against the rows of the state store.

use ledger_formats::comet::key::{BlockKey, StateKey};
use ledger_formats::comet::{BlockMeta, Commit, Decode, Header, TimeRule};

use super::params::Params;
use super::rows::{Rows, in_hex};
use super::validators::Stored;
use super::walk::{Below, Walk};
use crate::verify::text;
use crate::verify::what::What;

/// What was compared and differed last: one wrong record serves many heights, and is reported once.
#[derive(Default)]
pub(super) struct Mismatches {
    validators: Option<(Vec<u8>, Vec<u8>)>,
    params: Option<(Vec<u8>, Vec<u8>)>,
}

impl Walk<'_> {
    /// The meta by itself: its height, its chain, its hash.
    pub(super) fn check_meta(&mut self, height: u64, meta: &BlockMeta<'_>) {
        let (rows, key) = (&self.chain.blocks, BlockKey::Meta { height });
        self.tally.headers += 1;
        rows.same(&key, What::Height, height, meta.header.height);
        if meta.header.chain_id != self.chain.chain_id.as_bytes() {
            let actual = String::from_utf8_lossy(meta.header.chain_id);
            rows.report(&key, What::ChainId, &self.chain.chain_id, &actual);
        }
        let hash = meta.header.hash().unwrap_or_default();
        let holds = rows.equal(&key, What::BlockHash, meta.block_id.hash, &hash);
        if holds && self.chain.stored.contains(height) {
            self.tally.index.add(&hash, height);
        }
    }

    /// The header against that of the height below.
    pub(super) fn check_link(&mut self, height: u64, header: &Header<'_>, below: &Below) {
        let (rows, key) = (&self.chain.blocks, BlockKey::Meta { height });
        if height == self.chain.initial_height {
            if !header.last_block_id.is_zero() {
                rows.report(&key, What::LastBlockId, &"no block before the first", &in_hex(header.last_block_id.hash));
            }
            return;
        }
        // What is wrong with the meta below is reported where it stands.
        let Some(meta) = below.meta.as_deref().and_then(|value| BlockMeta::decode(value).ok()) else { return };
        if header.last_block_id != meta.block_id {
            let in_words = |id: ledger_formats::comet::BlockId<'_>| {
                let parts = id.part_set_header;
                format!("block {} in {} parts with root {}", in_hex(id.hash), parts.total, in_hex(parts.hash))
            };
            rows.report(&key, What::LastBlockId, &in_words(meta.block_id), &in_words(header.last_block_id));
        }
        rows.equal(&key, What::NextValidatorsHash, meta.header.next_validators_hash, header.validators_hash);
        if header.time <= meta.header.time {
            let time = |header: &Header<'_>| text::time(header.time);
            let expected = format!("a time after {}, that of the block below", time(&meta.header));
            rows.report(&key, What::HeaderTime, &expected, &time(header));
        }
    }

    /// The commit row of the height below against the header, where the block itself cannot be looked at.
    pub(super) fn check_commit_below(&mut self, height: u64, header: &Header<'_>, below: &Below) {
        let Some(commit) = below.commit.as_deref().and_then(|value| Commit::decode(value).ok()) else { return };
        let key = BlockKey::Commit { height: height.saturating_sub(1) };
        self.chain.blocks.equal(&key, What::LastCommitHash, header.last_commit_hash, &commit.hash());
    }

    /// Whether the validators of the height are those of its header.
    pub(super) fn check_validators(
        &mut self,
        state: &Rows<'_>,
        height: u64,
        header: &Header<'_>,
        set: &Stored,
    ) -> bool {
        if header.validators_hash != set.hash {
            let difference = (header.validators_hash.to_vec(), set.hash.to_vec());
            if self.mismatches.validators.as_ref() != Some(&difference) {
                let key = StateKey::Validators { height };
                let actual = format!("{}, the set stored at height {}", in_hex(&set.hash), set.height);
                state.report(&key, What::ValidatorsHash, &in_hex(header.validators_hash), &actual);
                self.mismatches.validators = Some(difference);
            }
            return false;
        }
        if let Ok(signers) = &set.signers
            && !signers.validators().iter().any(|validator| validator.address() == header.proposer_address)
        {
            let (key, actual) = (BlockKey::Meta { height }, in_hex(header.proposer_address));
            self.chain.blocks.report(&key, What::Proposer, &"one of the validators of the height", &actual);
        }
        true
    }

    /// The consensus parameters of the height against its header.
    pub(super) fn check_params(&mut self, state: &Rows<'_>, height: u64, header: &Header<'_>, params: &Params) {
        if header.consensus_hash == params.hash {
            return;
        }
        let difference = (header.consensus_hash.to_vec(), params.hash.to_vec());
        if self.mismatches.params.as_ref() != Some(&difference) {
            let key = StateKey::ConsensusParams { height };
            state.equal(&key, What::ConsensusHash, header.consensus_hash, &params.hash);
            self.mismatches.params = Some(difference);
        }
    }

    /// The results of the height below against the header.
    pub(super) fn check_results(&mut self, height: u64, header: &Header<'_>, below: &Below) {
        let (Some(results), Some(state)) = (&below.results, &self.chain.state) else { return };
        self.tally.results += 1;
        let key = StateKey::AbciResponses { height: height.saturating_sub(1) };
        state.equal(&key, What::ResultsHash, header.last_results_hash, &results.hash);
        if let Some(app_hash) = &results.app_hash {
            state.equal(&key, What::AppHash, header.app_hash, app_hash);
        }
    }

    /// The time of the header against the votes below, by both rules.
    pub(super) fn check_time(&mut self, height: u64, header: &Header<'_>, params: Option<&Params>, below: &Below) {
        let Some([all_votes, block_votes]) = below.times else { return };
        if height == self.chain.initial_height || params.is_some_and(|params| params.proposer_time_at(height)) {
            return;
        }
        self.tally.times += 1;
        match (all_votes == Some(header.time), block_votes == Some(header.time)) {
            (true, true) => {}
            (true, false) => self.tally.only_by(TimeRule::AllVotes, height),
            (false, true) => self.tally.only_by(TimeRule::VotesForBlock, height),
            (false, false) => {
                let time = |time: Option<_>| time.map_or_else(|| "none".to_owned(), text::time);
                let expected = format!("the median of the votes, {} or {}", time(all_votes), time(block_votes));
                let key = BlockKey::Meta { height };
                self.chain.blocks.report(&key, What::HeaderTime, &expected, &text::time(header.time));
            }
        }
    }
}
