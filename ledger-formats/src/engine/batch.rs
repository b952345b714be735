//! Batches: what one record of a goleveldb journal or a Pebble log holds.
//!
//! ```text
//! u64 LE first sequence ‖ u32 LE count ‖ count × operation
//! operation   u8 kind ‖ varint length ‖ key [‖ varint length ‖ value]
//! ```
//! The value is there for kinds 1, 2, 15 (end of the range), 18 and 23. Operation i has sequence
//! first + i; LOGDATA (kind 3) has none and is not counted. (LevelDB `write_batch.cc`; Pebble
//! `batch.go`.) A batch is decoded whole or not at all: nothing may be taken from a damaged one.

use super::internal_key::Kind;
use super::varint;

/// Length of first sequence and count.
const HEADER: usize = 12;
/// Kind byte of a record for replication, without effect on the database.
const LOG_DATA: u8 = 3;

/// Why a record is no batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// Fewer bytes than a header has.
    #[error("a batch of {length} bytes is shorter than its header")]
    Short {
        /// Its length.
        length: usize,
    },
    /// An operation that is cut off.
    #[error("operation {index} of the batch is cut off")]
    Cut {
        /// Its place, from 0.
        index: u32,
    },
    /// Another number of operations than the header says.
    #[error("the batch says {expected} operations and holds {actual}{}", if *.actual > *.expected { " or more" } else { "" })]
    Count {
        /// As the header says.
        expected: u32,
        /// As found.
        actual: u32,
    },
    /// A sequence number of more than 56 bits.
    #[error("the batch reaches sequence numbers beyond 56 bits")]
    Sequence,
    /// A kind of operation that is not read here.
    #[error("operation kind {kind}")]
    Kind {
        /// Its byte.
        kind: u8,
    },
}

/// A batch whose header was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// Sequence of its first operation.
    pub first_sequence: u64,
    /// Operations that have a sequence.
    pub count: u32,
    body: &'a [u8],
}

/// One operation of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// Its sequence number.
    pub sequence: u64,
    /// What it does.
    pub kind: Kind,
    /// The user key; the start of the range for [`Kind::RangeDelete`].
    pub key: &'a [u8],
    /// The value; the end of the range for [`Kind::RangeDelete`]; empty where the kind has none.
    pub value: &'a [u8],
}

impl<'a> Batch<'a> {
    /// Reads the header of a record.
    ///
    /// # Errors
    /// [`BatchError::Short`], [`BatchError::Sequence`].
    pub fn parse(record: &'a [u8]) -> Result<Self, BatchError> {
        let short = || BatchError::Short { length: record.len() };
        let (first, rest) = record.split_first_chunk::<8>().ok_or_else(short)?;
        let (count, body) = rest.split_first_chunk::<{ HEADER - 8 }>().ok_or_else(short)?;
        let batch = Self { first_sequence: u64::from_le_bytes(*first), count: u32::from_le_bytes(*count), body };
        if batch.next_sequence() > super::internal_key::SEQUENCE_MAX {
            return Err(BatchError::Sequence);
        }
        Ok(batch)
    }

    /// The sequence behind its last operation: what the next batch begins with.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.first_sequence.saturating_add(u64::from(self.count))
    }

    /// Its operations, ending with the first error.
    #[must_use]
    pub fn operations(&self) -> Operations<'a> {
        Operations { batch: *self, rest: self.body, index: 0, failed: false }
    }
}

/// Iterates over the operations of a batch.
#[derive(Clone, Debug)]
pub struct Operations<'a> {
    batch: Batch<'a>,
    rest: &'a [u8],
    index: u32,
    failed: bool,
}

impl<'a> Operations<'a> {
    fn operation(&mut self) -> Result<Option<Operation<'a>>, BatchError> {
        loop {
            let Some((&kind, rest)) = self.rest.split_first() else {
                return if self.index == self.batch.count { Ok(None) } else { Err(self.miscounted(self.index)) };
            };
            self.rest = rest;
            let cut = BatchError::Cut { index: self.index };
            let key = varint::take_bytes(&mut self.rest).ok_or_else(|| cut.clone())?;
            if kind == LOG_DATA {
                continue;
            }
            if self.index == self.batch.count {
                return Err(self.miscounted(self.index.saturating_add(1)));
            }
            let kind = Kind::from_byte(kind).ok_or(BatchError::Kind { kind })?;
            let value = if has_value(kind) { varint::take_bytes(&mut self.rest).ok_or(cut)? } else { &[] };
            let sequence = self.batch.first_sequence + u64::from(self.index);
            self.index += 1;
            return Ok(Some(Operation { sequence, kind, key, value }));
        }
    }

    fn miscounted(&self, actual: u32) -> BatchError {
        BatchError::Count { expected: self.batch.count, actual }
    }
}

impl<'a> Iterator for Operations<'a> {
    type Item = Result<Operation<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.operation().transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}

fn has_value(kind: Kind) -> bool {
    !matches!(kind, Kind::Delete | Kind::SingleDelete)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(first: u64, count: u32, body: &[u8]) -> Vec<u8> {
        [&first.to_le_bytes()[..], &count.to_le_bytes(), body].concat()
    }

    type Decoded = (u64, Kind, Vec<u8>, Vec<u8>);

    fn all(record: &[u8]) -> Result<Vec<Decoded>, BatchError> {
        Batch::parse(record)?
            .operations()
            .map(|one| one.map(|o| (o.sequence, o.kind, o.key.to_vec(), o.value.to_vec())))
            .collect()
    }

    #[test]
    fn a_batch_that_goleveldb_wrote() {
        let record = hex::decode("01000000000000000100000001016b0176").unwrap();
        assert_eq!(all(&record), Ok(vec![(1, Kind::Set, b"k".to_vec(), b"v".to_vec())]));
    }

    #[test]
    fn sequences_pass_over_log_data() {
        let record = batch(7, 3, b"\x01\x01a\x01x\x03\x02zz\x00\x01b\x0f\x01c\x01e");
        assert_eq!(
            all(&record),
            Ok(vec![
                (7, Kind::Set, b"a".to_vec(), b"x".to_vec()),
                (8, Kind::Delete, b"b".to_vec(), vec![]),
                (9, Kind::RangeDelete, b"c".to_vec(), b"e".to_vec()),
            ])
        );
        assert_eq!(Batch::parse(&record).unwrap().next_sequence(), 10);
    }

    #[test]
    fn wrong_counts_are_refused() {
        let one = b"\x00\x01a";
        assert_eq!(all(&batch(1, 2, one)), Err(BatchError::Count { expected: 2, actual: 1 }));
        assert_eq!(all(&batch(1, 0, one)), Err(BatchError::Count { expected: 0, actual: 1 }));
    }

    #[test]
    fn unknown_kinds_and_cuts_are_refused() {
        assert_eq!(all(&batch(1, 1, b"\x16\x01a")), Err(BatchError::Kind { kind: 22 }));
        assert_eq!(all(&batch(1, 1, b"\x01\x05a")), Err(BatchError::Cut { index: 0 }));
        assert_eq!(all(&[0; 11]), Err(BatchError::Short { length: 11 }));
        assert_eq!(all(&batch(u64::MAX >> 8, 1, b"\x00\x00")), Err(BatchError::Sequence));
    }

    #[test]
    fn every_cut_of_a_batch_is_an_error() {
        let record = batch(1, 2, b"\x01\x02ab\x02xy\x12\x01c\x01z");
        assert_eq!(all(&record).unwrap().len(), 2);
        for length in 0..record.len() {
            assert!(all(&record[..length]).is_err(), "cut at {length}");
        }
    }
}
