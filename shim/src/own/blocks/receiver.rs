//! Version 2, the receiving side: frames into blocks.
//!
//! A part is kept once its proof leads to the root that the head names, and an unproven byte never outlives the
//! frame that it came in; the extended commit, which no proof covers, is bounded and judged with the block. Every
//! piece advances the state, so a stream cannot go on without end.

use bytes::Bytes;
use proofs::merkle::{Inclusion, leaf_hash};
use proto::hello::Heights;
use proto::wire::blocks2::{Part, Piece, Request, piece};

use crate::own::limits::PART_BYTES;
use crate::source::OfferedBlock;

use super::frame::{Content, next_piece};
use super::{BlockHead, Check, Expander, Fault, one};

/// Takes the blocks of a range, over as many streams as that needs.
pub struct Receiver {
    next: u64,
    last: u64,
    current: Option<Incoming>,
    /// A head must come before anything else: at the beginning of a stream and after each block.
    awaits_head: bool,
    expander: Expander,
}

/// A block of which parts are here.
struct Incoming {
    head: BlockHead,
    next_part: u32,
    block: Vec<u8>,
    extended_commit: Vec<u8>,
}

/// Where a receiver stands after a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More frames come.
    More,
    /// All blocks are here.
    Done,
}

impl Receiver {
    /// A receiver of the blocks of a range.
    #[must_use]
    pub fn new(heights: Heights) -> Self {
        let (next, last) = (heights.base(), heights.top());
        Self { next, last, current: None, awaits_head: true, expander: Expander::default() }
    }

    /// Whether all blocks are here.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.next > self.last
    }

    /// The lowest height that is not here yet.
    #[must_use]
    pub const fn next_height(&self) -> u64 {
        self.next
    }

    /// How much is here: grows with every frame that is taken.
    #[must_use]
    pub fn parts_taken(&self) -> (u64, u32) {
        (self.next, self.current.as_ref().map_or(0, |incoming| incoming.next_part))
    }

    /// Begins a new stream: what to ask for, so that nothing comes twice but a head and an extended commit.
    pub fn begin(&mut self) -> Request {
        self.awaits_head = true;
        if let Some(incoming) = &mut self.current {
            incoming.extended_commit.clear();
        }
        Request { first: self.next, last: self.last, first_part: self.parts_taken().1 }
    }

    /// Takes a frame, and hands each finished block to `check`.
    ///
    /// # Errors
    /// [`Fault`]: the stream is to be given up. What was taken before stays, unless the fault is
    /// [`Fault::HeadChanged`] or [`Fault::Rejected`], which discard the block in hand.
    pub fn take(&mut self, frame: Bytes, check: &mut dyn Check) -> Result<Progress, Fault> {
        match self.expander.open(frame)? {
            Content::Pieces(mut pieces) => {
                if pieces.is_empty() {
                    return Err(Fault::Malformed { what: "a frame without pieces" });
                }
                while let Some(piece) = next_piece(&mut pieces)? {
                    self.piece(piece, check)?;
                }
                Ok(self.progress())
            }
            Content::Refusal(refusal) => Err(Fault::Refused(refusal)),
        }
    }

    /// Takes the response of version 1 to a request for [`Receiver::next_height`].
    ///
    /// # Errors
    /// [`Fault`]; a block of which parts are here is discarded.
    pub fn take_whole(&mut self, response: Bytes, check: &mut dyn Check) -> Result<Progress, Fault> {
        self.current = None;
        self.awaits_head = true;
        one::take(self.next, response, check)?;
        self.next += 1;
        Ok(self.progress())
    }

    const fn progress(&self) -> Progress {
        if self.is_complete() { Progress::Done } else { Progress::More }
    }

    fn piece(&mut self, piece: Piece, check: &mut dyn Check) -> Result<(), Fault> {
        match (piece.kind, &mut self.current) {
            (Some(piece::Kind::Head(head)), _) if self.awaits_head => self.head(BlockHead::from_wire(&head)?, check)?,
            (Some(piece::Kind::Part(part)), Some(incoming)) if !self.awaits_head => incoming.part(&part)?,
            (Some(piece::Kind::ExtendedCommit(bytes)), Some(incoming)) if !self.awaits_head => {
                incoming.extend(&bytes)?;
            }
            (None, _) => return Err(Fault::Malformed { what: "an unknown piece" }),
            _ => return Err(Fault::Malformed { what: "a piece out of its place" }),
        }
        self.finish(check)
    }

    fn head(&mut self, head: BlockHead, check: &mut dyn Check) -> Result<(), Fault> {
        let (expected, actual) = (self.next, head.height);
        if self.is_complete() {
            return Err(Fault::Malformed { what: "a block after the last" });
        }
        if expected != actual {
            return Err(Fault::Height { expected, actual });
        }
        match &self.current {
            Some(incoming) if incoming.head == head => {}
            Some(incoming) if incoming.next_part > 0 => {
                self.current = None;
                return Err(Fault::HeadChanged { height: actual });
            }
            _ => {
                check.head(&head).map_err(|source| Fault::Rejected { height: actual, source })?;
                self.current = Some(Incoming { head, next_part: 0, block: Vec::new(), extended_commit: Vec::new() });
            }
        }
        self.awaits_head = false;
        Ok(())
    }

    /// Hands the block in hand over when it is whole.
    fn finish(&mut self, check: &mut dyn Check) -> Result<(), Fault> {
        let Some(incoming) = self.current.take_if(|incoming| incoming.is_whole()) else { return Ok(()) };
        let Incoming { head, block, extended_commit, .. } = incoming;
        let extended_commit = head.extended_commit_bytes.map(|_| extended_commit.into());
        let block = OfferedBlock { height: head.height, hash: head.hash, block: block.into(), extended_commit };
        let height = head.height;
        check.block(&head, block).map_err(|source| Fault::Rejected { height, source })?;
        self.awaits_head = true;
        self.next += 1;
        Ok(())
    }
}

impl Incoming {
    fn is_whole(&self) -> bool {
        self.next_part == self.head.part_count
            && self.extended_commit.len() == self.head.extended_commit_bytes.unwrap_or(0)
    }

    fn part(&mut self, part: &Part) -> Result<(), Fault> {
        let (height, expected) = (self.head.height, self.next_part);
        let (bytes, expected_bytes) = (part.bytes.len(), self.head.part_bytes(expected));
        if part.index != expected || expected >= self.head.part_count || bytes != expected_bytes {
            return Err(Fault::Part { height, expected, expected_bytes, actual: part.index, bytes });
        }
        let (aunts, []) = part.aunts.as_chunks() else {
            return Err(Fault::Malformed { what: "a path that is not made of hashes" });
        };
        let total = self.head.part_count.into();
        let claim = Inclusion { total, index: expected.into(), leaf_hash: leaf_hash(&part.bytes), aunts };
        let proof = claim.verify(&self.head.part_set_hash);
        proof.map_err(|source| Fault::Proof { height, index: expected, source })?;
        self.block.extend_from_slice(&part.bytes);
        self.next_part += 1;
        Ok(())
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let (height, expected) = (self.head.height, self.head.extended_commit_bytes.unwrap_or(0));
        let actual = self.extended_commit.len() + bytes.len();
        if bytes.is_empty() || bytes.len() > PART_BYTES || self.next_part < self.head.part_count {
            return Err(Fault::Malformed { what: "a piece of an extended commit of no size or out of its place" });
        }
        if actual > expected {
            return Err(Fault::ExtendedCommit { height, expected, actual });
        }
        self.extended_commit.extend_from_slice(bytes);
        Ok(())
    }
}
