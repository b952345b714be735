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

#[cfg(test)]
mod tests {
    use super::super::Target;
    use super::*;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        hex::decode(hexadecimal.replace(' ', "")).expect("hex")
    }

    #[test]
    fn the_state_keeps_its_time_and_what_is_absent_or_empty() {
        let key = "949abf7cc91d0ff3de389a1c2daf828442b7ea83fd01ca12e2cb15cac1fb996c";
        // Version and chain, Go's zero time, an empty set in 6, one validator in 7, none in 8, parameters, app hash, initial height.
        let (before, behind) = ("0a04 12023078 120161 2a0b088092b8c398feffffff01 3200", "6a01ff 7001");
        let v1 = format!(
            "{before} 3a2f 0a2d 1801 2a20{key} 320765643235353139 5212 0a020801 32040a001200 3a06 0a020819 1200 {behind}"
        );
        let old = format!("{before} 3a28 0a26 1222 0a20{key} 1801 5208 0a020801 2a020819 {behind}");
        let converted = |value: &str, to| {
            let mut out = Vec::new();
            state(&bytes(value), Form::Of(to), &mut out).expect("converts");
            hex::encode(out)
        };
        assert_eq!(converted(&v1, Target::V0_38), hex::encode(bytes(&old)));
        assert_eq!(converted(&old, Target::V1_0), hex::encode(bytes(&v1)));
        assert_eq!(converted(&old, Target::V0_38), hex::encode(bytes(&old)));
    }

    #[test]
    fn a_second_set_of_a_kind_is_refused() {
        assert!(state(&bytes("3a00 3a00"), Form::Canonical, &mut Vec::new()).is_err());
    }
}
