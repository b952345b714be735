//! The time of a block against the votes below it, by both rules that releases have.
//!
//! Releases up to 0.39, and 1.0, count every vote that is not absent, 0.40.0 only those for the block; where votes for
//! nil make a difference, each refuses the other's block ([`ledger_formats::comet::TimeRule`]). The block is the chain's
//! all the same: its validators signed it. So this only says who will refuse it.

use ledger_formats::comet::{Block, Decode, TimeRule, ValidatorsInfo, median_time};
use proofs::commit::Flag;

use super::Chain;
use super::unproven::Unproven;

impl Chain<'_> {
    /// The one rule that explains the time of the block `bytes`; `None` when both do, or neither, as with times of the
    /// proposer, or when the votes cannot tell.
    ///
    /// # Errors
    /// When the bytes, or the validators of the height below, cannot be read.
    pub fn time_rule(&self, height: u64, bytes: &[u8]) -> Result<Option<TimeRule>, Unproven> {
        let block = Block::decode(bytes).map_err(Unproven::decode(height, "block"))?;
        if block.last_commit.signatures.iter().all(|signature| signature.flag != Flag::Nil) {
            return Ok(None);
        }
        let below = block.last_commit.height;
        let mut value = self.rows.validators(below, below)?;
        let failed = Unproven::decode(below, "record of its validators");
        let info = ValidatorsInfo::decode(&value).map_err(&failed)?;
        let stored_at = info.stored_at(below);
        if stored_at != below {
            value = self.rows.validators(stored_at, below)?;
        }
        let set = ValidatorsInfo::decode(&value).map_err(&failed)?.validator_set.unwrap_or_default();
        let explains = |rule| median_time(&block.last_commit, &set, rule) == Some(block.header.time);
        Ok(match (explains(TimeRule::AllVotes), explains(TimeRule::VotesForBlock)) {
            (true, false) => Some(TimeRule::AllVotes),
            (false, true) => Some(TimeRule::VotesForBlock),
            (true, true) | (false, false) => None,
        })
    }
}
