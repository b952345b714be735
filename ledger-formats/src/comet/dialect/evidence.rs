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

#[cfg(test)]
mod tests {
    use super::super::Target;
    use super::*;
    use crate::comet::wire::put_message;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        hex::decode(hexadecimal.replace(' ', "")).expect("hex")
    }

    /// An attack: a signed header that stays as it is, validators in a set and by themselves, power and time.
    fn attack_of(validator: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_message(&mut out, 2, |out| {
            put_message(out, 1, |out| {
                out.extend_from_slice(&bytes("0a04 0a020807"));
                put_message(out, 2, |out| {
                    put_message(out, 1, |out| out.extend_from_slice(validator));
                    put_message(out, 2, |out| out.extend_from_slice(validator));
                });
            });
            out.extend_from_slice(&bytes("1007"));
            put_message(out, 3, |out| out.extend_from_slice(validator));
            // Go's zero time.
            out.extend_from_slice(&bytes("2009 2a0b088092b8c398feffffff01"));
        });
        out
    }

    #[test]
    fn an_attack_changes_in_its_validators_alone_and_two_votes_in_nothing() {
        let key = "949abf7cc91d0ff3de389a1c2daf828442b7ea83fd01ca12e2cb15cac1fb996c";
        let v1 = attack_of(&bytes(&format!("1805 2a20{key} 320765643235353139")));
        let old = attack_of(&bytes(&format!("1222 0a20{key} 1805")));
        let converted = |value: &[u8], to| {
            let mut out = Vec::new();
            evidence(value, Form::Of(to), &mut out).expect("converts");
            hex::encode(out)
        };
        assert_eq!(converted(&v1, Target::V0_40), hex::encode(&old));
        assert_eq!(converted(&old, Target::V1_0), hex::encode(&v1));
        let votes = bytes("0a08 0a02 1001 1009 2a00");
        assert_eq!(converted(&votes, Target::V0_38), hex::encode(&votes));
    }
}
