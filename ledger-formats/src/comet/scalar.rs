//! Values that are a single number or label, each in its own spelling.

use super::error::DecodeError;
use super::key::{HEIGHT_MAX, Layout, decimal_height};
use super::wire::{Decode, Reader};

/// A protobuf wrapper of a number not below 0: the value of committed evidence is its height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Int64Value(pub u64);

impl<'a> Decode<'a> for Int64Value {
    const NAME: &'static str = "Int64Value";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut value = Self::default();
        while let Some(field) = reader.next()? {
            if field.number == 1 {
                value.0 = field.natural("value")?;
            }
        }
        Ok(value)
    }
}

/// The value of a block-hash key: a height in ASCII decimal, in both layouts.
///
/// # Errors
/// Anything else.
pub fn decode_decimal_height(value: &[u8]) -> Result<u64, DecodeError> {
    decimal_height(value).ok_or_else(|| DecodeError::text("height", "a height in decimal", value))
}

/// The value of the retain-height keys and of `offlineStateSyncHeightKey`: Go's zig-zag varint.
///
/// # Errors
/// A negative number, a number too long, or bytes behind it.
pub fn decode_zigzag_height(value: &[u8]) -> Result<u64, DecodeError> {
    let wrong = || DecodeError::text("height", "a height as zig-zag varint", value);
    // Framed as a field, the varint is read by the one reader of varints.
    let framed = [&[0x08][..], value.get(..value.len().min(11)).unwrap_or_default()].concat();
    let mut reader = Reader::new(&framed);
    let field = reader.next().ok().flatten().ok_or_else(wrong)?;
    let number = field.u64("height").map_err(|_| wrong())?;
    let is_alone = field.raw.len() == value.len() + 1;
    if !is_alone || number & 1 == 1 || number >> 1 > HEIGHT_MAX {
        return Err(wrong());
    }
    Ok(number >> 1)
}

/// The value of the keys `version`: the layout that the node will take the store to have.
///
/// # Errors
/// A label that no release writes.
pub fn decode_layout(value: &[u8]) -> Result<Layout, DecodeError> {
    Layout::from_label(value).ok_or_else(|| DecodeError::text("layout", "v1 or v2", value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zigzag_height_is_one_even_varint_and_nothing_behind_it() {
        assert_eq!(decode_zigzag_height(&[0]), Ok(0));
        assert_eq!(decode_zigzag_height(&[0xe0, 0x03]), Ok(240));
        let longest = [&[0xfe][..], &[0xff; 8], &[0x01]].concat();
        assert_eq!(decode_zigzag_height(&longest), Ok(HEIGHT_MAX));
        for bad in [&[][..], &[1], &[0xe0], &[0xe0, 0x03, 0], &[0x80; 12]] {
            assert!(decode_zigzag_height(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_shows_what_was_found() {
        let error = decode_decimal_height(b"12a\xff").expect_err("not a number");
        assert_eq!(error.to_string(), r"height at byte 0: a height in decimal expected, 12a\xff found");
        assert_eq!(
            decode_layout(b"v3").expect_err("no layout").to_string(),
            "layout at byte 0: v1 or v2 expected, v3 found"
        );
    }
}
