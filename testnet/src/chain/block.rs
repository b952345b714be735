//! A whole block.

use ledger_formats::comet::wire::{put_bytes, put_message, put_varint};
use ledger_formats::comet::{self, Decode, DecodeError};
use proofs::merkle::{EMPTY_ROOT, Hash, leaf_hash, root_of_hashes};
use sha2::{Digest, Sha256};

use super::commit::Commit;
use super::header::Header;

/// A block: header, transactions and the last commit. Evidence there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The transactions.
    pub txs: Vec<Vec<u8>>,
    /// Votes on the block before; `None` in the first block.
    pub last_commit: Option<Commit>,
}

/// Why bytes are not a block of this chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// They are no block at all.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A field has a form that blocks of this chain never have.
    #[error("{field} is not as blocks of a testnet have it")]
    Form {
        /// The field.
        field: &'static str,
    },
    /// The same block has other bytes.
    #[error("the block is not in its one encoding")]
    Encoding,
}

impl Block {
    /// The block as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1_024);
        put_message(&mut out, 1, |out| self.header.put(out));
        put_message(&mut out, 2, |out| self.txs.iter().for_each(|tx| put_repeated(out, tx)));
        put_message(&mut out, 3, |_| ());
        put_message(&mut out, 4, |out| Commit::put(self.last_commit.as_ref(), out));
        out
    }

    /// Takes up bytes that are the one encoding of a block.
    ///
    /// # Errors
    /// [`BlockError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, BlockError> {
        let block = comet::Block::decode(bytes)?;
        if !block.evidence.is_empty() {
            return Err(BlockError::Form { field: "evidence" });
        }
        let own = Self {
            header: Header::from_borrowed(&block.header).ok_or(BlockError::Form { field: "header" })?,
            txs: block.txs.iter().map(|tx| tx.to_vec()).collect(),
            last_commit: Commit::from_borrowed(&block.last_commit)
                .map_err(|_| BlockError::Form { field: "last_commit" })?,
        };
        if own.encode() == bytes { Ok(own) } else { Err(BlockError::Encoding) }
    }

    /// The data hash.
    #[must_use]
    pub fn data_hash(&self) -> Hash {
        let mut leaves: Vec<Hash> = self.txs.iter().map(|tx| leaf_hash(&Sha256::digest(tx))).collect();
        root_of_hashes(&mut leaves)
    }

    /// The last-commit hash.
    #[must_use]
    pub fn last_commit_hash(&self) -> Hash {
        self.last_commit.as_ref().map_or(EMPTY_ROOT, Commit::hash)
    }
}

/// An entry of `Data.txs`, written even when empty.
fn put_repeated(out: &mut Vec<u8>, tx: &[u8]) {
    if tx.is_empty() {
        put_varint(out, 1 << 3 | 2);
        put_varint(out, 0);
    } else {
        put_bytes(out, 1, tx);
    }
}
