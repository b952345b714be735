//! The bytes that a validator signs for a precommit: CometBFT's canonical vote.
//!
//! ```text
//! varint length ‖
//!   08 02                       type: precommit
//!   11 ‖ height i64le           absent when 0
//!   19 ‖ round i64le            absent when 0
//!   22 ‖ length ‖ block id      absent for a vote for nil
//!        0a 20 ‖ block hash     12 ‖ length ‖ ( 08 ‖ varint part count   12 20 ‖ part-set hash )
//!   2a ‖ length ‖ timestamp     always there
//!        08 ‖ varint seconds    10 ‖ varint nanoseconds       each absent when 0
//!   32 ‖ length ‖ chain id      absent when empty
//! ```
//! Source: CometBFT `types/vote.go` (`VoteSignBytes`), `types/canonical.go`, `canonical.proto`; the same in
//! every release from 0.34. Within a commit only the timestamp differs from one signature to the next.

use crate::encoding::proto::{put_bytes, put_key_and_length, put_varint, put_varint_field, varint_field_length};
use crate::merkle::Hash;

/// What identifies a block: its header's hash, and the parts it was sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockId {
    /// Hash of the header.
    pub hash: Hash,
    /// Number of parts.
    pub part_count: u32,
    /// Root over the parts.
    pub part_set_hash: Hash,
}

/// A point in time as the chain writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since 1970, negative before.
    pub seconds: i64,
    /// Nanoseconds after the second.
    pub nanos: i32,
}

/// The parts of the signed bytes that are the same for all signatures of one commit.
///
/// One template serves many commits: [`VoteTemplate::set`] takes the next one without allocating.
#[derive(Clone, Debug)]
pub struct VoteTemplate {
    /// Type, height and round.
    head: Vec<u8>,
    /// The block id's field.
    block: Vec<u8>,
    /// The chain id's field.
    tail: Vec<u8>,
    /// The bytes made last.
    message: Vec<u8>,
}

impl std::fmt::Display for BlockId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (hash, parts) = (hex::encode(self.hash), hex::encode(self.part_set_hash));
        write!(formatter, "{hash} ({count} parts, {parts})", count = self.part_count)
    }
}

impl VoteTemplate {
    /// A template for precommits of `chain_id`, for height 0 until [`VoteTemplate::set`].
    #[must_use]
    pub fn new(chain_id: &str) -> Self {
        let mut tail = Vec::with_capacity(chain_id.len() + 11);
        put_bytes(&mut tail, 0x32, chain_id.as_bytes());
        Self { head: vec![0x08, 0x02], block: Vec::new(), tail, message: Vec::new() }
    }

    /// Takes the height, round and block of a commit.
    pub fn set(&mut self, height: i64, round: i32, block: &BlockId) {
        self.head.truncate(2);
        put_fixed(&mut self.head, 0x11, height);
        put_fixed(&mut self.head, 0x19, i64::from(round));
        self.block.clear();
        let parts_length = 34 + varint_field_length(block.part_count.into());
        put_key_and_length(&mut self.block, 0x22, 34 + 2 + parts_length);
        put_bytes(&mut self.block, 0x0a, &block.hash);
        put_key_and_length(&mut self.block, 0x12, parts_length);
        put_varint_field(&mut self.block, 0x08, block.part_count.into());
        put_bytes(&mut self.block, 0x12, &block.part_set_hash);
    }

    /// What a validator who saw the block signed at `time`.
    pub fn for_block(&mut self, time: Timestamp) -> &[u8] {
        self.write(time, true)
    }

    /// What a validator who voted for nil signed at `time`.
    pub fn for_nil(&mut self, time: Timestamp) -> &[u8] {
        self.write(time, false)
    }

    fn write(&mut self, time: Timestamp, with_block: bool) -> &[u8] {
        let block = if with_block { self.block.as_slice() } else { &[] };
        // Protobuf writes negative numbers as 64-bit two's complement, ten bytes long.
        let (seconds, nanos) = (time.seconds.cast_unsigned(), i64::from(time.nanos).cast_unsigned());
        let time_length = varint_field_length(seconds) + varint_field_length(nanos);
        let message = &mut self.message;
        message.clear();
        put_varint(message, (self.head.len() + block.len() + 2 + time_length + self.tail.len()) as u64);
        message.extend_from_slice(&self.head);
        message.extend_from_slice(block);
        put_key_and_length(message, 0x2a, time_length);
        put_varint_field(message, 0x08, seconds);
        put_varint_field(message, 0x10, nanos);
        message.extend_from_slice(&self.tail);
        message
    }
}

fn put_fixed(target: &mut Vec<u8>, key: u8, value: i64) {
    if value != 0 {
        target.push(key);
        target.extend_from_slice(&value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The zero time of Go, 0001-01-01.
    const ZERO_TIME: Timestamp = Timestamp { seconds: -62_135_596_800, nanos: 0 };

    const BLOCK: BlockId = BlockId { hash: [0xaa; 32], part_count: 300, part_set_hash: [0xbb; 32] };

    #[test]
    fn a_precommit_equals_the_vector_of_cometbft() {
        // types/vote_test.go, TestVoteSignBytesTestVectors, second case: height 1, round 1, no chain id.
        let mut template = VoteTemplate::new("");
        template.set(1, 1, &BLOCK);
        assert_eq!(
            hex::encode(template.for_nil(ZERO_TIME)),
            "2108021101000000000000001901000000000000002a0b088092b8c398feffffff01"
        );
    }

    #[test]
    fn a_vote_for_a_block_is_spelled_field_by_field() {
        let mut template = VoteTemplate::new("test_chain_id");
        template.set(7, 0, &BLOCK);
        let time = Timestamp { seconds: 1_700_000_000, nanos: 5 };
        let expected = [
            "6f080211070000000000000022490a20",
            &"aa".repeat(32),
            "122508ac021220",
            &"bb".repeat(32),
            "2a080880e2cfaa061005",
            "320d746573745f636861696e5f6964",
        ];
        assert_eq!(hex::encode(template.for_block(time)), expected.concat());
    }

    #[test]
    fn a_template_taken_for_the_next_commit_keeps_nothing_of_the_last() {
        let mut used = VoteTemplate::new("chain");
        used.set(1 << 40, 9, &BLOCK);
        used.set(2, 0, &BlockId { part_count: 1, ..BLOCK });
        let mut fresh = VoteTemplate::new("chain");
        fresh.set(2, 0, &BlockId { part_count: 1, ..BLOCK });
        assert_eq!(used.for_block(ZERO_TIME), fresh.for_block(ZERO_TIME));
    }
}
