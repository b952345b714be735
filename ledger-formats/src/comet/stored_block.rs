//! The rows under which a block store keeps one block, made from the bytes of the block.
//!
//! They are those that a node writes when it saves the block (store/store.go, `SaveBlock`), but for the seen commit,
//! which is what that node saw and cannot be derived. Nothing here says that the block is the chain's: that
//! is for the caller to prove, by the hash and the part set that the rows are made of.

use proofs::merkle::{Hash, MemoryTree, inclusion_path, leaf_hash};

use super::block::Block;
use super::block_id::{BlockId, PartSetHeader};
use super::error::DecodeError;
use super::key::BlockKey;
use super::part::PART_BYTES;
use super::wire::{Decode, put_bytes, put_message, put_uint};

/// Why bytes cannot be stored as a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredBlockError {
    /// They are not a block.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Its header names no validators, so that it has no hash.
    #[error("the header names no validators and has no hash")]
    NoHash,
    /// It is the block of no height.
    #[error("the header is of height 0")]
    NoHeight,
    /// It has more parts than a part's number can say.
    #[error("a block of {bytes} bytes has too many parts")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

/// A block and the name that its bytes give it.
#[derive(Clone, Debug)]
pub struct StoredBlock<'a> {
    /// The bytes: the parts put together.
    pub bytes: &'a [u8],
    /// The block.
    pub block: Block<'a>,
    /// Hash of its header.
    pub hash: Hash,
    /// Root over its parts.
    pub part_set_hash: Hash,
    parts: MemoryTree,
}

impl<'a> StoredBlock<'a> {
    /// Reads a block and computes its name.
    ///
    /// # Errors
    /// When the bytes are not a block that a store can hold.
    pub fn new(bytes: &'a [u8]) -> Result<Self, StoredBlockError> {
        let block = Block::decode(bytes)?;
        let hash = block.header.hash().ok_or(StoredBlockError::NoHash)?;
        if block.header.height == 0 {
            return Err(StoredBlockError::NoHeight);
        }
        if u32::try_from(bytes.len().div_ceil(PART_BYTES)).is_err() {
            return Err(StoredBlockError::TooLarge { bytes: bytes.len() });
        }
        let parts: MemoryTree = bytes.chunks(PART_BYTES).map(leaf_hash).collect();
        Ok(Self { bytes, block, hash, part_set_hash: parts.root(), parts })
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.block.header.height
    }

    /// Its name, as commits and the next header have it.
    #[must_use]
    pub fn id(&self) -> BlockId<'_> {
        let total = u32::try_from(self.parts.size()).expect("new() counted the parts");
        BlockId { hash: &self.hash, part_set_header: PartSetHeader { total, hash: &self.part_set_hash } }
    }

    /// Its rows: meta, parts, the hash's height, and its last commit under the height below.
    #[must_use]
    pub fn rows(&self) -> Vec<(BlockKey, Vec<u8>)> {
        let height = self.height();
        let mut rows = Vec::new();
        rows.push((BlockKey::Meta { height }, self.meta()));
        rows.push((BlockKey::ByHash { hash: self.hash }, height.to_string().into_bytes()));
        rows.push((BlockKey::Commit { height: height - 1 }, self.block.last_commit_bytes.to_vec()));
        for (part, bytes) in (0_u32..).zip(self.bytes.chunks(PART_BYTES)) {
            rows.push((BlockKey::Part { height, part }, self.part(part, bytes)));
        }
        rows
    }

    fn meta(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.block.header_bytes.len() + 96);
        put_message(&mut out, 1, |out| self.id().put(out));
        put_uint(&mut out, 2, self.bytes.len() as u64);
        put_message(&mut out, 3, |out| out.extend_from_slice(self.block.header_bytes));
        put_uint(&mut out, 4, self.block.txs.len() as u64);
        out
    }

    fn part(&self, part: u32, bytes: &[u8]) -> Vec<u8> {
        let Ok(aunts) = inclusion_path(part.into(), self.parts.size(), &self.parts);
        let mut out = Vec::with_capacity(bytes.len() + 64 + 34 * aunts.len());
        put_uint(&mut out, 1, part.into());
        put_bytes(&mut out, 2, bytes);
        put_message(&mut out, 3, |out| {
            put_uint(out, 1, self.parts.size());
            put_uint(out, 2, part.into());
            put_bytes(out, 3, &leaf_hash(bytes));
            for aunt in &aunts {
                put_bytes(out, 4, aunt);
            }
        });
        out
    }
}
