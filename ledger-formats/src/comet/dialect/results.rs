//! What the application answered: validator updates and parameter updates in it, nothing else.
//!
//! ```text
//! FinalizeBlockResponse {events 1, tx_results 2, validator_updates 3, consensus_param_updates 4, app_hash 5}
//! ABCIResponsesInfo     {legacy_abci_responses 1, height 2, response_finalize_block 3}
//! ```
//! A record without field 5 is what upstream takes for the message of v0.37 and older; all releases read it, and it
//! stays as it is.

use super::field::message;
use super::{Change, ConvertError, Form, params, validator};
use crate::comet::error::DecodeError;
use crate::comet::wire::{Reader, Value, put_message, put_uint, put_varint};

/// `abciResponsesKey`. Most hold no update and are not copied at all.
pub(super) fn response(value: &[u8], to: Form, out: &mut Vec<u8>) -> Result<Change, ConvertError> {
    if !has_updates(value).map_err(|error| error.within("FinalizeBlockResponse"))? {
        return Ok(Change::None);
    }
    write(Reader::new(value), to, out).map_err(|error| error.within("FinalizeBlockResponse"))?;
    Ok(if out == value { Change::None } else { Change::Rewritten })
}

/// `lastABCIResponseKey`.
pub(super) fn last(value: &[u8], to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    let mut reader = Reader::new(value);
    while let Some(field) = reader.next()? {
        match field.number {
            3 if has_updates(field.each_bytes("response_finalize_block")?)? => {
                message(&field, "response_finalize_block", out, |reader, out| write(reader, to, out))?;
            }
            _ => out.extend_from_slice(field.raw),
        }
    }
    Ok(())
}

/// The value of `lastABCIResponseKey` for a value of `abciResponsesKey`.
pub(super) fn last_of(height: u64, response: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(response.len() + 16);
    if is_legacy(response) {
        put_message(&mut out, 1, |out| out.extend_from_slice(response));
        put_uint(&mut out, 2, height);
    } else {
        put_uint(&mut out, 2, height);
        put_varint(&mut out, 3 << 3 | 2);
        put_varint(&mut out, response.len() as u64);
        out.extend_from_slice(response);
    }
    out
}

/// Takes a value of `lastABCIResponseKey` apart.
pub(super) fn split_last(value: &[u8]) -> Result<(u64, Option<&[u8]>), DecodeError> {
    let (mut height, mut response) = (0, None);
    let mut reader = Reader::new(value);
    while let Some(field) = reader.next()? {
        match field.number {
            2 => height = field.natural("height")?,
            1 | 3 => response = Some(field.bytes("response")?),
            _ => {}
        }
    }
    Ok((height, response))
}

fn is_legacy(value: &[u8]) -> bool {
    let mut reader = Reader::new(value);
    while let Ok(Some(field)) = reader.next() {
        if field.number == 5 && matches!(field.value, Value::Bytes(_)) {
            return false;
        }
    }
    true
}

/// Whether a record is of the later form and has something that dialects write in different ways.
fn has_updates(value: &[u8]) -> Result<bool, DecodeError> {
    let (mut is_later, mut has_updates) = (false, false);
    let mut reader = Reader::new(value);
    while let Some(field) = reader.next()? {
        match field.number {
            3 | 4 => has_updates = true,
            5 => is_later = matches!(field.value, Value::Bytes(_)),
            _ => {}
        }
    }
    Ok(is_later && has_updates)
}

fn write(mut reader: Reader<'_>, to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    while let Some(field) = reader.next()? {
        match field.number {
            3 => message(&field, "validator_updates", out, |reader, out| validator::update(reader, to, out))?,
            4 => message(&field, "consensus_param_updates", out, |reader, out| params::update(reader, to, out))?,
            _ => out.extend_from_slice(field.raw),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comet::dialect::Target;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        hex::decode(hexadecimal.replace(' ', "")).expect("hex")
    }

    #[test]
    fn updates_equal_what_each_release_writes() {
        let key = "949abf7cc91d0ff3de389a1c2daf828442b7ea83fd01ca12e2cb15cac1fb996c";
        let v1 = bytes(&format!("1a2d 1006 1a20{key} 220765643235353139 2208 3a060a020864 1200 2a08fa04000000000000"));
        let old = bytes(&format!("1a26 0a220a20{key} 1006 2204 2a020864 2a08fa04000000000000"));
        let mut out = Vec::new();
        assert_eq!(response(&v1, Target::V0_38.into(), &mut out), Ok(Change::Rewritten));
        assert_eq!(hex::encode(&out), hex::encode(&old));
        out.clear();
        assert_eq!(response(&old, Target::V0_40.into(), &mut out), Ok(Change::None));
    }

    #[test]
    fn records_without_updates_and_legacy_ones_stay() {
        let mut out = Vec::new();
        for value in ["2a08fa04000000000000", "0a04 0801 2802 0a00 1200 1a00", ""] {
            assert_eq!(response(&bytes(value), Target::V1_0.into(), &mut out), Ok(Change::None), "{value}");
        }
    }

    #[test]
    fn the_last_response_is_made_and_taken_apart() {
        let response = bytes("2a08fa04000000000000");
        let last = last_of(240, &response);
        assert_eq!(hex::encode(&last), "10f0011a0a2a08fa04000000000000");
        assert_eq!(split_last(&last), Ok((240, Some(&response[..]))));
        let legacy = bytes("1200");
        assert_eq!(hex::encode(last_of(7, &legacy)), "0a0212001007");
    }
}
