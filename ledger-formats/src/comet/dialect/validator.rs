//! Validators and their updates: the public key moves between one field and two.
//!
//! ```text
//! Validator        v0.34 to v0.40: address 1, pub_key 2, voting_power 3, proposer_priority 4
//!                  v1.0:           address 1, voting_power 3, proposer_priority 4, pub_key_bytes 5, pub_key_type 6
//! ValidatorUpdate  v0.34 to v0.40: pub_key 1, power 2
//!                  v1.0:           power 2, pub_key_bytes 3, pub_key_type 4
//! PublicKey        ed25519 1 | secp256k1 2 | bls12_381 3 | ml_dsa_65 4 | secp256k1eth 5, one of them
//! ```

use super::field::{message, once};
use super::{ConvertError, Form};
use crate::comet::error::DecodeError;
use crate::comet::public_key::PublicKey;
use crate::comet::wire::{Reader, put_bytes, put_message};

/// Where a message keeps its public key.
struct KeyFields {
    plain: u32,
    bytes: u32,
    name: u32,
}

const VALIDATOR: KeyFields = KeyFields { plain: 2, bytes: 5, name: 6 };
const UPDATE: KeyFields = KeyFields { plain: 1, bytes: 3, name: 4 };

/// `ValidatorsInfo`: the set in field 1; a sparse record has none.
pub(super) fn info(value: &[u8], to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let convert = |mut reader: Reader<'_>, out: &mut Vec<u8>| {
        while let Some(field) = reader.next()? {
            match field.number {
                1 => {
                    once(&field, "validator_set")?;
                    message(&field, "validator_set", out, |reader, out| set(reader, to, out))?;
                }
                _ => out.extend_from_slice(field.raw),
            }
        }
        Ok(())
    };
    convert(Reader::new(value), out).map_err(|error: ConvertError| error.within("ValidatorsInfo"))
}

/// `ValidatorSet {validators 1, proposer 2, total_voting_power 3}`.
pub(super) fn set(mut reader: Reader<'_>, to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    while let Some(field) = reader.next()? {
        let name = match field.number {
            1 => "validators",
            2 => "proposer",
            _ => {
                out.extend_from_slice(field.raw);
                continue;
            }
        };
        message(&field, name, out, |reader, out| validator(reader, to, out))?;
    }
    Ok(())
}

/// `Validator`.
pub(super) fn validator(reader: Reader<'_>, to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    with_key(reader, &VALIDATOR, to, out)
}

/// `ValidatorUpdate`.
pub(super) fn update(reader: Reader<'_>, to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    with_key(reader, &UPDATE, to, out)
}

/// Copies a message with its key in the form of `to`.
fn with_key(mut reader: Reader<'_>, numbers: &KeyFields, to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let key = key(&reader, numbers, to)?;
    let is_typed = to.has_typed_keys();
    let behind = if is_typed { numbers.name } else { numbers.plain };
    let mut is_written = false;
    let put_key = |out: &mut Vec<u8>| {
        if is_typed {
            put_bytes(out, numbers.bytes, key.bytes);
            put_bytes(out, numbers.name, key.kind.name.as_bytes());
        } else {
            put_message(out, numbers.plain, |out| key.put(out));
        }
    };
    while let Some(field) = reader.next()? {
        if !is_written && field.number > behind {
            put_key(out);
            is_written = true;
        }
        if ![numbers.plain, numbers.bytes, numbers.name].contains(&field.number) {
            out.extend_from_slice(field.raw);
        }
    }
    if !is_written {
        put_key(out);
    }
    Ok(())
}

/// The key, by the rule of v1.0: the two fields count before the one.
fn key<'a>(reader: &Reader<'a>, numbers: &KeyFields, to: Form) -> Result<PublicKey<'a>, ConvertError> {
    let (mut plain, mut bytes, mut name) = (None, &[][..], None);
    let mut fields = reader.clone();
    while let Some(field) = fields.next()? {
        match field.number {
            number if number == numbers.plain => plain = Some(field.message::<PublicKey<'_>>("pub_key")?),
            number if number == numbers.bytes => bytes = field.bytes("pub_key_bytes")?,
            number if number == numbers.name => name = Some((field, field.bytes("pub_key_type")?)),
            _ => {}
        }
    }
    let typed = match name {
        Some((field, name)) => Some(PublicKey::from_type(name, bytes, &field)?),
        None => None,
    };
    let place = || reader.place("pub_key");
    let key = match (typed, plain) {
        (Some(typed), Some(plain)) if typed != plain => return Err(ConvertError::TwoKeys { place: place() }),
        (Some(key), _) | (None, Some(key)) => key,
        (None, None) => return Err(DecodeError::Missing { place: place() }.into()),
    };
    to.expect_key(key.kind, place)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comet::dialect::Target;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        hex::decode(hexadecimal.replace(' ', "")).expect("hex")
    }

    fn converted(value: &[u8], to: Target) -> Result<Vec<u8>, ConvertError> {
        let mut out = Vec::new();
        validator(Reader::new(value), to.into(), &mut out).map(|()| out)
    }

    #[test]
    fn a_validator_equals_what_each_release_writes() {
        let address = "0a14bca0d9f7fce0bc53a8798bf423f5b8a833739a61";
        let key = "0a20949abf7cc91d0ff3de389a1c2daf828442b7ea83fd01ca12e2cb15cac1fb996c";
        let power = "180d 20dfffffffffffffffff01";
        let v1 = bytes(&format!("{address} {power} 2a20{} 320765643235353139", &key[4..]));
        let old = bytes(&format!("{address} 1222{key} {power}"));
        for (from, to, expected) in [
            (&v1, Target::V0_38, &old),
            (&v1, Target::V0_40, &old),
            (&old, Target::V1_0, &v1),
            (&old, Target::V0_38, &old),
            (&v1, Target::V1_0, &v1),
        ] {
            assert_eq!(hex::encode(converted(from, to).expect("converts")), hex::encode(expected));
        }
    }

    #[test]
    fn unknown_fields_stay_where_they_are() {
        let key = "0a20949abf7cc91d0ff3de389a1c2daf828442b7ea83fd01ca12e2cb15cac1fb996c";
        let old = bytes(&format!("1222{key} 1805 4a0161 5801"));
        let v1 = converted(&old, Target::V1_0).expect("converts");
        assert!(v1.ends_with(&bytes("320765643235353139 4a0161 5801")));
        assert_eq!(converted(&v1, Target::V0_38).expect("converts"), old);
    }

    #[test]
    fn keys_that_a_target_does_not_know_are_refused() {
        let bls = [bytes("1805 2a60"), vec![7; 96], bytes("3209 626c7331325f333831")].concat();
        let error = converted(&bls, Target::V0_38).expect_err("v0.38 has no BLS");
        assert!(error.to_string().contains("bls12_381"), "{error}");
        assert!(converted(&bls, Target::V0_40).expect("v0.40 may").starts_with(&bytes("1262 1a60")));
        let unknown = [bytes("1805 2a20"), vec![7; 32], bytes("3203 737232")].concat();
        assert!(matches!(converted(&unknown, Target::V0_38), Err(ConvertError::Decode(DecodeError::KeyType { .. }))));
        let short = [bytes("1805 2a1f"), vec![7; 31], bytes("320765643235353139")].concat();
        assert!(matches!(converted(&short, Target::V0_38), Err(ConvertError::Decode(DecodeError::Length { .. }))));
    }

    #[test]
    fn two_keys_must_be_one() {
        let with = |byte: u8| {
            [bytes("1222 0a20"), vec![byte; 32], bytes("1801 2a20"), vec![7; 32], bytes("320765643235353139")].concat()
        };
        assert!(converted(&with(7), Target::V0_38).expect("the same key").ends_with(&[0x18, 1]));
        assert!(matches!(converted(&with(8), Target::V1_0), Err(ConvertError::TwoKeys { .. })));
    }
}
