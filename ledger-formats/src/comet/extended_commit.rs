//! Commits with vote extensions: `EC:<h>`, from v0.38 on at heights where the application asks for them.

use proofs::commit::{CommitSignature, Flag, Timestamp};

use super::block_id::BlockId;
use super::commit::{Commit, read_flag};
use super::error::DecodeError;
use super::wire::{Decode, Reader, put_bytes, put_fixed64, put_varint};

/// A validator's place: its vote, and what it said beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedSignature<'a> {
    /// The vote.
    pub vote: CommitSignature<'a>,
    /// The extension: any bytes of the application; none in a vote that is not for the block.
    pub extension: &'a [u8],
    /// Signature over the extension; see [`put_extension_sign_bytes`].
    pub extension_signature: &'a [u8],
}

/// `ExtendedCommit` of CometBFT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtendedCommit<'a> {
    /// Height that was voted on.
    pub height: u64,
    /// Round in which the votes were cast.
    pub round: i32,
    /// The block that the votes of flag `Commit` are for.
    pub block_id: BlockId<'a>,
    /// One place a validator.
    pub signatures: Vec<ExtendedSignature<'a>>,
}

impl ExtendedCommit<'_> {
    /// Whether it is `commit` with extensions. The seen commit of a height is made from it.
    #[must_use]
    pub fn extends(&self, commit: &Commit<'_>) -> bool {
        (self.height, self.round, self.block_id) == (commit.height, commit.round, commit.block_id)
            && self.signatures.iter().map(|signature| &signature.vote).eq(&commit.signatures)
    }
}

/// Appends what a validator signs for its extension: `CanonicalVoteExtension {extension 1, height 2 sfixed64,
/// round 3 sfixed64, chain_id 4}` behind its length.
pub fn put_extension_sign_bytes(out: &mut Vec<u8>, chain_id: &[u8], height: u64, round: i32, extension: &[u8]) {
    let mut message = Vec::with_capacity(extension.len() + chain_id.len() + 32);
    put_bytes(&mut message, 1, extension);
    put_fixed64(&mut message, 2, height);
    put_fixed64(&mut message, 3, i64::from(round).cast_unsigned());
    put_bytes(&mut message, 4, chain_id);
    put_varint(out, message.len() as u64);
    out.append(&mut message);
}

impl<'a> Decode<'a> for ExtendedSignature<'a> {
    const NAME: &'static str = "ExtendedCommitSig";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let (mut flag, mut address, mut time, mut signature) = (None, &[][..], Timestamp::default(), &[][..]);
        let (mut extension, mut extension_signature) = (&[][..], &[][..]);
        while let Some(field) = reader.next()? {
            match field.number {
                1 => flag = Some(read_flag(&field)?),
                2 => address = field.bytes("validator_address")?,
                3 => time = field.message("timestamp")?,
                4 => signature = field.bytes("signature")?,
                5 => extension = field.bytes("extension")?,
                6 => extension_signature = field.bytes("extension_signature")?,
                _ => {}
            }
        }
        let flag: Flag = flag.ok_or_else(|| DecodeError::Missing { place: reader.place("block_id_flag") })?;
        Ok(Self { vote: CommitSignature { flag, address, time, signature }, extension, extension_signature })
    }
}

impl<'a> Decode<'a> for ExtendedCommit<'a> {
    const NAME: &'static str = "ExtendedCommit";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut commit = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => commit.height = field.natural("height")?,
                2 => commit.round = field.i32("round")?,
                3 => commit.block_id = field.message("block_id")?,
                4 => commit.signatures.push(field.each_message("extended_signatures")?),
                _ => {}
            }
        }
        Ok(commit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_bytes_of_an_extension_are_its_canonical_message_behind_its_length() {
        let mut out = Vec::new();
        put_extension_sign_bytes(&mut out, b"test_chain_id", 1, 2, b"ext");
        let expected = "26 0a03657874 110100000000000000 190200000000000000 220d746573745f636861696e5f6964";
        assert_eq!(hex::encode(&out), expected.replace(' ', ""));
        out.clear();
        put_extension_sign_bytes(&mut out, b"", 0, 0, b"");
        assert_eq!(out, [0]);
    }
}
