//! Messages on a stream: `uvarint(length) ‖ bytes`, as libp2p's own protocols have them.
//!
//! A length is a claim: memory grows with what has arrived, never with what was announced. A slow peer is given
//! up after a time that follows from the size.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use libp2p::futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::limits::transfer_time;

/// Most that is allocated before it arrives.
const GROWTH_BYTES: usize = 1 << 20;

/// Longest length prefix: lengths are below 2^32.
const PREFIX_BYTES_MAX: usize = 5;

/// Why a message did not come or go.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FramingError {
    /// The stream ended before a message began.
    #[error("the peer ended the stream")]
    Ended,
    /// The stream ended within a message.
    #[error("the peer ended the stream after {actual} of {expected} bytes of a message")]
    Truncated {
        /// Bytes announced.
        expected: usize,
        /// Bytes that came.
        actual: usize,
    },
    /// The message announced is too long.
    #[error("a message of {bytes} bytes was announced, at most {limit} are taken")]
    TooLong {
        /// Bytes announced.
        bytes: u64,
        /// The limit.
        limit: usize,
    },
    /// The length is not a canonical uvarint.
    #[error("the length of a message is no shortest uvarint of at most {PREFIX_BYTES_MAX} bytes")]
    Length,
    /// It took too long.
    #[error("the peer was too slow: more than {} s", limit.as_secs())]
    Slow {
        /// The time given.
        limit: Duration,
    },
    /// The connection broke.
    #[error("the connection broke: {source}")]
    Broken {
        /// Why.
        source: io::Error,
    },
}

impl FramingError {
    /// Whether the peer broke the rules, rather than the connection.
    #[must_use]
    pub const fn is_misbehaviour(&self) -> bool {
        matches!(self, Self::TooLong { .. } | Self::Length | Self::Slow { .. })
    }
}

/// Reads one message, which must begin within `idle`.
///
/// # Errors
/// [`FramingError`].
pub async fn read<S: AsyncRead + Unpin>(stream: &mut S, limit: usize, idle: Duration) -> Result<Bytes, FramingError> {
    let length = timeout(idle, read_length(stream, limit)).await.map_err(|_| FramingError::Slow { limit: idle })??;
    let time = transfer_time(length);
    timeout(time, read_body(stream, length)).await.map_err(|_| FramingError::Slow { limit: time })?
}

async fn read_length<S: AsyncRead + Unpin>(stream: &mut S, limit: usize) -> Result<usize, FramingError> {
    let mut length = 0_u64;
    for place in 0..PREFIX_BYTES_MAX {
        let mut byte = [0];
        let count = stream.read(&mut byte).await.map_err(|source| FramingError::Broken { source })?;
        if count == 0 {
            return Err(if place == 0 { FramingError::Ended } else { FramingError::Length });
        }
        length |= u64::from(byte[0] & 0x7f) << (7 * place);
        if byte[0] & 0x80 == 0 {
            if byte[0] == 0 && place > 0 {
                return Err(FramingError::Length);
            }
            let fits = usize::try_from(length).ok().filter(|length| *length <= limit);
            return fits.ok_or(FramingError::TooLong { bytes: length, limit });
        }
    }
    Err(FramingError::Length)
}

async fn read_body<S: AsyncRead + Unpin>(stream: &mut S, length: usize) -> Result<Bytes, FramingError> {
    let mut body = Vec::new();
    let mut filled = 0;
    while filled < length {
        if filled == body.len() {
            body.resize(length.min(filled + filled.max(GROWTH_BYTES)), 0);
        }
        let room = body.get_mut(filled..).unwrap_or_default();
        let count = stream.read(room).await.map_err(|source| FramingError::Broken { source })?;
        if count == 0 {
            return Err(FramingError::Truncated { expected: length, actual: filled });
        }
        filled += count;
    }
    Ok(body.into())
}

/// Writes one message and hands it to the transport.
///
/// # Errors
/// [`FramingError::Slow`] or [`FramingError::Broken`].
pub async fn write<S: AsyncWrite + Unpin>(stream: &mut S, message: &[u8]) -> Result<(), FramingError> {
    let time = transfer_time(message.len());
    let whole = async {
        stream.write_all(&prefix(message.len())).await?;
        stream.write_all(message).await?;
        stream.flush().await
    };
    let outcome = timeout(time, whole).await.map_err(|_| FramingError::Slow { limit: time })?;
    outcome.map_err(|source| FramingError::Broken { source })
}

/// The length of a message as a uvarint.
fn prefix(length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX_BYTES_MAX);
    prost::encode_length_delimiter(length, &mut bytes).expect("a vector grows");
    bytes
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use libp2p::futures::io::Cursor;

    use super::*;

    async fn read_all(bytes: &[u8], limit: usize) -> Result<Bytes, FramingError> {
        read(&mut Cursor::new(bytes), limit, Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 16_384, 1 << 20] {
            let message = vec![7; length];
            let mut stream = Cursor::new(Vec::new());
            write(&mut stream, &message).await.expect("memory");
            write(&mut stream, b"next").await.expect("memory");
            stream.set_position(0);
            assert_eq!(read(&mut stream, length, Duration::from_secs(1)).await.expect("a message"), message);
            assert_eq!(read(&mut stream, 4, Duration::from_secs(1)).await.expect("a message"), &b"next"[..]);
            assert!(matches!(read(&mut stream, 4, Duration::from_secs(1)).await, Err(FramingError::Ended)));
        }
    }

    #[tokio::test]
    async fn each_hostile_stream_has_its_reason() {
        assert!(matches!(read_all(&[0x85], 9).await, Err(FramingError::Length)));
        assert!(matches!(read_all(&[0x85, 0x00], 9).await, Err(FramingError::Length)));
        assert!(matches!(read_all(&[0xff; 5], 9).await, Err(FramingError::Length)));
        assert!(matches!(read_all(&[10], 9).await, Err(FramingError::TooLong { bytes: 10, limit: 9 })));
        let truncated = read_all(&[9, 1, 2], 9).await;
        assert!(matches!(truncated, Err(FramingError::Truncated { expected: 9, actual: 2 })));
    }

    /// A stream on which nothing ever comes.
    struct Silent;

    impl AsyncRead for Silent {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_silent_peer_is_given_up() {
        let idle = Duration::from_millis(1);
        assert!(matches!(read(&mut Silent, 9, idle).await, Err(FramingError::Slow { limit }) if limit == idle));
    }
}
