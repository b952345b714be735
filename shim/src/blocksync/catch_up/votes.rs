//! The precommits of a height, taken out of the commit that proves its block.
//!
//! A commit keeps of each vote what is not the same in all (CometBFT `types/block.go`, `Commit.GetVote`): the vote is
//! put together again as it was signed. Where extensions were enabled a node takes no vote for the block without its
//! extension, which only the extended commit has.

use bytes::Bytes;
use prost::Message as _;
use proto::cometbft::consensus::message::Sum;
use proto::cometbft::consensus::{Message, VoteMessage};
use proto::cometbft::types::{
    Block, BlockId, BlockIdFlag, Commit, CommitSig, ExtendedCommit, ExtendedCommitSig, SignedMsgType, Vote,
};

use crate::source::OfferedBlock;

/// Why a commit gives no votes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VotesError {
    /// It cannot be read.
    #[error("{what} of height {height} cannot be read: {source}")]
    Malformed {
        /// Which record.
        what: &'static str,
        /// The height that was voted on.
        height: u64,
        /// Where reading failed.
        source: prost::DecodeError,
    },
    /// It is the commit of another height.
    #[error("a commit of height {expected} expected, one of {actual} found")]
    Height {
        /// The height that was voted on.
        expected: u64,
        /// The height in the commit.
        actual: i64,
    },
}

/// A commit of either kind.
struct Votes {
    height: i64,
    round: i32,
    block_id: Option<BlockId>,
    places: Vec<ExtendedCommitSig>,
}

/// The messages for channel 0x22 with the precommits for `block`, out of its extended commit or the block `above` it.
///
/// # Errors
/// [`VotesError`].
pub fn precommits(block: &OfferedBlock, above: &OfferedBlock) -> Result<Vec<Bytes>, VotesError> {
    let height = block.height;
    let votes = match &block.extended_commit {
        Some(extended) => {
            let malformed = |source| VotesError::Malformed { what: "the extended commit", height, source };
            let ExtendedCommit { height, round, block_id, extended_signatures } =
                ExtendedCommit::decode(extended.clone()).map_err(malformed)?;
            Votes { height, round, block_id, places: extended_signatures }
        }
        None => {
            let malformed = |source| VotesError::Malformed { what: "the commit in the block above", height, source };
            let commit = Block::decode(above.block.clone()).map_err(malformed)?.last_commit.unwrap_or_default();
            let Commit { height, round, block_id, signatures } = commit;
            Votes { height, round, block_id, places: signatures.into_iter().map(without_extension).collect() }
        }
    };
    if votes.height != height.cast_signed() {
        return Err(VotesError::Height { expected: height, actual: votes.height });
    }
    Ok(votes.messages())
}

impl Votes {
    /// One message for each vote for the block; votes for nil decide nothing.
    fn messages(self) -> Vec<Bytes> {
        let for_block = |(_, place): &(i32, ExtendedCommitSig)| place.block_id_flag == BlockIdFlag::Commit as i32;
        let message = |(validator_index, place): (i32, ExtendedCommitSig)| {
            let vote = Vote {
                r#type: SignedMsgType::Precommit as i32,
                height: self.height,
                round: self.round,
                block_id: self.block_id.clone(),
                timestamp: place.timestamp,
                validator_address: place.validator_address,
                validator_index,
                signature: place.signature,
                extension: place.extension,
                extension_signature: place.extension_signature,
            };
            Message { sum: Some(Sum::Vote(VoteMessage { vote: Some(vote) })) }.encode_to_vec().into()
        };
        (0..).zip(self.places).filter(for_block).map(message).collect()
    }
}

fn without_extension(place: CommitSig) -> ExtendedCommitSig {
    ExtendedCommitSig {
        block_id_flag: place.block_id_flag,
        validator_address: place.validator_address,
        timestamp: place.timestamp,
        signature: place.signature,
        extension: Bytes::new(),
        extension_signature: Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use proofs::commit::{PublicKey, SignatureBatch, Timestamp, VoteTemplate};

    use super::super::super::fixture::{blocks, validators};
    use super::*;

    fn vote(payload: &Bytes) -> Vote {
        match Message::decode(payload.clone()).expect("decodes").sum {
            Some(Sum::Vote(VoteMessage { vote: Some(vote) })) => vote,
            other => panic!("a vote expected: {other:?}"),
        }
    }

    #[test]
    fn the_votes_of_real_blocks_carry_their_validators_signatures() {
        // In the first two chains the votes stand in the block above, in the last one in the extended commit.
        for (chain, number) in blocks().into_iter().zip(0..) {
            let [block, above] = [&chain[1 - usize::from(number < 2)], &chain[2 - usize::from(number < 2)]];
            let messages = precommits(&block.offered(), &above.offered()).expect("votes");
            let (chain_id, keys) = validators(number);
            assert!(3 * messages.len() > 2 * keys.len(), "more than two thirds");
            let mut batch = SignatureBatch::new();
            for payload in &messages {
                let vote = vote(payload);
                assert_eq!(vote.height, block.height.cast_signed());
                let id = vote.block_id.expect("for the block");
                let parts = id.part_set_header.expect("its parts");
                let id = proofs::commit::BlockId {
                    hash: id.hash.as_ref().try_into().expect("32 bytes"),
                    part_count: parts.total,
                    part_set_hash: parts.hash.as_ref().try_into().expect("32 bytes"),
                };
                assert!(id.hash == block.hash || block.hash == [0; 32], "another block than its node names");
                let time = vote.timestamp.expect("a time");
                let mut template = VoteTemplate::new(&chain_id);
                template.set(vote.height, vote.round, &id);
                let time = Timestamp { seconds: time.seconds, nanos: time.nanos };
                let key = keys[usize::try_from(vote.validator_index).expect("a place")];
                assert_eq!(vote.validator_address, PublicKey::Ed25519(key).address()[..]);
                batch.push(PublicKey::Ed25519(key), template.for_block(time), &vote.signature, vote.validator_index);
                assert_eq!(vote.extension_signature.is_empty(), number < 2);
            }
            assert_eq!(batch.finish(), Ok(()));
        }
    }

    #[test]
    fn a_commit_of_another_height_gives_no_votes() {
        let chain = &blocks()[0];
        let refused = precommits(&chain[0].offered(), &chain[2].offered()).expect_err("refused");
        assert_eq!(refused.to_string(), "a commit of height 1 expected, one of 2 found");
        let mut cut = chain[1].offered();
        cut.block = cut.block.slice(..cut.block.len() - 1);
        assert!(matches!(precommits(&chain[0].offered(), &cut), Err(VotesError::Malformed { height: 1, .. })));
    }
}
