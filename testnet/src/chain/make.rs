//! Making the next block.

use ledger_formats::comet::median_time;
use proofs::merkle::EMPTY_ROOT;

use super::block::Block;
use super::commit::Commit;
use super::genesis::Params;
use super::header::Header;
use super::keys::Address;
use super::state::{ChainState, VERSION};
use super::time::Time;

impl ChainState {
    /// The block after this state, with these transactions. `last_commit` holds the votes on the last block; it is
    /// `None` for the first block only.
    #[must_use]
    pub fn make_block(&self, txs: Vec<Vec<u8>>, last_commit: Option<Commit>, proposer: Address) -> Block {
        let mut block = Block { header: self.header(proposer), txs, last_commit };
        block.header.time = self.block_time(block.last_commit.as_ref()).unwrap_or(self.last_time);
        block.header.data_hash = block.data_hash();
        block.header.last_commit_hash = block.last_commit_hash();
        block
    }

    /// Time of the next block: that of the genesis for the first, then the weighted median of the last votes; `None`
    /// if no vote counts.
    #[must_use]
    pub fn block_time(&self, last_commit: Option<&Commit>) -> Option<Time> {
        match (last_commit, &self.last_validators) {
            (Some(commit), Some(validators)) => {
                median_time(&commit.borrowed(), &validators.borrowed(), self.rules.time).and_then(Time::from_timestamp)
            }
            _ => Some(self.last_time),
        }
    }

    /// The next header as far as the state determines it; the rest is that of an empty block.
    pub(super) fn header(&self, proposer: Address) -> Header {
        Header {
            version: VERSION,
            chain_id: self.chain_id.to_string(),
            height: self.next_height(),
            time: self.last_time,
            last_block_id: self.last_block_id,
            last_commit_hash: EMPTY_ROOT,
            data_hash: EMPTY_ROOT,
            validators_hash: self.validators.hash(),
            next_validators_hash: self.next_validators.hash(),
            consensus_hash: Params::hash(),
            app_hash: self.app_hash,
            last_results_hash: self.last_results_hash,
            evidence_hash: EMPTY_ROOT,
            proposer_address: proposer,
        }
    }
}
