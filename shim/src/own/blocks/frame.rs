//! Frames of version 2 and their compression.
//!
//! Data that does not shrink goes as it is, and after a few such frames compression is tried less and less often:
//! blocks full of random bytes must not cost the time of both.

use bytes::Bytes;
use prost::Message;
use proto::wire::blocks2::{Compressed, Frame, Piece, Pieces, frame};
use zstd_safe::{CCtx, DCtx};

use crate::own::limits::{FRAME_BYTES_MAX, FRAME_EXPANDED_MAX};

use super::{Fault, Refusal};

/// Zstandard's fastest regular level: the exchange is for networks faster than a disk.
const LEVEL: i32 = 1;

/// Most frames in a row for which compression is not even tried.
const PAUSE_MAX: u32 = 64;

/// Makes frames. Keeps the state of the compressor, about 1 MiB.
pub struct Packer {
    context: CCtx<'static>,
    /// Frames for which compression is not tried.
    pause: u32,
    /// How long the next pause is.
    next_pause: u32,
}

/// Expands frames. Keeps the state of the expander, about 150 KiB.
pub struct Expander {
    context: DCtx<'static>,
}

/// What a frame holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// The encoding of pieces.
    Pieces(Bytes),
    /// Nothing more comes.
    Refusal(Refusal),
}

impl Default for Packer {
    fn default() -> Self {
        Self { context: CCtx::create(), pause: 0, next_pause: 1 }
    }
}

impl Packer {
    /// The frame of some pieces, compressed where that makes it smaller by a sixteenth.
    pub fn pack(&mut self, pieces: Vec<Piece>) -> Vec<u8> {
        let pieces = Pieces { pieces };
        if self.pause > 0 {
            self.pause -= 1;
            return encode(frame::Kind::Pieces(pieces));
        }
        let expanded = pieces.encode_to_vec();
        match self.compress(&expanded) {
            Some(compressed) => {
                self.next_pause = 1;
                encode(frame::Kind::Compressed(compressed))
            }
            None => {
                self.pause = self.next_pause;
                self.next_pause = PAUSE_MAX.min(self.next_pause * 2);
                encode(frame::Kind::Pieces(pieces))
            }
        }
    }

    fn compress(&mut self, expanded: &[u8]) -> Option<Compressed> {
        let expanded_bytes = u32::try_from(expanded.len()).ok()?;
        // No more room than what makes it worth while: the compressor stops there.
        let mut compressed = vec![0; expanded.len() - expanded.len() / 16];
        let length = self.context.compress(&mut compressed[..], expanded, LEVEL).ok()?;
        compressed.truncate(length);
        Some(Compressed { expanded_bytes, zstd: compressed.into() })
    }
}

/// The frame that ends a stream early.
#[must_use]
pub fn refusal(refusal: &Refusal) -> Vec<u8> {
    encode(frame::Kind::Refusal(refusal.to_wire()))
}

fn encode(kind: frame::Kind) -> Vec<u8> {
    Frame { kind: Some(kind) }.encode_to_vec()
}

impl Default for Expander {
    fn default() -> Self {
        Self { context: DCtx::create() }
    }
}

impl Expander {
    /// What a frame holds, expanded.
    ///
    /// # Errors
    /// [`Fault::Malformed`].
    pub(super) fn open(&mut self, frame: Bytes) -> Result<Content, Fault> {
        if frame.len() > FRAME_BYTES_MAX {
            return Err(Fault::Malformed { what: "a frame that is too long" });
        }
        match tag(&frame) {
            // Read by hand: decoded as a message, pieces could take sixty times their bytes.
            Some(PIECES_TAG) => Ok(Content::Pieces(only_field(frame)?)),
            _ => self.open_message(frame),
        }
    }

    fn open_message(&mut self, frame: Bytes) -> Result<Content, Fault> {
        let frame = Frame::decode(frame).map_err(|_| Fault::Malformed { what: "a frame that does not decode" })?;
        match frame.kind {
            Some(frame::Kind::Compressed(compressed)) => self.expand(&compressed).map(Content::Pieces),
            Some(frame::Kind::Refusal(refusal)) => Ok(Content::Refusal(Refusal::from_wire(&refusal))),
            Some(frame::Kind::Pieces(_)) => Err(Fault::Malformed { what: "a frame with two contents" }),
            None => Err(Fault::Malformed { what: "a frame without a known content" }),
        }
    }

    fn expand(&mut self, compressed: &Compressed) -> Result<Bytes, Fault> {
        let length = compressed.expanded_bytes as usize;
        if length > FRAME_EXPANDED_MAX {
            return Err(Fault::Malformed { what: "a frame that expands to too much" });
        }
        let mut expanded = vec![0; length];
        match self.context.decompress(&mut expanded[..], &compressed.zstd) {
            Ok(actual) if actual == length => Ok(expanded.into()),
            _ => Err(Fault::Malformed { what: "a compressed frame that does not expand to the size announced" }),
        }
    }
}

/// Field 1 with a length: `pieces` of a frame, and each of the pieces in it.
const PIECES_TAG: u8 = 0x0a;

fn tag(message: &[u8]) -> Option<u8> {
    message.first().copied()
}

/// The content of a message that is one field 1 and nothing else.
fn only_field(message: Bytes) -> Result<Bytes, Fault> {
    let mut rest = message;
    let field = next_field(&mut rest)?;
    if rest.is_empty() { Ok(field) } else { Err(Fault::Malformed { what: "a frame with two contents" }) }
}

/// Takes field 1 with its length from the beginning.
fn next_field(rest: &mut Bytes) -> Result<Bytes, Fault> {
    let malformed = Fault::Malformed { what: "pieces that do not decode" };
    if tag(rest) != Some(PIECES_TAG) {
        return Err(malformed);
    }
    let mut after_tag = rest.slice(1..);
    let length = prost::decode_length_delimiter(&mut after_tag).map_err(|_| malformed.clone())?;
    if length > after_tag.len() {
        return Err(malformed);
    }
    let field = after_tag.split_to(length);
    *rest = after_tag;
    Ok(field)
}

/// Takes the next piece from the encoding of pieces; `None` at its end.
pub(super) fn next_piece(rest: &mut Bytes) -> Result<Option<Piece>, Fault> {
    if rest.is_empty() {
        return Ok(None);
    }
    let piece =
        Piece::decode(next_field(rest)?).map_err(|_| Fault::Malformed { what: "a piece that does not decode" })?;
    Ok(Some(piece))
}
