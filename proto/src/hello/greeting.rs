//! A hello as it is sent, with its place among those of a connection.

use prost::Message;

use crate::wire;

use super::{HELLO_BYTES_MAX, Hello, HelloError};

/// Longest greeting on the wire, without its length.
pub const GREETING_BYTES_MAX: usize = HELLO_BYTES_MAX + 16;

/// A hello and its place: streams may overtake each other, and a hello that came late must not replace a newer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// From 1, one more for each greeting of the sender on the connection.
    pub sequence: u64,
    /// Who the sender is and what it speaks.
    pub hello: Hello,
}

impl Greeting {
    /// Reads a greeting.
    ///
    /// # Errors
    /// [`HelloError`]: the first thing that is out of bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, HelloError> {
        if bytes.len() > GREETING_BYTES_MAX {
            return Err(HelloError::TooLong { bytes: bytes.len() });
        }
        let wire = wire::hello::Greeting::decode(bytes).map_err(|source| HelloError::Malformed { source })?;
        Ok(Self { sequence: wire.sequence, hello: Hello::decode(&wire.hello)? })
    }

    /// Writes the greeting; at most [`GREETING_BYTES_MAX`] bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        wire::hello::Greeting { sequence: self.sequence, hello: self.hello.encode().into() }.encode_to_vec()
    }
}
