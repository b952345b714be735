//! The signatures of the validators on one block: `Commit`.
//!
//! `C:<h>` holds the last commit of block h+1, `SC:<h>` the commit as this node saw it; the two may hold
//! other signatures of the same validators. The last-commit hash covers the signatures only, not height,
//! round and block id. Whether signatures hold is the business of [`proofs::commit`].

use proofs::commit::{CommitSignature, Flag, Timestamp};
use proofs::merkle::{Hash, leaf_hash, root_of_hashes};

use super::block_id::BlockId;
use super::error::DecodeError;
use super::timestamp::put_timestamp;
use super::wire::{Decode, Field, Reader, put_bytes, put_message, put_uint};

/// Votes of one height and round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit<'a> {
    /// Height that was voted on; 0 in the empty commit before the first block.
    pub height: u64,
    /// Round in which the votes were cast.
    pub round: i32,
    /// The block that the votes of flag `Commit` are for.
    pub block_id: BlockId<'a>,
    /// One place a validator.
    pub signatures: Vec<CommitSignature<'a>>,
}

impl Commit<'_> {
    /// The last-commit hash: root over the signatures, each in its own encoding.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut leaf = Vec::with_capacity(160);
        let mut leaves: Vec<Hash> = Vec::with_capacity(self.signatures.len());
        for signature in &self.signatures {
            leaf.clear();
            put_signature(&mut leaf, signature);
            leaves.push(leaf_hash(&leaf));
        }
        root_of_hashes(&mut leaves)
    }

    /// The same commit for the checking of its signatures; `None` if it does not name a block, as the
    /// empty commit before the first block.
    #[must_use]
    pub fn to_proof(&self) -> Option<proofs::commit::Commit<'_>> {
        Some(proofs::commit::Commit {
            height: self.height.cast_signed(),
            round: self.round,
            block: self.block_id.to_proof()?,
            signatures: &self.signatures,
        })
    }
}

/// Appends the fields of a `CommitSig` message: a leaf of the last-commit hash.
fn put_signature(out: &mut Vec<u8>, signature: &CommitSignature<'_>) {
    put_uint(out, 1, flag_number(signature.flag));
    put_bytes(out, 2, signature.address);
    put_message(out, 3, |out| put_timestamp(out, signature.time));
    put_bytes(out, 4, signature.signature);
}

const fn flag_number(flag: Flag) -> u64 {
    match flag {
        Flag::Absent => 1,
        Flag::Commit => 2,
        Flag::Nil => 3,
    }
}

/// Reads a `BlockIDFlag`.
pub(super) fn read_flag(field: &Field<'_>) -> Result<Flag, DecodeError> {
    const NAME: &str = "block_id_flag";
    let number = field.i32(NAME)?;
    Flag::try_from(number).map_err(|_| field.range(NAME, "1 (absent), 2 (commit) or 3 (nil)", number.into()))
}

impl<'a> Decode<'a> for CommitSignature<'a> {
    const NAME: &'static str = "CommitSig";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let (mut flag, mut address, mut time, mut signature) = (None, &[][..], Timestamp::default(), &[][..]);
        while let Some(field) = reader.next()? {
            match field.number {
                1 => flag = Some(read_flag(&field)?),
                2 => address = field.bytes("validator_address")?,
                3 => time = field.message("timestamp")?,
                4 => signature = field.bytes("signature")?,
                _ => {}
            }
        }
        let flag = flag.ok_or_else(|| DecodeError::Missing { place: reader.place("block_id_flag") })?;
        Ok(Self { flag, address, time, signature })
    }
}

impl<'a> Decode<'a> for Commit<'a> {
    const NAME: &'static str = "Commit";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut commit = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => commit.height = field.natural("height")?,
                2 => commit.round = field.i32("round")?,
                3 => commit.block_id = field.message("block_id")?,
                4 => commit.signatures.push(field.each_message("signatures")?),
                _ => {}
            }
        }
        Ok(commit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comet::timestamp::GO_ZERO_TIME;

    #[test]
    fn the_value_before_the_first_block_is_an_empty_commit() {
        let commit = Commit::decode(&[0x1a, 0x02, 0x12, 0x00]).expect("decodes");
        assert_eq!(commit, Commit::default());
        assert_eq!(commit.hash(), proofs::merkle::EMPTY_ROOT);
        assert_eq!(commit.to_proof(), None);
    }

    #[test]
    fn an_absent_signature_holds_gos_zero_time() {
        let absent = CommitSignature { flag: Flag::Absent, address: &[], time: GO_ZERO_TIME, signature: &[] };
        let mut out = Vec::new();
        put_signature(&mut out, &absent);
        assert_eq!(hex::encode(&out), "08011a0b088092b8c398feffffff01");
        assert_eq!(CommitSignature::decode(&out).expect("decodes"), absent);
    }
}
