//! A whole block, borrowed from the bytes of its parts put together.

use proofs::merkle::{Hash, leaf_hash, root_of_hashes};
use sha2::{Digest, Sha256};

use super::commit::Commit;
use super::error::DecodeError;
use super::evidence::{self, Evidence};
use super::header::Header;
use super::wire::{Decode, Reader};

/// A block: `Block` of CometBFT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// The header.
    pub header: Header<'a>,
    /// The same as it stands in the block: equal to the header in the block's meta.
    pub header_bytes: &'a [u8],
    /// The transactions.
    pub txs: Vec<&'a [u8]>,
    /// The evidence.
    pub evidence: Vec<Evidence<'a>>,
    /// Votes on the block before; empty in the first block.
    pub last_commit: Commit<'a>,
    /// The same as it stands in the block: equal to the value of `C:<height - 1>`.
    pub last_commit_bytes: &'a [u8],
}

impl Block<'_> {
    /// The data hash: root over the SHA-256 hashes of the transactions.
    #[must_use]
    pub fn data_hash(&self) -> Hash {
        let mut leaves: Vec<Hash> = self.txs.iter().map(|tx| leaf_hash(&Sha256::digest(tx))).collect();
        root_of_hashes(&mut leaves)
    }

    /// The evidence hash: root over the pieces of evidence.
    #[must_use]
    pub fn evidence_hash(&self) -> Hash {
        evidence::evidence_hash(&self.evidence)
    }
}

impl<'a> Decode<'a> for Block<'a> {
    const NAME: &'static str = "Block";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let (mut header, mut txs, mut evidence) = (None, Vec::new(), Vec::new());
        let mut header_bytes = &[][..];
        let (mut last_commit, mut last_commit_bytes) = (None, &[][..]);
        while let Some(field) = reader.next()? {
            match field.number {
                1 => {
                    header = Some(field.message("header")?);
                    header_bytes = field.bytes("header")?;
                }
                2 => txs = field.message::<List<&[u8]>>("data")?.0,
                3 => evidence = field.message::<List<Evidence<'_>>>("evidence")?.0,
                4 => {
                    last_commit = Some(field.message("last_commit")?);
                    last_commit_bytes = field.bytes("last_commit")?;
                }
                _ => {}
            }
        }
        let missing = |name| DecodeError::Missing { place: reader.place(name) };
        Ok(Self {
            header: header.ok_or_else(|| missing("header"))?,
            header_bytes,
            txs,
            evidence,
            last_commit: last_commit.ok_or_else(|| missing("last_commit"))?,
            last_commit_bytes,
        })
    }
}

/// A message whose only field is a repeated field 1.
struct List<T>(Vec<T>);

impl<'a> Decode<'a> for List<&'a [u8]> {
    const NAME: &'static str = "Data";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut list = Vec::new();
        while let Some(field) = reader.next()? {
            if field.number == 1 {
                list.push(field.each_bytes("txs")?);
            }
        }
        Ok(Self(list))
    }
}

impl<'a> Decode<'a> for List<Evidence<'a>> {
    const NAME: &'static str = "EvidenceList";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut list = Vec::new();
        while let Some(field) = reader.next()? {
            if field.number == 1 {
                list.push(field.each_message("evidence")?);
            }
        }
        Ok(Self(list))
    }
}
