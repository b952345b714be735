//! Reading messages: a bounded walk over fields that never copies and never allocates but for an error.

use super::field::{Field, Value};
use crate::comet::error::{DecodeError, Place};

/// A message that can be decoded from its bytes and borrows from them.
pub trait Decode<'a>: Sized {
    /// Name of the message in error paths.
    const NAME: &'static str;

    /// Decodes the fields that `reader` walks over.
    ///
    /// # Errors
    /// The first byte that does not fit the message.
    fn read(reader: Reader<'a>) -> Result<Self, DecodeError>;

    /// Decodes a whole value.
    ///
    /// # Errors
    /// As [`Decode::read`], with the name of the message in front of the path.
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::read(Reader::new(bytes)).map_err(|error| error.within(Self::NAME))
    }
}

/// Walks over the fields of one message.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
    seen: u64,
}

impl<'a> Reader<'a> {
    /// Walks over a whole value.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::inside(bytes, 0)
    }

    /// Walks over a message that begins at byte `base` of the whole value.
    pub(super) fn inside(bytes: &'a [u8], base: usize) -> Self {
        Self { bytes, at: 0, base, seen: 0 }
    }

    /// Where the message begins, for errors about the message as a whole.
    #[must_use]
    pub fn place(&self, name: &str) -> Place {
        Place { path: name.to_owned(), offset: self.base }
    }

    /// The next field, or `None` at the end of the message.
    ///
    /// # Errors
    /// When the bytes are not a field, or end inside one.
    #[expect(
        clippy::should_implement_trait,
        reason = "a fallible walk that lends nothing of itself; `while let` reads best"
    )]
    // Inlined into every decoder: by way of memory, the field would cost more than its decoding.
    #[inline(always)]
    pub fn next(&mut self) -> Result<Option<Field<'a>>, DecodeError> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let start = self.at;
        let tag = self.varint()?;
        let number = match u32::try_from(tag >> 3) {
            Ok(number @ 1..=0x1fff_ffff) => number,
            _ => return Err(self.tag_error(start, tag)),
        };
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(self.tag_error(start, tag)),
        };
        let bit = 1_u64.checked_shl(number).unwrap_or(0);
        let again = self.seen & bit != 0;
        self.seen |= bit;
        let raw = self.bytes.get(start..self.at).unwrap_or_default();
        Ok(Some(Field { number, value, raw, offset: self.base + start, again }))
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, DecodeError> {
        // Nearly all tags and lengths are one byte.
        match self.bytes.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, DecodeError> {
        let start = self.at;
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = self.bytes.get(self.at) else {
                let expected = (self.at - start + 1) as u64;
                return Err(self.truncated(start, expected));
            };
            self.at += 1;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && byte > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::VarintTooLong { place: self.at(start) })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let start = self.at;
        let bytes = self.take(N as u64)?;
        <[u8; N]>::try_from(bytes).map_err(|_| self.truncated(start, N as u64))
    }

    #[inline]
    fn take(&mut self, length: u64) -> Result<&'a [u8], DecodeError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match usize::try_from(length).ok().and_then(|length| rest.get(..length)) {
            Some(bytes) => {
                self.at += bytes.len();
                Ok(bytes)
            }
            None => Err(self.truncated(self.at, length)),
        }
    }

    fn at(&self, at: usize) -> Place {
        Place { path: String::new(), offset: self.base + at }
    }

    #[cold]
    fn truncated(&self, at: usize, expected: u64) -> DecodeError {
        DecodeError::Truncated { place: self.at(at), expected, actual: self.bytes.len().saturating_sub(at) }
    }

    #[cold]
    fn tag_error(&self, at: usize, actual: u64) -> DecodeError {
        DecodeError::Tag { place: self.at(at), actual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(bytes: &[u8]) -> Result<Option<Field<'_>>, DecodeError> {
        Reader::new(bytes).next()
    }

    #[test]
    fn all_wire_types_are_walked_over_and_fields_know_their_bytes() {
        let bytes = hex::decode("08960112026869190100000000000000250200000082010141").expect("hex");
        let mut reader = Reader::new(&bytes);
        let mut walked = Vec::new();
        while let Some(field) = reader.next().expect("well-formed") {
            walked.push((field.number, field.value, field.raw.len()));
        }
        let expected = [
            (1, Value::Varint(150), 3),
            (2, Value::Bytes(b"hi"), 4),
            (3, Value::Fixed64(1), 9),
            (4, Value::Fixed32(2), 5),
            (16, Value::Bytes(b"A"), 4),
        ];
        assert_eq!(walked, expected);
    }

    #[test]
    fn bytes_that_are_no_field_are_refused_where_they_stand() {
        let truncated = |offset, expected, actual| DecodeError::Truncated {
            place: Place { path: String::new(), offset },
            expected,
            actual,
        };
        let cases: [(&str, DecodeError); 9] = [
            ("08", truncated(1, 1, 0)),
            ("0880", truncated(1, 2, 1)),
            ("0a05616263", truncated(2, 5, 3)),
            ("0affffffffffffffffff01", truncated(11, u64::MAX, 0)),
            ("1900", truncated(1, 8, 1)),
            ("2500", truncated(1, 4, 1)),
            ("00", DecodeError::Tag { place: Place::default(), actual: 0 }),
            ("0b", DecodeError::Tag { place: Place::default(), actual: 11 }),
            ("8080808010", DecodeError::Tag { place: Place::default(), actual: 1 << 32 }),
        ];
        for (bytes, expected) in cases {
            let bytes = hex::decode(bytes).expect("hex");
            assert_eq!(first(&bytes).expect_err("refused"), expected, "{}", hex::encode(&bytes));
        }
    }

    #[test]
    fn a_varint_has_at_most_64_bits() {
        let longest = hex::decode("08ffffffffffffffffff01").expect("hex");
        assert_eq!(first(&longest).expect("decodes").expect("a field").value, Value::Varint(u64::MAX));
        for too_long in ["08ffffffffffffffffff02", "088080808080808080808000"] {
            let bytes = hex::decode(too_long).expect("hex");
            assert!(matches!(first(&bytes), Err(DecodeError::VarintTooLong { .. })), "{too_long}");
        }
    }

    #[test]
    fn errors_say_the_path_and_the_offset_in_the_whole_value() {
        use crate::comet::Commit;
        let value = hex::decode("080112001a0222001a0412022205").expect("hex");
        let error = Commit::decode(&value).expect_err("round is no message");
        assert_eq!(error.to_string(), "Commit.round at byte 2: an integer expected, a length and bytes found");
        let value = hex::decode("08011a0412022205").expect("hex");
        let error = Commit::decode(&value).expect_err("truncated");
        assert_eq!(error.to_string(), "Commit.block_id.part_set_header at byte 8: 5 bytes expected, 0 left");
    }
}
