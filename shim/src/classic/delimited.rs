//! Messages behind their length: a varint of at most ten bytes, then so many bytes.
//!
//! Source: protobuf's delimited messages, CometBFT `libs/protoio`. A length is compared with the limit before a single
//! byte is waited for.

/// Bytes of the longest varint.
const VARINT_BYTES_MAX: usize = 10;

/// Why bytes are not a message behind its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DelimitedError {
    /// The length is more than the stage allows.
    #[error("a message of {actual} bytes, at most {limit} are allowed here")]
    TooLong {
        /// The length as claimed.
        actual: u64,
        /// What is allowed.
        limit: usize,
    },
    /// The length does not end, or passes 64 bits.
    #[error("the length of a message is no number of 64 bits")]
    Length,
}

/// Takes the first message off `bytes`: itself, and the bytes that it and its length take. `None` when it is not there
/// as a whole.
///
/// # Errors
/// [`DelimitedError`].
pub fn split(bytes: &[u8], limit: usize) -> Result<Option<(&[u8], usize)>, DelimitedError> {
    let mut length: u64 = 0;
    for (place, byte) in bytes.iter().take(VARINT_BYTES_MAX).enumerate() {
        let bits = u64::from(byte & 0x7f);
        let shift = 7 * u32::try_from(place).expect("below ten");
        if bits.leading_zeros() < shift {
            return Err(DelimitedError::Length);
        }
        length |= bits << shift;
        if byte & 0x80 == 0 {
            let too_long = DelimitedError::TooLong { actual: length, limit };
            let length = usize::try_from(length).ok().filter(|length| *length <= limit).ok_or(too_long)?;
            let rest = bytes.get(place + 1..).unwrap_or_default();
            return Ok(rest.get(..length).map(|message| (message, place + 1 + length)));
        }
    }
    if bytes.len() >= VARINT_BYTES_MAX { Err(DelimitedError::Length) } else { Ok(None) }
}

/// Appends `message` behind its length.
pub fn put(out: &mut Vec<u8>, message: &[u8]) {
    let mut rest = message.len() as u64;
    while rest >= 0x80 {
        out.push(0x80 | rest.to_le_bytes()[0] & 0x7f);
        rest >>= 7;
    }
    out.push(rest.to_le_bytes()[0]);
    out.extend_from_slice(message);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_split_off_again() {
        for length in [0_usize, 1, 127, 128, 16_383, 16_384] {
            let mut bytes = Vec::new();
            put(&mut bytes, &vec![1; length]);
            for cut in [0, 1, bytes.len() / 2, bytes.len().saturating_sub(1)] {
                if cut < bytes.len() {
                    assert_eq!(split(&bytes[..cut], length), Ok(None), "{cut} bytes of {length}");
                }
            }
            bytes.push(9);
            let (message, taken) = split(&bytes, length).expect("fits").expect("whole");
            assert_eq!((message.len(), taken), (length, bytes.len() - 1));
        }
    }

    #[test]
    fn lengths_are_refused_before_their_bytes_come() {
        assert_eq!(split(&[5], 4), Err(DelimitedError::TooLong { actual: 5, limit: 4 }));
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(split(&most, 4), Err(DelimitedError::TooLong { actual: u64::MAX, limit: 4 }));
        let more = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2];
        assert_eq!(split(&more, 4), Err(DelimitedError::Length));
        assert_eq!(split(&[0x80; 10], 4), Err(DelimitedError::Length));
        assert_eq!(split(&[0x80; 9], 4), Ok(None));
    }
}
