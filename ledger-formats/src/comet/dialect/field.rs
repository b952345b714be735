//! Writing a message anew from another: fields that stay are copied as they stand, others are converted.

use super::ConvertError;
use crate::comet::wire::{Field, Reader, put_message};

/// Writes a message field whose content `convert` writes anew; the field stands as it was if the content does.
pub(super) fn message<'a>(
    field: &Field<'a>,
    name: &str,
    out: &mut Vec<u8>,
    convert: impl FnOnce(Reader<'a>, &mut Vec<u8>) -> Result<(), ConvertError>,
) -> Result<(), ConvertError> {
    let content = field.each_bytes(name)?;
    let reader = field.reader(name)?;
    let start = out.len();
    let (mut result, mut length) = (Ok(()), 0);
    put_message(out, field.number, |out| {
        let begin = out.len();
        result = convert(reader, out);
        length = out.len() - begin;
    });
    result.map_err(|error| error.within(name))?;
    // An unusual spelling of the field's length must survive when nothing in it changes.
    if length == content.len() && out.ends_with(content) {
        out.truncate(start);
        out.extend_from_slice(field.raw);
    }
    Ok(())
}

/// Refuses a second field of a number that can be there once.
pub(super) fn once(field: &Field<'_>, name: &str) -> Result<(), ConvertError> {
    field.bytes(name)?;
    Ok(())
}
