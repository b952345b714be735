//! The state of the chain: three validator sets and the parameters in it.

use super::field::{message, once};
use super::{ConvertError, Form, params, validator};
use crate::comet::wire::Reader;

/// `stateKey`: fields 6 to 8 are sets, 10 the parameters; an absent set stays absent, an empty one empty.
pub(super) fn state(value: &[u8], to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    write(Reader::new(value), to, out).map_err(|error| error.within("State"))
}

fn write(mut reader: Reader<'_>, to: Form, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    while let Some(field) = reader.next()? {
        let name = match field.number {
            6 => "next_validators",
            7 => "validators",
            8 => "last_validators",
            10 => "consensus_params",
            _ => {
                out.extend_from_slice(field.raw);
                continue;
            }
        };
        once(&field, name)?;
        message(&field, name, out, |reader, out| match name {
            "consensus_params" => params::full(reader, to, out),
            _ => validator::set(reader, to, out),
        })?;
    }
    Ok(())
}
