//! What the walks checked, added up over all of them.

use ledger_formats::comet::TimeRule;

use crate::verify::survey::index_sum::IndexSum;

/// Counts of a walk, or of all.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Headers whose hash was checked.
    pub headers: u64,
    /// Whole blocks.
    pub blocks: u64,
    /// Bytes of these blocks.
    pub block_bytes: u64,
    /// Parts of blocks.
    pub parts: u64,
    /// Transactions in blocks.
    pub transactions: u64,
    /// Pieces of evidence in blocks.
    pub evidence: u64,
    /// Heights whose validators were compared with the header.
    pub validator_sets: u64,
    /// Heights whose parameters were compared with the header.
    pub params: u64,
    /// Heights whose results were compared with the next header.
    pub results: u64,
    /// Heights without a record of results.
    pub without_results: u64,
    /// Commits of the heights from the blocks above.
    pub commits: u64,
    /// Commits as the node saw them.
    pub seen_commits: u64,
    /// Commits with vote extensions.
    pub extended_commits: u64,
    /// Commits whose signatures are of a kind that cannot be checked.
    pub unchecked_commits: u64,
    /// Why they cannot be checked.
    pub unchecked_reason: Option<String>,
    /// Signatures checked.
    pub signatures: u64,
    /// Signatures that were there a second time.
    pub deduplicated: u64,
    /// Block times compared with the median of the votes.
    pub times: u64,
    /// Block times that only one of the two rules explains.
    pub all_votes_only: Divergence,
    /// Block times that only the other rule explains.
    pub block_votes_only: Divergence,
    /// Pairs of hash and height of the blocks.
    pub index: IndexSum,
}

/// Heights at which the two rules of block time differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Divergence {
    /// How many.
    pub count: u64,
    /// The first.
    pub first: Option<u64>,
}

impl Divergence {
    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.first = match (self.first, other.first) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
    }
}

impl Tally {
    /// Notes that only `rule` explains the time of a block.
    pub(super) fn only_by(&mut self, rule: TimeRule, height: u64) {
        let divergence = match rule {
            TimeRule::AllVotes => &mut self.all_votes_only,
            TimeRule::VotesForBlock => &mut self.block_votes_only,
        };
        divergence.merge(Divergence { count: 1, first: Some(height) });
    }

    /// Adds the counts of another walk.
    pub(super) fn merge(mut self, other: Self) -> Self {
        self.headers += other.headers;
        self.blocks += other.blocks;
        self.block_bytes += other.block_bytes;
        self.parts += other.parts;
        self.transactions += other.transactions;
        self.evidence += other.evidence;
        self.validator_sets += other.validator_sets;
        self.params += other.params;
        self.results += other.results;
        self.without_results += other.without_results;
        self.commits += other.commits;
        self.seen_commits += other.seen_commits;
        self.extended_commits += other.extended_commits;
        self.unchecked_commits += other.unchecked_commits;
        self.unchecked_reason = self.unchecked_reason.or(other.unchecked_reason);
        self.signatures += other.signatures;
        self.deduplicated += other.deduplicated;
        self.times += other.times;
        self.all_votes_only.merge(other.all_votes_only);
        self.block_votes_only.merge(other.block_votes_only);
        self.index.merge(&other.index);
        self
    }
}
