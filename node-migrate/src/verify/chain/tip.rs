//! Whether the databases are of one chain and one height: the state against the blocks that it is the outcome of.

use ledger_formats::comet::key::{BlockKey, StateKey, StateRecord};
use ledger_formats::comet::{
    BlockMeta, CHECKPOINT_INTERVAL, Decode, LastResults, Results, State, ValidatorSet, decode_zigzag_height,
};

use super::Chain;
use super::params::{Content, ParamsRecords};
use super::rotation::Rotation;
use super::rows::{Fetched, Rows, in_hex};
use super::validators::{Sets, Stored, check_members};
use crate::verify::text;
use crate::verify::what::What;

const STATE: StateKey = StateKey::Single(StateRecord::State);

/// Checks the state store's single records against each other and against the block store.
pub(super) fn check(chain: &Chain<'_>, genesis: Option<&str>, has_record: bool, state: Option<&State<'_>>) {
    let Some(rows) = &chain.state else {
        let findings = chain.blocks.findings;
        findings.not_checked(
            "validators, parameters, results, signatures and the state: there is no state store here".to_owned(),
        );
        return;
    };
    let Some(state) = state else {
        if !has_record && chain.stored.tip > 0 {
            let actual = format!("none, beside blocks up to {}", chain.stored.tip);
            rows.report(&STATE, What::Missing, &"the state", &actual);
        }
        return;
    };
    if genesis.is_some_and(|genesis| genesis.as_bytes() != state.chain_id) {
        rows.report(&STATE, What::ChainId, &chain.chain_id, &String::from_utf8_lossy(state.chain_id));
    }
    Tip { chain, rows, state, height: state.last_block_height }.check();
}

struct Tip<'a> {
    chain: &'a Chain<'a>,
    rows: &'a Rows<'a>,
    state: &'a State<'a>,
    height: u64,
}

impl Tip<'_> {
    fn check(&self) {
        self.check_single_records();
        for set in [&self.state.last_validators, &self.state.validators, &self.state.next_validators] {
            set.iter().for_each(|set| check_members(self.rows, &STATE, set));
        }
        if !self.heights_agree() || self.height == 0 {
            return;
        }
        self.check_block();
        self.check_next_block();
        self.check_records();
        self.check_last_results();
    }

    /// The state is of the block store's height or of the one below.
    fn heights_agree(&self) -> bool {
        let (tip, height) = (self.chain.stored.tip, self.height);
        let findings = self.chain.blocks.findings;
        let next = if height == 0 { self.chain.initial_height } else { height.saturating_add(1) };
        if height == tip {
            return true;
        }
        if next == tip {
            findings.remark(format!(
                "the state is one height behind the block store, {height} and {tip}: a node that was stopped between the two \
                 replays the block at its next start, one of a halted chain stops there again"
            ));
            return true;
        }
        let synced = self.chain.blocks.fetch(&BlockKey::SeenCommit { height });
        if tip == 0 && matches!(synced, Fetched::Row(_)) {
            findings.remark(format!("the node was just state-synced to height {height} and has no block yet"));
            return false;
        }
        let expected = format!("the height of the block store, {tip}, or the one below");
        self.report(What::Tip, &expected, &height.to_string());
        false
    }

    /// What the state repeats of its block.
    fn check_block(&self) {
        let state = self.state;
        let Some(value) = self.chain.blocks.fetch(&BlockKey::Meta { height: self.height }).row() else { return };
        let Ok(meta) = BlockMeta::decode(&value) else { return };
        if state.last_block_id != meta.block_id {
            self.report(What::LastBlockId, &in_hex(meta.block_id.hash), &in_hex(state.last_block_id.hash));
        }
        if state.last_block_time != meta.header.time {
            self.report(What::HeaderTime, &text::time(meta.header.time), &text::time(state.last_block_time));
        }
        self.check_set(What::ValidatorsHash, meta.header.validators_hash, state.last_validators.as_ref());
        self.check_set(What::NextValidatorsHash, meta.header.next_validators_hash, state.validators.as_ref());
    }

    /// What the next block, if it is there, says about the state.
    fn check_next_block(&self) {
        let state = self.state;
        let key = BlockKey::Meta { height: self.height.saturating_add(1) };
        let Some(value) = self.chain.blocks.fetch(&key).row() else { return };
        let Ok(meta) = BlockMeta::decode(&value) else { return };
        self.rows.equal(&STATE, What::AppHash, meta.header.app_hash, state.app_hash);
        self.rows.equal(&STATE, What::ResultsHash, meta.header.last_results_hash, state.last_results_hash);
        self.rows.equal(&STATE, What::ConsensusHash, meta.header.consensus_hash, &state.consensus_params.hash());
        self.check_set(What::NextValidatorsHash, meta.header.next_validators_hash, state.next_validators.as_ref());
    }

    /// The records by height that the state was written with.
    fn check_records(&self) {
        let (state, height) = (self.state, self.height);
        let mut sets = Sets::default();
        let last = state.last_validators.as_ref();
        let mut changed = None;
        for (ahead, set) in [(0, last), (1, state.validators.as_ref()), (2, state.next_validators.as_ref())] {
            let height = height.saturating_add(ahead);
            let Some((record, set)) = sets.at(self.rows, height, true).zip(set) else { continue };
            self.rows.equal(&StateKey::Validators { height }, What::ValidatorsHash, &set.hash(), &record.hash);
            self.check_turns(height, &record, set);
            changed = Some(record.height);
        }
        let named = state.last_height_validators_changed;
        // A set is stored anew at checkpoints without having changed.
        if changed.is_some_and(|changed| changed != named && !changed.is_multiple_of(CHECKPOINT_INTERVAL)) {
            let expected = format!("height {}, where the next validators are stored", changed.unwrap_or_default());
            self.report(What::ValidatorsHash, &expected, &format!("height {named}"));
        }
        self.check_params_record(height.saturating_add(1));
        self.check_params_record(state.last_height_consensus_params_changed);
    }

    /// A set of the state has the priorities that its record leads to.
    fn check_turns(&self, height: u64, record: &Stored, set: &ValidatorSet<'_>) {
        let stored = record.decode().ok().and_then(|stored| Rotation::of(&stored));
        let turns = height.saturating_sub(record.height);
        let Some(expected) = stored.and_then(|stored| stored.moved_on(turns)) else { return };
        let Some(actual) = Rotation::of(set) else { return };
        if expected != actual {
            let expected = format!("for height {height} {expected}");
            self.rows.doubt(&STATE, Some(self.height), What::ProposerPriority, &expected, &actual);
        }
    }

    /// The parameters of the state are those of their record.
    fn check_params_record(&self, height: u64) {
        let Some(record) = ParamsRecords::default().at(self.rows, height, true) else { return };
        let params = &self.state.consensus_params;
        let key = StateKey::ConsensusParams { height: record.stored_at };
        self.rows.equal(&key, What::ConsensusHash, &params.hash(), &record.hash);
        let differences = Content::of(params).differences(&record.content);
        if !differences.is_empty() {
            let actual = format!("other {}", differences.join(", "));
            self.rows.doubt(&key, Some(height), What::ConsensusParams, &"the parameters of the state", &actual);
        }
    }

    /// The results of the last block against the state; with the state one behind, nothing binds those of the tip.
    fn check_last_results(&self) {
        let (state, height) = (self.state, self.height);
        let key = StateKey::AbciResponses { height };
        if let Some(value) = self.rows.fetch(&key).row()
            && let Some(results) = self.rows.decoded(&key, Results::decode(&value))
        {
            self.rows.equal(&key, What::ResultsHash, state.last_results_hash, &results.hash());
            if let Some(app_hash) = results.app_hash {
                self.rows.equal(&key, What::AppHash, state.app_hash, app_hash);
            }
        }
        self.check_last_record();
    }

    /// The record of the last answer against the one by height, or against the state.
    fn check_last_record(&self) {
        let key = StateKey::Single(StateRecord::LastAbciResponse);
        let Some(value) = self.rows.fetch(&key).row() else { return };
        let Some(last) = self.rows.decode::<LastResults<'_>>(&key, &value) else { return };
        let Some(results) = last.results.as_ref().filter(|_| (1..=self.chain.stored.tip).contains(&last.height)) else {
            let actual = format!("height {}, results {}", last.height, last.results.is_some());
            return self.rows.report(&key, What::ResultsHash, &"the results of a height of the block store", &actual);
        };
        let by_height = self.rows.fetch(&StateKey::AbciResponses { height: last.height }).row();
        let (hash, app_hash) = match by_height.as_deref().map(Results::decode) {
            Some(Ok(by_height)) => (by_height.hash().to_vec(), by_height.app_hash.map(<[u8]>::to_vec)),
            None if last.height == self.height => {
                (self.state.last_results_hash.to_vec(), Some(self.state.app_hash.to_vec()))
            }
            // What is wrong with that record is reported where it stands; one that is not there binds nothing.
            Some(Err(_)) | None => return,
        };
        let at = Some(last.height);
        if results.hash() != hash.as_slice() {
            self.rows.report_at(&key, at, What::ResultsHash, &in_hex(&hash), &in_hex(&results.hash()));
        }
        if let (Some(expected), Some(actual)) = (app_hash, results.app_hash)
            && expected != actual
        {
            self.rows.report_at(&key, at, What::AppHash, &in_hex(&expected), &in_hex(actual));
        }
    }

    /// Records that are a number.
    fn check_single_records(&self) {
        let numbers = [
            StateRecord::OfflineStateSyncHeight,
            StateRecord::LastAbciResponsesRetainHeight,
            StateRecord::AppRetainHeight,
            StateRecord::CompanionBlockRetainHeight,
            StateRecord::CompanionResultsRetainHeight,
        ];
        for record in numbers {
            let key = StateKey::Single(record);
            if let Some(value) = self.rows.fetch(&key).row() {
                self.rows.decoded(&key, decode_zigzag_height(&value));
            }
        }
    }

    fn check_set(&self, what: What, expected: &[u8], set: Option<&ValidatorSet<'_>>) {
        let hash = set.map(ValidatorSet::hash);
        let actual = hash.as_ref().map_or(&[][..], |hash| hash.as_slice());
        if actual != expected {
            self.report(what, &in_hex(expected), &in_hex(actual));
        }
    }

    /// A finding about the state's own record.
    fn report(&self, what: What, expected: &str, actual: &str) {
        self.rows.report_at(&STATE, Some(self.height), what, &expected, &actual);
    }
}
