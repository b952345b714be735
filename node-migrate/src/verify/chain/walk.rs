//! The walk over a run of heights, upwards, each record read once.
//!
//! At each height: the block and what its header binds inside it, the header against the height below, the rows of the
//! state store against the header, then the votes. What the height above needs is handed up as [`Below`].

use std::ops::RangeInclusive;
use std::rc::Rc;

use ledger_formats::comet::key::{BlockKey, StateKey};
use ledger_formats::comet::{Block, BlockMeta, Commit, Decode, ExtendedCommit, Header, Results, TimeRule, median_time};
use proofs::commit::Timestamp;
use proofs::merkle::Hash;

use super::Chain;
use super::params::{Content, Params, ParamsRecords};
use super::rotation::{Change, changes};
use super::rows::Fetched;
use super::tally::Tally;
use super::turns::Turns;
use super::validators::{Sets, Stored};
use super::votes::{Records, Votes};
use super::{block, header};
use crate::context::Context;
use crate::verify::VerifyError;

/// How much of a height the store should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// All of it: heights from base to tip.
    Block,
    /// What pruning left for evidence: meta and commit, and rows of the state store perhaps.
    Header,
}

/// What a height needs of the one below.
#[derive(Default)]
pub(super) struct Below {
    /// Value of the meta.
    pub meta: Option<Vec<u8>>,
    /// Value of the commit.
    pub commit: Option<Vec<u8>>,
    /// What its results are bound by, and what follows from them.
    pub results: Option<Outcome>,
    /// Changes of the validators that the results of the height before that one hold.
    pub older_changes: Option<Vec<Change>>,
    /// Times that the commit gives the block above, by either rule.
    pub times: Option<[Option<Timestamp>; 2]>,
}

/// What matters of the results of a height.
pub(super) struct Outcome {
    /// The last-results hash of the next header.
    pub hash: Hash,
    /// The app hash of the next header, in the form that has it.
    pub app_hash: Option<Vec<u8>>,
    /// Changes of the validators, valid two heights later; `None` if one cannot be followed.
    pub changes: Option<Vec<Change>>,
    /// Changes of the parameters, valid one height later.
    pub params: Option<Content>,
}

/// What was read of the votes of a height.
#[derive(Default)]
struct Voted {
    /// Value of the commit.
    commit: Option<Vec<u8>>,
    /// The latest round of the commits.
    round: u64,
}

/// A walk over a run of heights.
pub(super) struct Walk<'a> {
    pub chain: &'a Chain<'a>,
    pub depth: Depth,
    pub sets: Sets,
    pub params: ParamsRecords,
    pub tally: Tally,
    pub mismatches: header::Mismatches,
    pub turns: Turns,
    votes: Votes,
    bytes: Vec<u8>,
    read_bytes: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(chain: &'a Chain<'a>, depth: Depth) -> Self {
        Self {
            chain,
            depth,
            sets: Sets::default(),
            params: ParamsRecords::default(),
            tally: Tally::default(),
            mismatches: header::Mismatches::default(),
            turns: Turns::default(),
            votes: Votes::new(&chain.chain_id),
            bytes: Vec::new(),
            read_bytes: 0,
        }
    }

    /// Walks over `heights` and gives what was checked.
    pub(super) fn run(mut self, heights: RangeInclusive<u64>, context: &Context<'_>) -> Result<Tally, VerifyError> {
        let mut below = heights.start().checked_sub(1).map(|height| self.load(height)).unwrap_or_default();
        for height in heights {
            context.go_on()?;
            below = self.step(height, below);
            context.listener.advance(std::mem::take(&mut self.read_bytes), 1);
        }
        self.votes.finish(&self.chain.blocks, &mut self.tally);
        Ok(self.tally)
    }

    /// What the first height of the run needs of the one below, which another walk checks.
    fn load(&mut self, height: u64) -> Below {
        let chain = self.chain;
        let rows = &chain.blocks;
        let meta = rows.fetch(&BlockKey::Meta { height }).row();
        let commit = rows.fetch(&BlockKey::Commit { height }).row();
        let set = self.chain.state.as_ref().and_then(|state| self.sets.at(state, height, false));
        let times = commit.as_deref().zip(set).and_then(|(commit, set)| times(commit, &set));
        let older = height.checked_sub(1).and_then(|height| self.results(height).0);
        let older_changes = older.and_then(|results| results.changes);
        Below { meta, commit, results: self.results(height).0, older_changes, times }
    }

    fn step(&mut self, height: u64, below: Below) -> Below {
        let chain = self.chain;
        let rows = &chain.blocks;
        let key = BlockKey::Meta { height };
        let value = rows.require(&key);
        let meta = value.as_ref().and_then(|value| rows.decode::<BlockMeta<'_>>(&key, value));
        let Some(meta) = meta else {
            return Below { commit: rows.fetch(&BlockKey::Commit { height }).row(), ..Below::default() };
        };
        self.read_bytes += value.as_ref().map_or(0, |value| value.len() as u64);
        self.check_meta(height, &meta);
        self.check_content(height, &meta, &below);
        self.check_link(height, &meta.header, &below);
        let set = self.validators(height, &meta.header);
        let params = self.consensus_params(height, &meta.header, &below);
        self.check_results(height, &meta.header, &below);
        self.check_time(height, &meta.header, params.as_ref(), &below);
        let voted = self.check_votes(height, &meta, set.as_deref(), params.as_ref());
        if let Some(set) = &set {
            self.check_turn(height, &meta.header, set, voted.round, &below);
        }
        let times = voted.commit.as_deref().zip(set).and_then(|(commit, set)| times(commit, &set));
        let (results, is_there) = self.results(height);
        self.tally.without_results += u64::from(!is_there && self.depth == Depth::Block);
        let older_changes = below.results.and_then(|results| results.changes);
        Below { meta: value, commit: voted.commit, results, older_changes, times }
    }

    /// The block itself, or as much as a header tells.
    fn check_content(&mut self, height: u64, meta: &BlockMeta<'_>, below: &Below) {
        let chain = self.chain;
        let rows = &chain.blocks;
        if self.depth == Depth::Block && block::assemble(rows, height, meta, &mut self.bytes, &mut self.tally) {
            let bytes = self.bytes.len() as u64;
            self.read_bytes += bytes;
            if let Some(block) = rows.decode::<Block<'_>>(&BlockKey::Part { height, part: 0 }, &self.bytes) {
                block::check(rows, height, meta, &block, bytes, &mut self.tally);
                if let Some(below) = &below.commit {
                    block::check_commit_below(rows, height, &block, below);
                }
                return;
            }
        }
        self.check_commit_below(height, &meta.header, below);
    }

    fn validators(&mut self, height: u64, header: &Header<'_>) -> Option<Rc<Stored>> {
        let chain = self.chain;
        let state = chain.state.as_ref()?;
        let set = self.sets.at(state, height, self.depth == Depth::Block)?;
        self.tally.validator_sets += 1;
        // A wrong set says nothing about votes: one finding is better than one for each signature.
        self.check_validators(state, height, header, &set).then_some(set)
    }

    fn consensus_params(&mut self, height: u64, header: &Header<'_>, below: &Below) -> Option<Params> {
        let chain = self.chain;
        let state = chain.state.as_ref()?;
        let params = self.params.at(state, height, self.depth == Depth::Block)?;
        self.tally.params += 1;
        self.check_params(state, height, header, &params);
        self.check_params_follow(height, &params, below);
        Some(params)
    }

    /// Checks the commits of a height.
    fn check_votes(
        &mut self,
        height: u64,
        meta: &BlockMeta<'_>,
        set: Option<&Stored>,
        params: Option<&Params>,
    ) -> Voted {
        let chain = self.chain;
        let rows = &chain.blocks;
        let is_block = self.depth == Depth::Block;
        let keys = (BlockKey::Commit { height }, BlockKey::SeenCommit { height }, BlockKey::ExtendedCommit { height });
        let has_commit = is_block && height < self.chain.stored.tip;
        let commit = if has_commit { rows.require(&keys.0) } else { rows.fetch(&keys.0).row() };
        let seen = if is_block { rows.require(&keys.1) } else { None };
        let has_extended = is_block && params.is_some_and(|params| params.extensions_at(height));
        let extended = match has_extended {
            true => rows.require(&keys.2),
            false if self.chain.has_extended => rows.fetch(&keys.2).row(),
            false => None,
        };
        let read = [&commit, &seen, &extended].into_iter().flatten().map(|value| value.len() as u64);
        self.read_bytes += read.sum::<u64>();
        let records = Records {
            commit: commit.as_deref().and_then(|value| rows.decode::<Commit<'_>>(&keys.0, value)),
            seen: seen.as_deref().and_then(|value| rows.decode::<Commit<'_>>(&keys.1, value)),
            extended: extended.as_deref().and_then(|value| rows.decode::<ExtendedCommit<'_>>(&keys.2, value)),
        };
        // A block id that is none was reported with the meta; without validators nothing can be said.
        if let (Some(block), Some(set)) = (meta.block_id.to_proof(), set) {
            match &set.signers {
                Ok(signers) => self.votes.take(rows, height, &block, signers, &records, &mut self.tally),
                Err(error) => {
                    self.tally.unchecked_commits += 1;
                    self.tally.unchecked_reason.get_or_insert_with(|| error.to_string());
                }
            }
        }
        let rounds = [&records.commit, &records.seen].into_iter().flatten().map(|commit| commit.round);
        let round = rounds.max().and_then(|round| u64::try_from(round).ok()).unwrap_or(0);
        drop(records);
        Voted { commit, round }
    }

    /// The results of a height, and whether there is a record of them.
    fn results(&mut self, height: u64) -> (Option<Outcome>, bool) {
        let Some(state) = &self.chain.state else { return (None, false) };
        let key = StateKey::AbciResponses { height };
        match state.fetch(&key) {
            Fetched::Row(value) => {
                self.read_bytes += value.len() as u64;
                let results = state.decoded(&key, Results::decode(&value));
                let outcome = |results: Results<'_>| Outcome {
                    hash: results.hash(),
                    app_hash: results.app_hash.map(<[u8]>::to_vec),
                    changes: changes(&results.validator_updates),
                    params: results.consensus_param_updates.as_ref().map(Content::of),
                };
                (results.map(outcome), true)
            }
            Fetched::Absent => (None, false),
            Fetched::Failed => (None, true),
        }
    }
}

/// The times that a commit gives the block above, by either rule.
fn times(commit: &[u8], set: &Stored) -> Option<[Option<Timestamp>; 2]> {
    let (commit, set) = (Commit::decode(commit).ok()?, set.decode().ok()?);
    Some([TimeRule::AllVotes, TimeRule::VotesForBlock].map(|rule| median_time(&commit, &set, rule)))
}
