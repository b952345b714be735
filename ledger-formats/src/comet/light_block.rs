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

/// A light block.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        let (mut header, mut commit, mut validator_set) = (None, None, None);
        let whole = reader.clone();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => {
                    let mut signed = field.reader("signed_header")?;
                    while let Some(field) = signed.next().map_err(|error| error.within("signed_header"))? {
                        match field.number {
                            1 => header = Some(field.message("signed_header.header")?),
                            2 => commit = Some(field.message("signed_header.commit")?),
                            _ => {}
                        }
                    }
                }
                2 => validator_set = Some(field.message("validator_set")?),
                _ => {}
            }
        }
        let missing = |name: &str| DecodeError::Missing { place: whole.place(name) };
        Ok(Self {
            header: header.ok_or_else(|| missing("signed_header.header"))?,
            commit: commit.ok_or_else(|| missing("signed_header.commit"))?,
            validator_set: validator_set.ok_or_else(|| missing("validator_set"))?,
        })
    }
}
