//! Reading messages: a bounded walk over fields that never copies and never allocates but for an error.

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

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2.
    Bytes(&'a [u8]),
    /// Wire type 5.
    Fixed32(u32),
}

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Field number, 1 or above.
    pub number: u32,
    /// What it holds.
    pub value: Value<'a>,
    /// The whole field with its tag, as it stands in the message.
    pub raw: &'a [u8],
    offset: usize,
    again: bool,
}

impl<'a> Reader<'a> {
    /// Walks over a whole value.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, base: 0, seen: 0 }
    }

    /// The bytes of the message.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
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

impl<'a> Field<'a> {
    /// A byte string or string that is there at most once.
    ///
    /// # Errors
    /// Another wire type, or a second one.
    #[inline]
    pub fn bytes(&self, name: &str) -> Result<&'a [u8], DecodeError> {
        self.once(name)?;
        self.each_bytes(name)
    }

    /// One of any number of byte strings.
    ///
    /// # Errors
    /// Another wire type.
    #[inline]
    pub fn each_bytes(&self, name: &str) -> Result<&'a [u8], DecodeError> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(self.wire_type(name, "a length and bytes")),
        }
    }

    /// A message that is there at most once.
    ///
    /// # Errors
    /// Another wire type, a second one, or what its decoder says.
    #[inline]
    pub fn message<T: Decode<'a>>(&self, name: &str) -> Result<T, DecodeError> {
        self.once(name)?;
        self.each_message(name)
    }

    /// One of any number of messages.
    ///
    /// # Errors
    /// Another wire type, or what its decoder says.
    #[inline]
    pub fn each_message<T: Decode<'a>>(&self, name: &str) -> Result<T, DecodeError> {
        T::read(self.reader(name)?).map_err(|error| error.within(name))
    }

    /// A walk over the fields of a message, without a check that it is there only once.
    ///
    /// # Errors
    /// Another wire type.
    #[inline]
    pub fn reader(&self, name: &str) -> Result<Reader<'a>, DecodeError> {
        let bytes = self.each_bytes(name)?;
        // The content is the end of the field.
        let base = self.offset + self.raw.len() - bytes.len();
        Ok(Reader { bytes, at: 0, base, seen: 0 })
    }

    /// An unsigned integer of 64 bits.
    ///
    /// # Errors
    /// Another wire type, or a second one.
    #[inline]
    pub fn u64(&self, name: &str) -> Result<u64, DecodeError> {
        self.once(name)?;
        match self.value {
            Value::Varint(value) => Ok(value),
            _ => Err(self.wire_type(name, "an integer")),
        }
    }

    /// A signed integer of 64 bits (two's complement, not zig-zag).
    ///
    /// # Errors
    /// As [`Field::u64`].
    #[inline]
    pub fn i64(&self, name: &str) -> Result<i64, DecodeError> {
        self.u64(name).map(u64::cast_signed)
    }

    /// A signed integer of 32 bits.
    ///
    /// # Errors
    /// As [`Field::u64`], or a larger number.
    #[inline]
    pub fn i32(&self, name: &str) -> Result<i32, DecodeError> {
        let value = self.i64(name)?;
        i32::try_from(value).map_err(|_| self.range(name, "a number of 32 bits", i128::from(value)))
    }

    /// An unsigned integer of 32 bits.
    ///
    /// # Errors
    /// As [`Field::u64`], or a larger number.
    #[inline]
    pub fn u32(&self, name: &str) -> Result<u32, DecodeError> {
        let value = self.u64(name)?;
        u32::try_from(value).map_err(|_| self.range(name, "an unsigned number of 32 bits", i128::from(value)))
    }

    /// A signed integer of 64 bits that cannot be negative: a height, a count, a size.
    ///
    /// # Errors
    /// As [`Field::u64`], or a negative number.
    #[inline]
    pub fn natural(&self, name: &str) -> Result<u64, DecodeError> {
        let value = self.i64(name)?;
        u64::try_from(value).map_err(|_| self.range(name, "a number not below 0", i128::from(value)))
    }

    /// A byte string of `N` bytes.
    ///
    /// # Errors
    /// Another wire type or length.
    #[inline]
    pub fn each_array<const N: usize>(&self, name: &str) -> Result<[u8; N], DecodeError> {
        let bytes = self.each_bytes(name)?;
        bytes.try_into().map_err(|_| DecodeError::Length { place: self.place(name), expected: N, actual: bytes.len() })
    }

    /// The error that this field's number is out of range.
    #[cold]
    #[must_use]
    pub fn range(&self, name: &str, expected: &'static str, actual: i128) -> DecodeError {
        DecodeError::Range { place: self.place(name), expected, actual }
    }

    /// Where the field stands.
    #[must_use]
    pub fn place(&self, name: &str) -> Place {
        Place { path: name.to_owned(), offset: self.offset }
    }

    #[inline]
    fn once(&self, name: &str) -> Result<(), DecodeError> {
        if self.again { Err(DecodeError::Repeated { place: self.place(name) }) } else { Ok(()) }
    }

    #[cold]
    fn wire_type(&self, name: &str, expected: &'static str) -> DecodeError {
        let actual = match self.value {
            Value::Varint(_) => "an integer",
            Value::Fixed64(_) => "a number of 8 bytes",
            Value::Bytes(_) => "a length and bytes",
            Value::Fixed32(_) => "a number of 4 bytes",
        };
        DecodeError::WireType { place: self.place(name), expected, actual }
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
    fn numbers_must_fit_their_type() {
        let minus_one = hex::decode("08ffffffffffffffffff01").expect("hex");
        let field = first(&minus_one).expect("decodes").expect("a field");
        assert_eq!((field.i64("n"), field.i32("n"), field.u64("n")), (Ok(-1), Ok(-1), Ok(u64::MAX)));
        assert!(field.u32("n").is_err());
        let error = field.natural("height").expect_err("negative");
        assert_eq!(error.to_string(), "height at byte 0: a number not below 0 expected, -1 found");
    }

    #[test]
    fn a_single_field_must_not_come_twice_and_a_repeated_one_may() {
        let mut reader = Reader::new(&[0x08, 1, 0x08, 1]);
        assert_eq!(reader.next().expect("decodes").expect("a field").u64("n"), Ok(1));
        let second = reader.next().expect("decodes").expect("a field");
        assert_eq!(second.u64("n"), Err(DecodeError::Repeated { place: Place { path: "n".into(), offset: 2 } }));
        let mut reader = Reader::new(&[0x0a, 0, 0x0a, 0]);
        assert!(reader.next().expect("decodes").is_some());
        assert_eq!(reader.next().expect("decodes").expect("a field").each_bytes("txs"), Ok(&[][..]));
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
