//! One field of a message, and what it holds as the types of the format see it.

use super::reader::{Decode, Reader};
use crate::comet::error::{DecodeError, Place};

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
    /// Where it begins in the whole value.
    pub(super) offset: usize,
    /// Whether the message had one of this number before.
    pub(super) again: bool,
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
        Ok(Reader::inside(bytes, base))
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

    #[test]
    fn numbers_must_fit_their_type() {
        let minus_one = hex::decode("08ffffffffffffffffff01").expect("hex");
        let field = Reader::new(&minus_one).next().expect("decodes").expect("a field");
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
}
