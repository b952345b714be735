//! Base64 with the standard alphabet and padding (RFC 4648, section 4), canonical both ways.

use crate::merkle::Hash;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Not a letter of the alphabet.
const NONE: u8 = 0xff;

const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value: u8 = 0;
    while value < 64 {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// Why text is not the base64 of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Base64Error {
    /// The length is not a multiple of four.
    #[error("base64 of {length} characters is not made of groups of four")]
    Length {
        /// Characters given.
        length: usize,
    },
    /// A character is not in the alphabet, or padding stands before the end.
    #[error("character {offset} is not base64")]
    Character {
        /// Its place, in bytes from 0.
        offset: usize,
    },
    /// Bits that padding leaves over are set: another spelling of the same bytes.
    #[error("base64 is not canonical: bits after the last byte are set")]
    NotCanonical,
    /// The bytes are fewer or more than what should be there.
    #[error("base64 of {actual} bytes, expected {expected}")]
    Size {
        /// Bytes that should be there.
        expected: usize,
        /// Bytes given.
        actual: usize,
    },
}

/// The base64 of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let value = (bits >> (18 - 6 * place)) & 63;
            let letter = if place <= group.len() { ALPHABET[value as usize] } else { b'=' };
            text.push(char::from(letter));
        }
    }
    text
}

/// The bytes whose base64 is `text`.
///
/// # Errors
/// [`Base64Error`]: each value has one spelling.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(4) {
        return Err(Base64Error::Length { length: text.len() });
    }
    let padding = text.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let letters = &text[..text.len() - padding];
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut bit_count) = (0_u16, 0);
    for (offset, letter) in letters.iter().enumerate() {
        let value = VALUES[usize::from(*letter)];
        if value == NONE {
            return Err(Base64Error::Character { offset });
        }
        bits = bits << 6 | u16::from(value);
        bit_count += 6;
        if bit_count >= 8 {
            bit_count -= 8;
            bytes.push((bits >> bit_count).to_le_bytes()[0]);
            bits &= (1 << bit_count) - 1;
        }
    }
    if bits != 0 { Err(Base64Error::NotCanonical) } else { Ok(bytes) }
}

/// The hash whose base64 is `text`.
pub(crate) fn decode_hash(text: &str) -> Result<Hash, Base64Error> {
    let bytes = decode(text)?;
    let actual = bytes.len();
    bytes.try_into().map_err(|_| Base64Error::Size { expected: 32, actual })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648() {
        // Section 10.
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in vectors {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).expect("a vector"), bytes.as_bytes());
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        assert_eq!(decode("Zg="), Err(Base64Error::Length { length: 3 }));
        assert_eq!(decode("Zg"), Err(Base64Error::Length { length: 2 }));
        assert_eq!(decode("Zh=="), Err(Base64Error::NotCanonical));
        assert_eq!(decode("Zm9="), Err(Base64Error::NotCanonical));
        assert_eq!(decode("Z==="), Err(Base64Error::Character { offset: 1 }));
        assert_eq!(decode("===="), Err(Base64Error::Character { offset: 0 }));
        assert_eq!(decode("Zg==Zg=="), Err(Base64Error::Character { offset: 2 }));
        assert_eq!(decode("Zm9-"), Err(Base64Error::Character { offset: 3 }));
        assert_eq!(decode("Zm 9"), Err(Base64Error::Character { offset: 2 }));
        assert_eq!(decode_hash("Zg=="), Err(Base64Error::Size { expected: 32, actual: 1 }));
    }

    proptest::proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..99)) {
            proptest::prop_assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        }

        #[test]
        fn what_decodes_has_no_other_spelling(text in "[A-Da-d/+=]{0,12}") {
            if let Ok(bytes) = decode(&text) {
                proptest::prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
