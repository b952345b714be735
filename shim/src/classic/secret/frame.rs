//! The frames of a secret connection: 1,024 bytes of text at most, always 1,044 bytes on the wire.
//!
//! ```text
//! sealed frame = ChaCha20-Poly1305(key of the direction, nonce, frame), tag of 16 bytes last
//! frame        = length of the text u32le ‖ text ‖ filling up to 1,028 bytes
//! nonce        = 00000000 ‖ number of the frame u64le, from 0
//! ```
//! Source: CometBFT `p2p/conn/secret_connection.go`, `Write` and `Read`. A nonce is never used twice: a direction that
//! has sent 2^64 - 1 frames ends. Never hands out text whose tag did not hold.

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce, Tag};

/// Bytes of text in a full frame.
pub const TEXT_BYTES: usize = 1_024;
/// Bytes of a frame before it is sealed.
const FRAME_BYTES: usize = LENGTH_BYTES + TEXT_BYTES;
/// Bytes of a frame on the wire.
pub const SEALED_BYTES: usize = FRAME_BYTES + TAG_BYTES;
const LENGTH_BYTES: usize = 4;
const TAG_BYTES: usize = 16;

/// Why a frame cannot be opened or made. The connection is over with any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Its tag does not hold: bytes were changed, lost, repeated or out of order, or the keys differ.
    #[error("frame {number} was not sealed with the key of this connection")]
    Forged {
        /// Its number, from 0.
        number: u64,
    },
    /// It claims more text than fits.
    #[error("frame {number} claims {actual} bytes of text, at most {TEXT_BYTES} fit")]
    Length {
        /// Its number, from 0.
        number: u64,
        /// The length in it.
        actual: u32,
    },
    /// The numbers of a direction are used up.
    #[error("no more frames can be numbered")]
    Exhausted,
}

/// The number of the next frame of a direction.
#[derive(Debug, Default)]
struct Counter(u64);

impl Counter {
    /// The nonce of the next frame, and its number.
    fn next(&mut self) -> Result<(Nonce, u64), FrameError> {
        let number = self.0;
        self.0 = number.checked_add(1).ok_or(FrameError::Exhausted)?;
        let mut nonce = Nonce::default();
        let (_, counter) = nonce.split_at_mut(4);
        counter.copy_from_slice(&number.to_le_bytes());
        Ok((nonce, number))
    }
}

/// Seals what one side says.
pub struct Sealer {
    cipher: ChaCha20Poly1305,
    counter: Counter,
}

impl Sealer {
    /// Seals with the key of the direction.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self { cipher: ChaCha20Poly1305::new(Key::from_slice(key)), counter: Counter::default() }
    }

    /// Appends `text` to `out`, in as many frames as it needs; none for no text.
    ///
    /// # Errors
    /// [`FrameError::Exhausted`].
    pub fn seal(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        out.reserve(text.len().div_ceil(TEXT_BYTES) * SEALED_BYTES);
        for chunk in text.chunks(TEXT_BYTES) {
            let (nonce, _) = self.counter.next()?;
            let mut frame = [0; FRAME_BYTES];
            let (length, place) = frame.split_at_mut(LENGTH_BYTES);
            let bytes = u32::try_from(chunk.len()).expect("a chunk has at most 1,024 bytes");
            length.copy_from_slice(&bytes.to_le_bytes());
            place[..chunk.len()].copy_from_slice(chunk);
            let tag = self.cipher.encrypt_in_place_detached(&nonce, &[], &mut frame);
            out.extend_from_slice(&frame);
            out.extend_from_slice(&tag.expect("1,028 bytes are far below the cipher's limit"));
        }
        Ok(())
    }
}

/// Opens what the other side says.
pub struct Opener {
    cipher: ChaCha20Poly1305,
    counter: Counter,
}

impl Opener {
    /// Opens with the key of the direction.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self { cipher: ChaCha20Poly1305::new(Key::from_slice(key)), counter: Counter::default() }
    }

    /// Opens the next frame and appends its text to `out`.
    ///
    /// # Errors
    /// [`FrameError`]; nothing is appended then.
    pub fn open(&mut self, sealed: &[u8; SEALED_BYTES], out: &mut Vec<u8>) -> Result<(), FrameError> {
        let (nonce, number) = self.counter.next()?;
        let (body, tag) = sealed.split_at(FRAME_BYTES);
        let mut frame = [0; FRAME_BYTES];
        frame.copy_from_slice(body);
        let opened = self.cipher.decrypt_in_place_detached(&nonce, &[], &mut frame, Tag::from_slice(tag));
        opened.map_err(|_| FrameError::Forged { number })?;
        let (length, text) = frame.split_at(LENGTH_BYTES);
        let actual = u32::from_le_bytes(length.try_into().expect("split at four bytes"));
        let said = usize::try_from(actual).ok().and_then(|length| text.get(..length));
        out.extend_from_slice(said.ok_or(FrameError::Length { number, actual })?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn frames(sealed: &[u8]) -> Vec<[u8; SEALED_BYTES]> {
        sealed.chunks(SEALED_BYTES).map(|frame| frame.try_into().expect("whole frames")).collect()
    }

    #[test]
    fn text_of_any_length_comes_back_in_whole_frames() {
        let (mut sealer, mut opener) = (Sealer::new(&KEY), Opener::new(&KEY));
        for length in [0, 1, 103, 1_023, 1_024, 1_025, 5_000] {
            let text: Vec<u8> = (0..length).map(|byte: usize| byte.to_le_bytes()[0]).collect();
            let (mut sealed, mut opened) = (Vec::new(), Vec::new());
            sealer.seal(&text, &mut sealed).expect("seals");
            assert_eq!(sealed.len(), length.div_ceil(TEXT_BYTES) * SEALED_BYTES);
            for frame in frames(&sealed) {
                opener.open(&frame, &mut opened).expect("opens");
            }
            assert_eq!(opened, text);
        }
    }

    #[test]
    fn a_changed_repeated_or_skipped_frame_is_refused() {
        let mut sealed = Vec::new();
        Sealer::new(&KEY).seal(&[1; 3_000], &mut sealed).expect("seals");
        let [first, second, _] = frames(&sealed).try_into().expect("three frames");
        let mut out = Vec::new();
        for place in [0, 3, 4, 500, FRAME_BYTES, SEALED_BYTES - 1] {
            let mut changed = first;
            changed[place] ^= 1;
            let refused = Opener::new(&KEY).open(&changed, &mut out);
            assert_eq!(refused, Err(FrameError::Forged { number: 0 }));
        }
        let mut opener = Opener::new(&KEY);
        opener.open(&first, &mut Vec::new()).expect("opens");
        assert_eq!(opener.open(&first, &mut out), Err(FrameError::Forged { number: 1 }));
        assert_eq!(Opener::new(&KEY).open(&second, &mut out), Err(FrameError::Forged { number: 0 }));
        assert_eq!(Opener::new(&[8; 32]).open(&first, &mut out), Err(FrameError::Forged { number: 0 }));
        assert!(out.is_empty());
    }

    #[test]
    fn a_length_beyond_the_frame_is_refused_although_its_tag_holds() {
        for actual in [1_025, u32::MAX] {
            let mut frame = [0; FRAME_BYTES];
            frame[..4].copy_from_slice(&actual.to_le_bytes());
            let cipher = ChaCha20Poly1305::new(Key::from_slice(&KEY));
            let tag = cipher.encrypt_in_place_detached(&Nonce::default(), &[], &mut frame).expect("encrypts");
            let sealed: [u8; SEALED_BYTES] = [&frame[..], &tag].concat().try_into().expect("a frame");
            let mut out = Vec::new();
            let refused = Opener::new(&KEY).open(&sealed, &mut out);
            assert_eq!(refused, Err(FrameError::Length { number: 0, actual }));
            assert!(out.is_empty());
        }
    }

    #[test]
    fn numbers_end_before_one_is_used_twice() {
        let mut counter = Counter(u64::MAX - 1);
        assert_eq!(counter.next().map(|(_, number)| number), Ok(u64::MAX - 1));
        assert_eq!(counter.next(), Err(FrameError::Exhausted));
        assert_eq!(counter.next(), Err(FrameError::Exhausted));
    }
}
