//! The hash of a header, which is the hash of its block.
//!
//! The root over fourteen leaves, each the protobuf encoding of one field: version and last block id as their
//! messages, the time as `Timestamp`, all else as `StringValue`, `Int64Value` or `BytesValue`, which is empty for
//! an empty value. Source: CometBFT `types/block.go` (`Header.Hash`), `types/encoding_helper.go`; the same in
//! every release from 0.34.

use crate::commit::{BlockId, Timestamp};
use crate::encoding::proto::{put_bytes, put_key_and_length, put_varint_field, varint_field_length};
use crate::merkle::{Hash, leaf_hash, root_of_hashes};

/// A header. Hashes are 32 bytes or, where there was nothing to hash, empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Version of the block protocol.
    pub block_version: u64,
    /// Version of the application.
    pub app_version: u64,
    /// Name of the chain.
    pub chain_id: String,
    /// Height of the block.
    pub height: u64,
    /// Time of the block.
    pub time: Timestamp,
    /// The block below; `None` for the first one.
    pub last_block: Option<BlockId>,
    /// Root over the signatures of the commit for the block below.
    pub last_commit_hash: Vec<u8>,
    /// Root over the transactions.
    pub data_hash: Vec<u8>,
    /// Root over the validators of this height.
    pub validators_hash: Vec<u8>,
    /// Root over the validators of the next height.
    pub next_validators_hash: Vec<u8>,
    /// Hash of the consensus parameters.
    pub consensus_hash: Vec<u8>,
    /// What the application said after the block below; any length.
    pub app_hash: Vec<u8>,
    /// Root over the results of the block below.
    pub last_results_hash: Vec<u8>,
    /// Root over the evidence.
    pub evidence_hash: Vec<u8>,
    /// Address of the proposer.
    pub proposer_address: Vec<u8>,
}

impl Header {
    /// The hash.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut field = Vec::with_capacity(128);
        let mut hash = |write: &dyn Fn(&mut Vec<u8>)| {
            field.clear();
            write(&mut field);
            leaf_hash(&field)
        };
        let bytes = |value: &[u8], out: &mut Vec<u8>| put_bytes(out, 0x0a, value);
        let mut leaves = [
            hash(&|out| {
                put_varint_field(out, 0x08, self.block_version);
                put_varint_field(out, 0x10, self.app_version);
            }),
            hash(&|out| bytes(self.chain_id.as_bytes(), out)),
            hash(&|out| put_varint_field(out, 0x08, self.height)),
            hash(&|out| put_time(out, self.time)),
            hash(&|out| put_block_id(out, self.last_block.as_ref())),
            hash(&|out| bytes(&self.last_commit_hash, out)),
            hash(&|out| bytes(&self.data_hash, out)),
            hash(&|out| bytes(&self.validators_hash, out)),
            hash(&|out| bytes(&self.next_validators_hash, out)),
            hash(&|out| bytes(&self.consensus_hash, out)),
            hash(&|out| bytes(&self.app_hash, out)),
            hash(&|out| bytes(&self.last_results_hash, out)),
            hash(&|out| bytes(&self.evidence_hash, out)),
            hash(&|out| bytes(&self.proposer_address, out)),
        ];
        root_of_hashes(&mut leaves)
    }
}

fn put_time(out: &mut Vec<u8>, time: Timestamp) {
    put_varint_field(out, 0x08, time.seconds.cast_unsigned());
    put_varint_field(out, 0x10, i64::from(time.nanos).cast_unsigned());
}

/// The part-set header is written even when it is empty.
fn put_block_id(out: &mut Vec<u8>, block: Option<&BlockId>) {
    let Some(block) = block else { return put_key_and_length(out, 0x12, 0) };
    put_bytes(out, 0x0a, &block.hash);
    put_key_and_length(out, 0x12, varint_field_length(block.part_count.into()) + 34);
    put_varint_field(out, 0x08, block.part_count.into());
    put_bytes(out, 0x12, &block.part_set_hash);
}
