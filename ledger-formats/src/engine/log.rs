//! The framing of logs: MANIFEST, goleveldb journal, Pebble and RocksDB write-ahead log.
//!
//! ```text
//! file    blocks of 32 KiB; a chunk never crosses one; fewer bytes left than a header: padding
//! record  FULL | FIRST MIDDLE* LAST
//! chunk   u32 masked CRC32c over all that follows the length ‖ u16 payload length ‖ u8 type
//!         ‖ u32 log number                       (types 5..8 and 9..12)
//!         ‖ u64 synced offset                    (types 9..12)
//!         ‖ payload
//! types   FULL FIRST MIDDLE LAST = 1 2 3 4 legacy, 5 6 7 8 recyclable, 9 10 11 12 WAL sync
//! ```
//! (LevelDB `doc/log_format.md`; Pebble `record/record.go`.) A chunk with the number of another log
//! is what a recycled file held before, or Pebble's mark of a clean close: the log ends there.
//!
//! This module must never skip a damaged place: it stops there, says so, and says whether anything
//! valid follows, because engines differ in what they do then and some of them mix states.

use std::io::{self, Read};

use super::checksum::masked_crc;

/// Length of a block.
const BLOCK: usize = 32 << 10;
/// Length of the legacy header, which starts every header.
const HEADER: usize = 7;
/// Length of the longest header.
const HEADER_MAX: usize = HEADER + 12;

/// Which chunk types a log may hold, and the number that its numbered chunks must carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    /// Types 1 to 4: MANIFEST of every engine, goleveldb journal.
    Legacy,
    /// Types 1 to 8: RocksDB's log with this file number.
    RocksDb(u32),
    /// Types 1 to 12: Pebble's log with this file number.
    Pebble(u32),
}

impl LogForm {
    /// Bytes that the header of a chunk of type `kind` has beyond the legacy one, and the number it
    /// must carry; `None` for a type that such a log does not hold.
    fn numbered(self, kind: u8) -> Option<(usize, Option<u32>)> {
        match (kind, self) {
            (1..=4, _) => Some((0, None)),
            (5..=8, Self::RocksDb(number) | Self::Pebble(number)) => Some((4, Some(number))),
            (9..=12, Self::Pebble(number)) => Some((12, Some(number))),
            _ => None,
        }
    }
}

/// Where and how a log ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEnd {
    /// Exactly behind a record; an empty file too.
    Whole,
    /// Behind a record, at a chunk of another log: a recycled file or Pebble's end mark.
    OtherLog {
        /// Offset of that chunk.
        offset: u64,
    },
    /// At something that is no chunk: a torn write, preallocated zeroes, or damage.
    Torn {
        /// Offset of the first byte that belongs to no whole record.
        offset: u64,
        /// What is there.
        reason: &'static str,
        /// Offset of a valid chunk behind it, if there is one: then it is not simply the end.
        valid_after: Option<u64>,
    },
}

/// One record of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Offset of its first chunk.
    pub offset: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Reads the records of a log from front to back.
#[derive(Debug)]
pub struct LogReader<R> {
    input: R,
    form: LogForm,
    block: Vec<u8>,
    spare: Vec<u8>,
    block_offset: u64,
    at: usize,
    joined: Vec<u8>,
    /// Offset behind the last whole record.
    whole: u64,
    end: Option<LogEnd>,
}

/// What stands at a place of a block.
enum Place {
    /// A valid chunk: its part of a record, the place of its payload.
    Chunk(Part, std::ops::Range<usize>),
    /// Padding, or the end of the block.
    BlockEnd,
    /// A chunk of another log.
    Other,
    /// No chunk.
    Broken(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Full,
    First,
    Middle,
    Last,
}

/// Where a finished record lies.
enum Found {
    InBlock(std::ops::Range<usize>),
    Joined,
}

impl<R: Read> LogReader<R> {
    /// A reader of a log of this form.
    pub fn new(input: R, form: LogForm) -> Self {
        Self {
            input,
            form,
            block: Vec::new(),
            spare: Vec::new(),
            block_offset: 0,
            at: 0,
            joined: Vec::new(),
            whole: 0,
            end: None,
        }
    }

    /// The next record, or `None` at the end; [`LogReader::end`] then says what the end looks like.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&mut self) -> io::Result<Option<Record<'_>>> {
        if self.end.is_some() {
            return Ok(None);
        }
        let Some((offset, found)) = self.find()? else { return Ok(None) };
        let bytes = match found {
            Found::InBlock(range) => self.block.get(range).unwrap_or_default(),
            Found::Joined => &self.joined,
        };
        Ok(Some(Record { offset, bytes }))
    }

    /// The end, once [`LogReader::read`] returned `None`.
    #[must_use]
    pub fn end(&self) -> Option<&LogEnd> {
        self.end.as_ref()
    }

    /// Offset behind the last whole record so far.
    #[must_use]
    pub fn whole(&self) -> u64 {
        self.whole
    }

    fn find(&mut self) -> io::Result<Option<(u64, Found)>> {
        // Offset of the record's first chunk, once it was seen.
        let mut start = None;
        loop {
            let here = self.block_offset + self.at as u64;
            let (part, payload) = match self.place(self.at) {
                Place::Chunk(part, payload) => (part, payload),
                Place::BlockEnd => {
                    if self.next_block()? {
                        continue;
                    }
                    let cut = start.map(|offset| (offset, "a record that is cut off"));
                    return self.finish(cut.or_else(|| self.cut_header(here)));
                }
                Place::Other if start.is_none() => {
                    self.end = Some(LogEnd::OtherLog { offset: here });
                    return Ok(None);
                }
                Place::Other => return self.finish(start.map(|offset| (offset, "a record cut off by another log"))),
                Place::Broken(reason) => return self.finish(Some((start.unwrap_or(here), reason))),
            };
            match (part, start) {
                (Part::Full, None) => {
                    self.at = payload.end;
                    self.whole = self.block_offset + self.at as u64;
                    return Ok(Some((here, Found::InBlock(payload))));
                }
                (Part::First, None) => {
                    start = Some(here);
                    self.joined.clear();
                }
                (Part::Middle | Part::Last, Some(_)) => {}
                // The chunk is left in place, so that the search for what follows finds it.
                (Part::Full | Part::First, Some(offset)) => {
                    return self.finish(Some((offset, "a record without its end")));
                }
                (Part::Middle | Part::Last, None) => {
                    return self.finish(Some((here, "the middle or end of a record without its start")));
                }
            }
            self.joined.extend_from_slice(self.block.get(payload.clone()).unwrap_or_default());
            self.at = payload.end;
            if part == Part::Last {
                self.whole = self.block_offset + self.at as u64;
                return Ok(start.map(|offset| (offset, Found::Joined)));
            }
        }
    }

    /// Remembers the end; for a torn one after a look at what follows.
    fn finish(&mut self, torn: Option<(u64, &'static str)>) -> io::Result<Option<(u64, Found)>> {
        self.end = Some(match torn {
            None => LogEnd::Whole,
            Some((offset, reason)) => LogEnd::Torn { offset, reason, valid_after: self.valid_after()? },
        });
        Ok(None)
    }

    /// A last block that ends inside a header.
    fn cut_header(&self, here: u64) -> Option<(u64, &'static str)> {
        let left = self.block.len().saturating_sub(self.at);
        (left > 0 && self.block.len() < BLOCK).then_some((here, "a header that is cut off"))
    }

    /// Reads the next block; `false` at the end of the file, and the block then stays.
    fn next_block(&mut self) -> io::Result<bool> {
        if !self.block.is_empty() && self.block.len() < BLOCK {
            return Ok(false);
        }
        self.spare.clear();
        (&mut self.input).take(BLOCK as u64).read_to_end(&mut self.spare)?;
        if self.spare.is_empty() {
            return Ok(false);
        }
        self.block_offset += self.block.len() as u64;
        std::mem::swap(&mut self.block, &mut self.spare);
        self.at = 0;
        Ok(true)
    }

    fn place(&self, at: usize) -> Place {
        let rest = self.block.get(at..).unwrap_or_default();
        let Some((header, body)) = rest.split_first_chunk::<HEADER>() else { return Place::BlockEnd };
        let [c0, c1, c2, c3, l0, l1, kind] = *header;
        if header.iter().all(|byte| *byte == 0) {
            // Where headers are long, too few bytes for one at the end of a block are padding.
            let padding = self.form != LogForm::Legacy && rest.len() < HEADER_MAX && rest.iter().all(|byte| *byte == 0);
            return if padding { Place::BlockEnd } else { Place::Broken("zeroes") };
        }
        let Some((extra, number)) = self.form.numbered(kind) else { return Place::Broken("a chunk of unknown type") };
        if let Some(number) = number {
            let Some((found, _)) = body.split_first_chunk::<4>() else {
                return Place::Broken("a header that is cut off");
            };
            if u32::from_le_bytes(*found) != number {
                return other_log(header, body, extra);
            }
        }
        let length = extra + usize::from(u16::from_le_bytes([l0, l1]));
        let Some(covered) = body.get(..length) else { return Place::Broken("a chunk that is cut off") };
        if masked_crc(&[&[kind], covered]) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Place::Broken("a chunk with a wrong checksum");
        }
        let part = match kind % 4 {
            1 => Part::Full,
            2 => Part::First,
            3 => Part::Middle,
            _ => Part::Last,
        };
        Place::Chunk(part, at + HEADER + extra..at + HEADER + length)
    }

    /// Looks for a valid chunk at or behind the place where reading stopped: at every byte of this
    /// block, because lengths are not to be trusted there, and at the start of every later block.
    fn valid_after(&mut self) -> io::Result<Option<u64>> {
        let valid = |place| matches!(place, Place::Chunk(_, payload) if !payload.is_empty());
        if let Some(at) = (self.at..self.block.len()).find(|at| valid(self.place(*at))) {
            return Ok(Some(self.block_offset + at as u64));
        }
        while self.next_block()? {
            if valid(self.place(0)) {
                return Ok(Some(self.block_offset));
            }
        }
        Ok(None)
    }
}

/// A chunk with the number of another log: Pebble's end mark (no checksum, no payload), or one that
/// is valid in that log. Anything else is a chunk of this log with a damaged number, or half a chunk.
fn other_log(header: &[u8; HEADER], body: &[u8], extra: usize) -> Place {
    let [c0, c1, c2, c3, l0, l1, kind] = *header;
    let (crc, length) = (u32::from_le_bytes([c0, c1, c2, c3]), usize::from(u16::from_le_bytes([l0, l1])));
    let whole = body.get(..extra + length).is_some_and(|covered| masked_crc(&[&[kind], covered]) == crc);
    if whole || (crc == 0 && length == 0) { Place::Other } else { Place::Broken("a chunk with another log's number") }
}

#[cfg(test)]
mod tests;
