//! What a light client trusts: a header, the commit for it, and the validators that signed.
//!
//! ```text
//! LightBlock   {signed_header 1, validator_set 2}
//! SignedHeader {header 1, commit 2}
//! ```
//! Source: proto/tendermint/types/types.proto (v0.38), proto/cometbft/types/v1/types.proto (v1.0.1).

use super::commit::Commit;
use super::error::DecodeError;
use super::header::Header;
use super::validators::ValidatorSet;
use super::wire::{Decode, Reader};

/// A light block. What is absent is empty, as upstream reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LightBlock<'a> {
    /// The header.
    pub header: Header<'a>,
    /// The commit for it.
    pub commit: Commit<'a>,
    /// The validators of its height.
    pub validator_set: ValidatorSet<'a>,
}

impl<'a> Decode<'a> for LightBlock<'a> {
    const NAME: &'static str = "LightBlock";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut block = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => {
                    let signed: SignedHeader<'_> = field.message("signed_header")?;
                    (block.header, block.commit) = (signed.header, signed.commit);
                }
                2 => block.validator_set = field.message("validator_set")?,
                _ => {}
            }
        }
        Ok(block)
    }
}

#[derive(Default)]
struct SignedHeader<'a> {
    header: Header<'a>,
    commit: Commit<'a>,
}

impl<'a> Decode<'a> for SignedHeader<'a> {
    const NAME: &'static str = "SignedHeader";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut signed = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => signed.header = field.message("header")?,
                2 => signed.commit = field.message("commit")?,
                _ => {}
            }
        }
        Ok(signed)
    }
}
