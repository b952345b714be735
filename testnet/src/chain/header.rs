//! The header of a block, whose hash is the hash of the block.

use ledger_formats::comet::wire::{put_bytes, put_message, put_uint};
use ledger_formats::comet::{self, ConsensusVersion, put_timestamp};
use proofs::merkle::Hash;

use super::block_id::BlockId;
use super::keys::Address;
use super::time::Time;

/// Header of a block. All hashes have 32 bytes here, the application's too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Protocol versions.
    pub version: ConsensusVersion,
    /// Name of the chain.
    pub chain_id: String,
    /// Height of the block.
    pub height: u64,
    /// Time of the block.
    pub time: Time,
    /// The block before; `None` in the first block.
    pub last_block_id: Option<BlockId>,
    /// Root over the signatures of the last commit.
    pub last_commit_hash: Hash,
    /// Root over the hashes of the transactions.
    pub data_hash: Hash,
    /// Root over the validators of this height.
    pub validators_hash: Hash,
    /// Root over the validators of the next height.
    pub next_validators_hash: Hash,
    /// Hash of the consensus parameters.
    pub consensus_hash: Hash,
    /// What the application said after the block before.
    pub app_hash: Hash,
    /// Root over the results of the block before.
    pub last_results_hash: Hash,
    /// Root over the evidence.
    pub evidence_hash: Hash,
    /// Who proposed the block.
    pub proposer_address: Address,
}

impl Header {
    /// The hash of the header, which is that of its block.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.borrowed().hash().expect("a header has a validators hash")
    }

    /// Appends the fields of the message.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_message(out, 1, |out| {
            put_uint(out, 1, self.version.block);
            put_uint(out, 2, self.version.app);
        });
        put_bytes(out, 2, self.chain_id.as_bytes());
        put_uint(out, 3, self.height);
        put_message(out, 4, |out| put_timestamp(out, self.time.timestamp()));
        put_message(out, 5, |out| self.last_block().put(out));
        let hashes = [
            (6, &self.last_commit_hash),
            (7, &self.data_hash),
            (8, &self.validators_hash),
            (9, &self.next_validators_hash),
            (10, &self.consensus_hash),
            (11, &self.app_hash),
            (12, &self.last_results_hash),
            (13, &self.evidence_hash),
        ];
        for (number, hash) in hashes {
            put_bytes(out, number, hash);
        }
        put_bytes(out, 14, &self.proposer_address.0);
    }

    fn last_block(&self) -> comet::BlockId<'_> {
        self.last_block_id.as_ref().map(BlockId::borrowed).unwrap_or_default()
    }

    fn borrowed(&self) -> comet::Header<'_> {
        comet::Header {
            version: self.version,
            chain_id: self.chain_id.as_bytes(),
            height: self.height,
            time: self.time.timestamp(),
            last_block_id: self.last_block(),
            last_commit_hash: &self.last_commit_hash,
            data_hash: &self.data_hash,
            validators_hash: &self.validators_hash,
            next_validators_hash: &self.next_validators_hash,
            consensus_hash: &self.consensus_hash,
            app_hash: &self.app_hash,
            last_results_hash: &self.last_results_hash,
            evidence_hash: &self.evidence_hash,
            proposer_address: &self.proposer_address.0,
        }
    }

    /// Takes up a decoded header; `None` if a field is not of the form that this chain's headers have.
    #[must_use]
    pub fn from_borrowed(header: &comet::Header<'_>) -> Option<Self> {
        let hash = |bytes: &[u8]| Hash::try_from(bytes).ok();
        Some(Self {
            version: header.version,
            chain_id: String::from_utf8(header.chain_id.to_vec()).ok()?,
            height: header.height,
            time: Time::from_timestamp(header.time)?,
            last_block_id: BlockId::from_borrowed(&header.last_block_id).ok()?,
            last_commit_hash: hash(header.last_commit_hash)?,
            data_hash: hash(header.data_hash)?,
            validators_hash: hash(header.validators_hash)?,
            next_validators_hash: hash(header.next_validators_hash)?,
            consensus_hash: hash(header.consensus_hash)?,
            app_hash: hash(header.app_hash)?,
            last_results_hash: hash(header.last_results_hash)?,
            evidence_hash: hash(header.evidence_hash)?,
            proposer_address: Address(header.proposer_address.try_into().ok()?),
        })
    }
}
