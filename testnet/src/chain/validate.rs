//! Judging the next block, as `validateBlock` of CometBFT does (state/validation.go of v0.38).

use super::block::Block;
use super::commit::CommitFault;
use super::genesis::Params;
use super::header::Header;
use super::keys::Address;
use super::state::ChainState;
use super::time::Time;

/// Why a block is not the next one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockFault {
    /// A field of the header is not what the state determines, or not the hash of what the block holds.
    #[error("block {height} has another {field} than expected")]
    Header {
        /// Height in the header.
        height: u64,
        /// The field.
        field: &'static str,
    },
    /// The proposer is not a validator.
    #[error("block {height} is proposed by {proposer}, who is no validator")]
    Proposer {
        /// Height of the block.
        height: u64,
        /// Who it says.
        proposer: Address,
    },
    /// The first block has a last commit, or another has none.
    #[error("block {height} has a last commit where none belongs, or none")]
    LastCommit {
        /// Height of the block.
        height: u64,
    },
    /// The last commit does not prove the last block.
    #[error("last commit of block {height}: {fault}")]
    Commit {
        /// Height of the block.
        height: u64,
        /// Why not.
        fault: CommitFault,
    },
    /// The time is not the median of the votes, or not after the last block's.
    #[error("block {height} of time {actual}, expected {expected} and later than the last block")]
    Time {
        /// Height of the block.
        height: u64,
        /// The median.
        expected: Time,
        /// The header's.
        actual: Time,
    },
    /// Too many bytes.
    #[error("block {height} has {bytes} bytes")]
    Size {
        /// Height of the block.
        height: u64,
        /// Its bytes.
        bytes: usize,
    },
}

impl ChainState {
    /// Checks that a block of `bytes` bytes may follow this state.
    ///
    /// # Errors
    /// [`BlockFault`].
    pub fn validate(&self, block: &Block, bytes: usize) -> Result<(), BlockFault> {
        let header = &block.header;
        let height = header.height;
        if i64::try_from(bytes).is_ok_and(|bytes| bytes > Params::BLOCK_BYTES_MAX) {
            return Err(BlockFault::Size { height, bytes });
        }
        self.validate_header(block)?;
        if self.validators.by_address(&header.proposer_address).is_none() {
            return Err(BlockFault::Proposer { height, proposer: header.proposer_address });
        }
        self.validate_last_commit(block)?;
        let expected = self.block_time(block.last_commit.as_ref()).unwrap_or(self.last_time);
        let is_first = self.last_height == 0;
        if header.time != expected || !is_first && header.time <= self.last_time {
            return Err(BlockFault::Time { height, expected, actual: header.time });
        }
        Ok(())
    }

    fn validate_header(&self, block: &Block) -> Result<(), BlockFault> {
        let actual = &block.header;
        let expected = Header {
            time: actual.time,
            data_hash: block.data_hash(),
            last_commit_hash: block.last_commit_hash(),
            ..self.header(actual.proposer_address)
        };
        let fields = [
            ("height", actual.height == expected.height),
            ("version", actual.version == expected.version),
            ("chain id", actual.chain_id == expected.chain_id),
            ("last block id", actual.last_block_id == expected.last_block_id),
            ("last commit hash", actual.last_commit_hash == expected.last_commit_hash),
            ("data hash", actual.data_hash == expected.data_hash),
            ("validators hash", actual.validators_hash == expected.validators_hash),
            ("next validators hash", actual.next_validators_hash == expected.next_validators_hash),
            ("consensus hash", actual.consensus_hash == expected.consensus_hash),
            ("app hash", actual.app_hash == expected.app_hash),
            ("last results hash", actual.last_results_hash == expected.last_results_hash),
            ("evidence hash", actual.evidence_hash == expected.evidence_hash),
        ];
        match fields.iter().find(|(_, equal)| !equal) {
            Some((field, _)) => Err(BlockFault::Header { height: actual.height, field }),
            None => Ok(()),
        }
    }

    fn validate_last_commit(&self, block: &Block) -> Result<(), BlockFault> {
        let height = block.header.height;
        match (&block.last_commit, &self.last_validators, &self.last_block_id) {
            (None, None, None) => Ok(()),
            (Some(commit), Some(validators), Some(id)) => commit
                .verify(&self.chain_id, self.last_height, id, validators, self.rules.quorum, self.rules.crypto)
                .map_err(|fault| BlockFault::Commit { height, fault }),
            _ => Err(BlockFault::LastCommit { height }),
        }
    }
}
