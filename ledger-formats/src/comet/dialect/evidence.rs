//! Light blocks, and pending evidence: an attack on light clients holds validators, two votes of one validator hold none.
//!
//! ```text
//! Evidence                  {duplicate_vote 1 | light_client_attack 2}
//! LightClientAttackEvidence {conflicting_block 1 {signed_header 1, validator_set 2}, common_height 2, byzantine_validators 3, ..}
//! ```
//! Its hash, and so its key, covers the header and the height only. Evidence in blocks is never converted: the block's
//! evidence hash covers its bytes.

use super::field::{message, once};
use super::{ConvertError, Form, validator};
use crate::comet::wire::Reader;

/// A value of pending evidence.
pub(super) fn evidence(value: &[u8], to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let convert = |mut reader: Reader<'_>, out: &mut Vec<u8>| {
        while let Some(field) = reader.next()? {
            match field.number {
                2 => {
                    message(&field, "light_client_attack_evidence", out, |reader, out| attack(reader, to, out))?;
                }
                _ => out.extend_from_slice(field.raw),
            }
        }
        Ok(())
    };
    convert(Reader::new(value), out).map_err(|error: ConvertError| error.within("Evidence"))
}

fn attack(mut reader: Reader<'_>, to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    while let Some(field) = reader.next()? {
        match field.number {
            1 => message(&field, "conflicting_block", out, |reader, out| light_block(reader, to, out))?,
            3 => message(&field, "byzantine_validators", out, |reader, out| validator::validator(reader, to, out))?,
            _ => out.extend_from_slice(field.raw),
        }
    }
    Ok(())
}

/// A value of a light client's store, or the conflicting block of an attack.
pub(super) fn light_block(mut reader: Reader<'_>, to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    while let Some(field) = reader.next()? {
        match field.number {
            2 => {
                once(&field, "validator_set")?;
                message(&field, "validator_set", out, |reader, out| validator::set(reader, to, out))?;
            }
            _ => out.extend_from_slice(field.raw),
        }
    }
    Ok(())
}
