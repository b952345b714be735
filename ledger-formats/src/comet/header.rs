//! The block header and its hash, which is the hash of the block.
//!
//! The hash is the root of an RFC 6962 tree over 14 leaves, one a field in the order of the fields
//! (types/block.go, `Header.Hash`): the version, the time and the last block id as messages, every other
//! field in the wrapper message `{value = 1}`, which is empty for an empty or zero value.

use proofs::commit::Timestamp;
use proofs::merkle::{Hash, leaf_hash, root_of_hashes};

use super::block_id::BlockId;
use super::error::DecodeError;
use super::timestamp::put_timestamp;
use super::wire::{Decode, Reader, put_bytes, put_uint};

/// Protocol versions of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConsensusVersion {
    /// Version of the block protocol: 11 in every release from v0.34 on.
    pub block: u64,
    /// Version of the application.
    pub app: u64,
}

/// Header of a block. Hashes are 32 bytes long or, where there is nothing to hash, empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    /// Protocol versions.
    pub version: ConsensusVersion,
    /// Name of the chain, any bytes.
    pub chain_id: &'a [u8],
    /// Height of the block.
    pub height: u64,
    /// Time of the block: genesis time, median of the last commit's times, or (with proposer-based time) the proposer's.
    pub time: Timestamp,
    /// The block before.
    pub last_block_id: BlockId<'a>,
    /// Root over the signatures of the last commit.
    pub last_commit_hash: &'a [u8],
    /// Root over the hashes of the transactions.
    pub data_hash: &'a [u8],
    /// Root over the validators of this height.
    pub validators_hash: &'a [u8],
    /// Root over the validators of the next height.
    pub next_validators_hash: &'a [u8],
    /// Hash of the consensus parameters of this height.
    pub consensus_hash: &'a [u8],
    /// What the application said after the block before; any length.
    pub app_hash: &'a [u8],
    /// Root over the results of the block before.
    pub last_results_hash: &'a [u8],
    /// Root over the evidence.
    pub evidence_hash: &'a [u8],
    /// Address of the proposer, 20 bytes.
    pub proposer_address: &'a [u8],
}

impl Header<'_> {
    /// The block hash, or `None` for a header without a validators hash, which upstream does not hash.
    #[must_use]
    pub fn hash(&self) -> Option<Hash> {
        if self.validators_hash.is_empty() {
            return None;
        }
        let mut leaf = Leaf(Vec::with_capacity(128));
        let mut leaves = [
            leaf.hash(|out| self.version.put(out)),
            leaf.value(self.chain_id),
            leaf.hash(|out| put_uint(out, 1, self.height)),
            leaf.hash(|out| put_timestamp(out, self.time)),
            leaf.hash(|out| self.last_block_id.put(out)),
            leaf.value(self.last_commit_hash),
            leaf.value(self.data_hash),
            leaf.value(self.validators_hash),
            leaf.value(self.next_validators_hash),
            leaf.value(self.consensus_hash),
            leaf.value(self.app_hash),
            leaf.value(self.last_results_hash),
            leaf.value(self.evidence_hash),
            leaf.value(self.proposer_address),
        ];
        Some(root_of_hashes(&mut leaves))
    }
}

/// Buffer in which one leaf after the other is written and hashed.
struct Leaf(Vec<u8>);

impl Leaf {
    fn hash(&mut self, put: impl FnOnce(&mut Vec<u8>)) -> Hash {
        self.0.clear();
        put(&mut self.0);
        leaf_hash(&self.0)
    }

    fn value(&mut self, bytes: &[u8]) -> Hash {
        self.hash(|out| put_bytes(out, 1, bytes))
    }
}

impl ConsensusVersion {
    fn put(self, out: &mut Vec<u8>) {
        put_uint(out, 1, self.block);
        put_uint(out, 2, self.app);
    }
}

impl<'a> Decode<'a> for ConsensusVersion {
    const NAME: &'static str = "Consensus";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut version = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => version.block = field.u64("block")?,
                2 => version.app = field.u64("app")?,
                _ => {}
            }
        }
        Ok(version)
    }
}

impl<'a> Decode<'a> for Header<'a> {
    const NAME: &'static str = "Header";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut header = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => header.version = field.message("version")?,
                2 => header.chain_id = field.bytes("chain_id")?,
                3 => header.height = field.natural("height")?,
                4 => header.time = field.message("time")?,
                5 => header.last_block_id = field.message("last_block_id")?,
                6 => header.last_commit_hash = field.bytes("last_commit_hash")?,
                7 => header.data_hash = field.bytes("data_hash")?,
                8 => header.validators_hash = field.bytes("validators_hash")?,
                9 => header.next_validators_hash = field.bytes("next_validators_hash")?,
                10 => header.consensus_hash = field.bytes("consensus_hash")?,
                11 => header.app_hash = field.bytes("app_hash")?,
                12 => header.last_results_hash = field.bytes("last_results_hash")?,
                13 => header.evidence_hash = field.bytes("evidence_hash")?,
                14 => header.proposer_address = field.bytes("proposer_address")?,
                _ => {}
            }
        }
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::comet::block_id::PartSetHeader;

    /// `TestHeaderHash` of types/block_test.go.
    #[test]
    fn the_hash_equals_the_vector_of_cometbft() {
        let hash = |text: &str| Sha256::digest(text);
        let [last_commit, data, validators, next, consensus, app, results, evidence, proposer] = [
            "last_commit_hash",
            "data_hash",
            "validators_hash",
            "next_validators_hash",
            "consensus_hash",
            "app_hash",
            "last_results_hash",
            "evidence_hash",
            "proposer_address",
        ]
        .map(hash);
        let header = Header {
            version: ConsensusVersion { block: 1, app: 2 },
            chain_id: b"chainId",
            height: 3,
            time: Timestamp { seconds: 1_570_983_284, nanos: 0 },
            last_block_id: BlockId { hash: &[0; 32], part_set_header: PartSetHeader { total: 6, hash: &[0; 32] } },
            last_commit_hash: &last_commit,
            data_hash: &data,
            validators_hash: &validators,
            next_validators_hash: &next,
            consensus_hash: &consensus,
            app_hash: &app,
            last_results_hash: &results,
            evidence_hash: &evidence,
            proposer_address: &proposer[..20],
        };
        let expected = "f740121f553b5418c3efbd343c2dbfe9e007bb67b0d020a0741374bab65242a4";
        assert_eq!(header.hash().map(hex::encode).as_deref(), Some(expected));
        assert_eq!(Header { validators_hash: &[], ..header }.hash(), None);
    }
}
