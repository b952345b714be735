//! From bytes of the socket to the messages inside the frames.
//!
//! A message is a varint length and so many bytes; frames and messages need not begin together. Memory is bounded: one
//! frame, and one message up to the limit of the stage, beside what one call of [`SecretReader::push`] brought.

use super::super::delimited::{self, DelimitedError};
use super::frame::{FrameError, Opener, SEALED_BYTES};

/// Opens frames and cuts their text into messages.
pub struct SecretReader {
    opener: Opener,
    /// The begin of a frame that is not there as a whole.
    sealed: Vec<u8>,
    text: Vec<u8>,
    /// Bytes of `text` that were handed out.
    done: usize,
}

impl SecretReader {
    /// Reads what `opener` opens.
    #[must_use]
    pub fn new(opener: Opener) -> Self {
        Self { opener, sealed: Vec::with_capacity(SEALED_BYTES), text: Vec::new(), done: 0 }
    }

    /// Takes bytes as they came; whole frames among them are opened. Messages should be taken out before the next call.
    ///
    /// # Errors
    /// [`FrameError`]: nothing that comes later can be read.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), FrameError> {
        self.text.drain(..self.done);
        self.done = 0;
        if !self.sealed.is_empty() {
            let missing = SEALED_BYTES - self.sealed.len();
            let Some((end, rest)) = bytes.split_at_checked(missing) else {
                self.sealed.extend_from_slice(bytes);
                return Ok(());
            };
            self.sealed.extend_from_slice(end);
            let frame = self.sealed.as_slice().try_into().expect("filled up to a whole frame");
            self.opener.open(frame, &mut self.text)?;
            self.sealed.clear();
            bytes = rest;
        }
        let (frames, rest) = bytes.as_chunks::<SEALED_BYTES>();
        for frame in frames {
            self.opener.open(frame, &mut self.text)?;
        }
        self.sealed.extend_from_slice(rest);
        Ok(())
    }

    /// The next whole message of at most `limit` bytes, or `None` until more bytes come.
    ///
    /// # Errors
    /// [`DelimitedError`]: nothing that comes later can be read.
    pub fn message(&mut self, limit: usize) -> Result<Option<&[u8]>, DelimitedError> {
        let text = self.text.get(self.done..).unwrap_or_default();
        let Some((message, bytes)) = delimited::split(text, limit)? else { return Ok(None) };
        self.done += bytes;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::Sealer;
    use super::*;

    #[test]
    fn messages_come_out_whole_however_the_bytes_arrive() {
        let key = [3; 32];
        let messages: Vec<Vec<u8>> = [0, 1, 127, 128, 1_024, 3_000, 5].map(|n| vec![7; n]).to_vec();
        let mut text = Vec::new();
        messages.iter().for_each(|message| delimited::put(&mut text, message));
        let (mut sealer, mut sealed) = (Sealer::new(&key), Vec::new());
        // Frames of odd sizes: messages begin in the middle of some and span others.
        for chunk in text.chunks(777) {
            sealer.seal(chunk, &mut sealed).expect("seals");
        }
        for step in [1, 7, 1_043, 1_044, 1_045, 10_000] {
            let mut reader = SecretReader::new(Opener::new(&key));
            let mut read = Vec::new();
            for bytes in sealed.chunks(step) {
                reader.push(bytes).expect("opens");
                while let Some(message) = reader.message(3_000).expect("fits") {
                    read.push(message.to_vec());
                }
            }
            assert_eq!(read, messages, "in steps of {step}");
        }
    }
}
