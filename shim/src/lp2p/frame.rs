//! One message as it stands on its stream, without any IO.
//!
//! ```text
//! uvarint   length of the payload, in bytes; at most ten bytes, as Go's binary.ReadUvarint takes it
//! payload   that many bytes; what follows on the stream is ignored, as nodes ignore it
//! ```
//! Source: CometBFT v0.40.0, `lp2p/stream.go`. A node never sends an empty payload and takes one for an attack, so here it
//! is malformed.
//!
//! Memory grows with what has arrived, never with what is claimed.

use std::ops::Range;

/// The longest length prefix.
const PREFIX_BYTES_MAX: usize = 10;

/// What is read at first: the whole of nearly every message but blocks.
const FIRST_READ_BYTES: usize = 1024;

/// The least that the buffer grows by, so that a large message is not read in small pieces.
const GROWTH_BYTES_MIN: usize = 64 << 10;

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The length does not fit into 64 bits.
    #[error("the length of the message is not a varint of 64 bits")]
    Length,
    /// The message has no payload.
    #[error("the message is empty")]
    Empty,
    /// More is claimed than the channel carries.
    #[error("a message of {claimed} bytes is larger than its channel carries ({limit} bytes)")]
    TooLarge {
        /// What the prefix says.
        claimed: u64,
        /// The channel's limit.
        limit: usize,
    },
    /// The stream ended before the message did.
    #[error("the stream ended after {arrived} bytes of {claimed}")]
    Truncated {
        /// Payload that arrived.
        arrived: usize,
        /// What the prefix says; 0 when the prefix itself was cut off.
        claimed: usize,
    },
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The length is not known yet.
    Prefix,
    /// The length is known, the payload is not complete.
    Payload,
    /// The message is complete.
    Whole,
}

/// A message that is arriving.
#[derive(Debug)]
pub struct Incoming {
    buffer: Vec<u8>,
    filled: usize,
    limit: usize,
    payload: Option<Range<usize>>,
}

impl Incoming {
    /// Waits for a message of at most `limit` bytes of payload.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), filled: 0, limit, payload: None }
    }

    /// Where the next bytes go; empty when the message is whole.
    pub fn space(&mut self) -> &mut [u8] {
        let end = match &self.payload {
            None => FIRST_READ_BYTES,
            Some(payload) => payload.end.min(self.filled.saturating_add(self.filled.max(GROWTH_BYTES_MIN))),
        };
        if end > self.buffer.len() {
            self.buffer.resize(end, 0);
        }
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    /// Bytes of memory that the message holds now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes that have arrived.
    #[must_use]
    pub fn arrived(&self) -> usize {
        self.filled
    }

    /// Bytes of payload that the prefix claims; `None` until it is known.
    #[must_use]
    pub fn claimed(&self) -> Option<usize> {
        self.payload.as_ref().map(Range::len)
    }

    /// Takes note of `count` bytes that were put into [`space`](Self::space).
    ///
    /// # Errors
    /// When the prefix is malformed or claims too much.
    pub fn advance(&mut self, count: usize) -> Result<Progress, FrameError> {
        self.filled = self.filled.saturating_add(count).min(self.buffer.len());
        if self.payload.is_none() {
            self.payload = self.parse_prefix()?;
        }
        Ok(match &self.payload {
            None => Progress::Prefix,
            Some(payload) if self.filled < payload.end => Progress::Payload,
            Some(payload) => {
                self.filled = payload.end;
                self.buffer.truncate(payload.end);
                Progress::Whole
            }
        })
    }

    fn parse_prefix(&self) -> Result<Option<Range<usize>>, FrameError> {
        let arrived = self.buffer.get(..self.filled).unwrap_or_default();
        let Some((length, start)) = uvarint(arrived)? else { return Ok(None) };
        let too_large = FrameError::TooLarge { claimed: length, limit: self.limit };
        let length = usize::try_from(length).map_err(|_| too_large)?;
        match length {
            0 => Err(FrameError::Empty),
            _ if length > self.limit => Err(too_large),
            _ => Ok(Some(start..start + length)),
        }
    }

    /// The stream has ended: the buffer, and where the payload is in it.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] when the message is not whole.
    pub fn finish(self) -> Result<(Vec<u8>, Range<usize>), FrameError> {
        match self.payload {
            Some(payload) if self.filled >= payload.end => Ok((self.buffer, payload)),
            Some(payload) => Err(FrameError::Truncated {
                arrived: self.filled.saturating_sub(payload.start),
                claimed: payload.len(),
            }),
            None => Err(FrameError::Truncated { arrived: 0, claimed: 0 }),
        }
    }
}

/// The number at the beginning of `bytes` and the bytes that it takes; `None` when it is not complete. Longer spellings than
/// needed are taken, as Go takes them.
fn uvarint(bytes: &[u8]) -> Result<Option<(u64, usize)>, FrameError> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().take(PREFIX_BYTES_MAX).enumerate() {
        let bits = u64::from(byte & 0x7f);
        // The tenth byte has one bit left.
        if at == PREFIX_BYTES_MAX - 1 && byte > 1 {
            return Err(FrameError::Length);
        }
        value |= bits << (7 * at);
        if byte < 0x80 {
            return Ok(Some((value, at + 1)));
        }
    }
    if bytes.len() < PREFIX_BYTES_MAX { Ok(None) } else { Err(FrameError::Length) }
}

/// The length prefix of a payload.
#[must_use]
pub fn prefix(payload_bytes: usize) -> Vec<u8> {
    let mut rest = payload_bytes as u64;
    let mut prefix = Vec::with_capacity(PREFIX_BYTES_MAX);
    loop {
        let bits = rest.to_le_bytes()[0] & 0x7f;
        rest >>= 7;
        if rest == 0 {
            prefix.push(bits);
            return prefix;
        }
        prefix.push(bits | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `stream` in pieces of at most `piece` bytes, then ends it.
    fn read(stream: &[u8], piece: usize, limit: usize) -> Result<Vec<u8>, FrameError> {
        let mut incoming = Incoming::new(limit);
        let mut rest = stream;
        loop {
            let space = incoming.space();
            let count = space.len().min(piece).min(rest.len());
            space[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            assert!(incoming.held() <= 2 * incoming.arrived().max(GROWTH_BYTES_MIN) + FIRST_READ_BYTES);
            if incoming.advance(count)? == Progress::Whole || count == 0 {
                return incoming.finish().map(|(buffer, payload)| buffer[payload].to_vec());
            }
        }
    }

    fn framed(payload: &[u8]) -> Vec<u8> {
        [&prefix(payload.len()), payload].concat()
    }

    #[test]
    fn streams_of_real_nodes() {
        for (stream, payload) in [("022200", "2200"), ("040a020801", "0a020801")] {
            let (stream, payload) = (hex::decode(stream).unwrap(), hex::decode(payload).unwrap());
            assert_eq!(framed(&payload), stream);
            assert_eq!(read(&stream, 1, 100), Ok(payload));
        }
    }

    #[test]
    fn what_follows_the_message_is_ignored() {
        assert_eq!(read(&[2, 0x22, 0, 2, 0x22, 0], 100, 100), Ok(vec![0x22, 0]));
    }

    #[test]
    fn claims_are_checked_before_anything_is_held() {
        assert_eq!(read(&prefix(101), 100, 100), Err(FrameError::TooLarge { claimed: 101, limit: 100 }));
        assert_eq!(
            read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], 3, 100),
            Err(FrameError::TooLarge { claimed: u64::MAX, limit: 100 })
        );
        assert_eq!(read(&[0xff; 10], 3, 100), Err(FrameError::Length));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], 3, 100), Err(FrameError::Length));
        assert_eq!(read(&[0], 3, 100), Err(FrameError::Empty));
        assert_eq!(read(&[0x80, 0], 3, 100), Err(FrameError::Empty));
    }

    #[test]
    fn a_cut_stream_is_no_message() {
        assert_eq!(read(&[], 3, 100), Err(FrameError::Truncated { arrived: 0, claimed: 0 }));
        assert_eq!(read(&[0x80], 3, 100), Err(FrameError::Truncated { arrived: 0, claimed: 0 }));
        assert_eq!(read(&[3, 1, 2], 3, 100), Err(FrameError::Truncated { arrived: 2, claimed: 3 }));
    }

    #[test]
    fn a_longer_spelling_is_taken_as_nodes_take_it() {
        assert_eq!(read(&[0x82, 0, 7, 8], 100, 100), Ok(vec![7, 8]));
    }

    proptest! {
        #[test]
        fn any_payload_survives_any_pieces(payload in proptest::collection::vec(any::<u8>(), 1..300_000), piece in 1usize..100_000) {
            prop_assert_eq!(read(&framed(&payload), piece, 300_000), Ok(payload));
        }

        #[test]
        fn any_bytes_end(stream in proptest::collection::vec(any::<u8>(), 0..64), piece in 1usize..64) {
            if let Ok(payload) = read(&stream, piece, 40) {
                prop_assert!(payload.len() <= 40 && stream.windows(payload.len()).any(|each| each == payload));
            }
        }
    }
}
