//! Version 2, the sending side: a request and a source of blocks into frames.

use bytes::Bytes;
use proto::wire::blocks2::{Part, Piece, Request, piece};

use crate::own::limits::{FRAME_TARGET_BYTES, HEIGHTS_MAX, PART_BYTES};
use crate::source::{BlockSource, Offer};

use super::frame;
use super::{BlockHead, Code, Packer, PartSet, Refusal};

/// Answers one request. Holds one block at a time.
pub struct Sender {
    next: u64,
    last: u64,
    /// Parts of the first block that the receiver has.
    first_part: u32,
    current: Option<Outgoing>,
    packer: Packer,
    refusal: Option<Refusal>,
}

/// A block on its way.
struct Outgoing {
    head: BlockHead,
    is_announced: bool,
    parts: PartSet,
    next_part: u32,
    extended_commit: Bytes,
}

impl Sender {
    /// Takes a request for what is offered.
    ///
    /// # Errors
    /// [`Refusal`] of a request that is malformed, asks for too much, or for what is not offered.
    pub fn new(request: &Request, offer: Option<Offer>) -> Result<Self, Refusal> {
        let Request { first, last, first_part } = *request;
        if first == 0 || first > last || last - first >= HEIGHTS_MAX {
            let reason = format!("heights {first} to {last} are no range of 1 to {HEIGHTS_MAX} heights");
            return Err(Refusal::new(Code::BadRequest, reason));
        }
        if !offer.is_some_and(|Offer { base, top }| base <= first && last <= top) {
            return Err(Refusal::not_offered(first, last, offer));
        }
        Ok(Self { next: first, last, first_part, current: None, packer: Packer::default(), refusal: None })
    }

    /// The next frame; `None` after the last. Reads from the source, so it may block the thread.
    pub fn next_frame(&mut self, source: &dyn BlockSource) -> Option<Vec<u8>> {
        if self.refusal.is_some() {
            return None;
        }
        let mut pieces = Vec::new();
        match self.collect(source, &mut pieces) {
            Ok(()) if pieces.is_empty() => None,
            Ok(()) => Some(self.packer.pack(pieces)),
            // What was collected is whole: it goes first, and the refusal comes again with the next frame.
            Err(_) if !pieces.is_empty() => Some(self.packer.pack(pieces)),
            Err(refusal) => Some(frame::refusal(self.refusal.insert(refusal))),
        }
    }

    /// Why it ended before the last block, if it did.
    #[must_use]
    pub fn into_refusal(self) -> Option<Refusal> {
        self.refusal
    }

    /// Collects pieces for one frame; none when all was sent.
    fn collect(&mut self, source: &dyn BlockSource, pieces: &mut Vec<Piece>) -> Result<(), Refusal> {
        let mut bytes = 0;
        while bytes < FRAME_TARGET_BYTES {
            let outgoing = match &mut self.current {
                Some(outgoing) => outgoing,
                None if self.next > self.last => return Ok(()),
                None => self.current.insert(Outgoing::load(self.next, self.first_part, source)?),
            };
            match outgoing.next_piece() {
                Some((piece, size)) => {
                    pieces.push(Piece { kind: Some(piece) });
                    bytes += size;
                }
                None => {
                    self.current = None;
                    self.first_part = 0;
                    self.next += 1;
                }
            }
        }
        Ok(())
    }
}

impl Outgoing {
    fn load(height: u64, first_part: u32, source: &dyn BlockSource) -> Result<Self, Refusal> {
        let block = source.block(height).map_err(|error| Refusal::new(Code::Source, error))?;
        let block = block.ok_or_else(|| Refusal::not_offered(height, height, source.offer()))?;
        let parts = PartSet::new(block.block.clone());
        let too_large = || Refusal::new(Code::Source, format!("height {height} is empty or too large to be sent"));
        let head = parts.head(&block).ok_or_else(too_large)?;
        if first_part > head.part_count {
            let reason = format!("part {first_part} of height {height} was asked for, which has {}", head.part_count);
            return Err(Refusal::new(Code::BadRequest, reason));
        }
        let extended_commit = block.extended_commit.unwrap_or_default();
        Ok(Self { head, is_announced: false, parts, next_part: first_part, extended_commit })
    }

    /// The next piece and about how many bytes it takes.
    fn next_piece(&mut self) -> Option<(piece::Kind, usize)> {
        if !self.is_announced {
            self.is_announced = true;
            return Some((piece::Kind::Head(self.head.to_wire()), 96));
        }
        if let Some((bytes, aunts)) = self.parts.part(self.next_part) {
            let part = Part { index: self.next_part, bytes, aunts: aunts.concat().into() };
            self.next_part += 1;
            let size = part.bytes.len() + part.aunts.len() + 16;
            return Some((piece::Kind::Part(part), size));
        }
        if self.extended_commit.is_empty() {
            return None;
        }
        let bytes = self.extended_commit.split_to(self.extended_commit.len().min(PART_BYTES));
        let size = bytes.len() + 8;
        Some((piece::Kind::ExtendedCommit(bytes), size))
    }
}
