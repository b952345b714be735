//! The bytes that validators sign: CometBFT's canonical vote and canonical proposal.
//!
//! ```text
//! varint length ‖ CanonicalVote     {type 1, height 2 fixed, round 3 fixed, block_id 4, timestamp 5, chain_id 6}
//! varint length ‖ CanonicalProposal {type 1 = 32, height 2 fixed, round 3 fixed, pol_round 4, block_id 5, timestamp 6, chain_id 7}
//! ```
//! Zero fields are left out, the block id of a vote for nil too; the timestamp never is. Source: types/canonical.go.

use ledger_formats::comet::put_timestamp;
use ledger_formats::comet::wire::{put_bytes, put_fixed64, put_int, put_message, put_uint, put_varint};

use super::block_id::BlockId;
use super::time::Time;

/// Which vote of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VoteKind {
    /// The first.
    Prevote,
    /// The second: for a block, it counts towards its commit.
    Precommit,
}

impl VoteKind {
    /// Its number in `SignedMsgType`.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Prevote => 1,
            Self::Precommit => 2,
        }
    }
}

/// What is signed in a vote for `block`, or for nil.
#[must_use]
pub fn vote_sign_bytes(
    chain_id: &str,
    kind: VoteKind,
    height: u64,
    round: u32,
    block: Option<&BlockId>,
    time: Time,
) -> Vec<u8> {
    delimited(|out| {
        put_uint(out, 1, kind.number());
        put_fixed64(out, 2, height);
        put_fixed64(out, 3, round.into());
        if let Some(block) = block {
            put_message(out, 4, |out| block.borrowed().put(out));
        }
        put_message(out, 5, |out| put_timestamp(out, time.timestamp()));
        put_bytes(out, 6, chain_id.as_bytes());
    })
}

/// What is signed in a proposal of `block`; `pol_round` is that of the polka it rests on, or -1.
#[must_use]
pub fn proposal_sign_bytes(
    chain_id: &str,
    height: u64,
    round: u32,
    pol_round: i64,
    block: &BlockId,
    time: Time,
) -> Vec<u8> {
    delimited(|out| {
        put_uint(out, 1, 32);
        put_fixed64(out, 2, height);
        put_fixed64(out, 3, round.into());
        put_int(out, 4, pol_round);
        put_message(out, 5, |out| block.borrowed().put(out));
        put_message(out, 6, |out| put_timestamp(out, time.timestamp()));
        put_bytes(out, 7, chain_id.as_bytes());
    })
}

fn delimited(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut message = Vec::with_capacity(192);
    write(&mut message);
    let mut out = Vec::with_capacity(message.len() + 2);
    put_varint(&mut out, message.len() as u64);
    out.extend_from_slice(&message);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proofs::commit::VoteTemplate;

    #[test]
    fn a_precommit_is_what_the_checker_of_commits_makes() {
        let block = BlockId { hash: [1; 32], part_count: 2, part_set_hash: [3; 32] };
        for (height, round, nanos) in [(1, 0, 0), (77, 3, 1_700_000_000_123_456_789)] {
            let mut template = VoteTemplate::new("chain");
            template.set(i64::try_from(height).expect("small"), i32::try_from(round).expect("small"), &block.into());
            let time = Time(nanos);
            let vote = |block| vote_sign_bytes("chain", VoteKind::Precommit, height, round, block, time);
            assert_eq!(vote(Some(&block)), template.for_block(time.timestamp()));
            assert_eq!(vote(None), template.for_nil(time.timestamp()));
        }
    }

    /// The first is of `TestVoteSignBytesTestVectors` in types/ but for the time; the second is spelled out by canonical.proto.
    #[test]
    fn votes_and_proposals_are_the_vectors_of_cometbft() {
        let go_zero = Time::from_timestamp(ledger_formats::comet::GO_ZERO_TIME);
        assert_eq!(go_zero, None, "Go's zero time is no time that a validator signs");
        let prevote = vote_sign_bytes("", VoteKind::Prevote, 1, 1, None, Time(0));
        assert_eq!(hex::encode(prevote), "1608011101000000000000001901000000000000002a00");
        let block = BlockId { hash: [7; 32], part_count: 111, part_set_hash: [8; 32] };
        let proposal = proposal_sign_bytes("chain", 12_345, 5, -1, &block, Time(1));
        let expected = [
            "74 0820 113930000000000000 190500000000000000 20ffffffffffffffffff01 2a48 0a20",
            &"07".repeat(32),
            "1224 086f 1220",
            &"08".repeat(32),
            "3202 1001 3a05 636861696e",
        ];
        assert_eq!(hex::encode(proposal), expected.concat().replace(' ', ""));
    }
}
