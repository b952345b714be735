//! A journal: append-only, hash-chained, the resume state and the audit trail in one. A migration's holds
//! its [`Event`]s; a rollout's log is one of the same form.
//!
//! Record: `u32le length ‖ u32le crc32c(payload) ‖ payload`; the payload is one JSON object
//! `{"seq", "time", "prev", "event"}`, where `prev` is the SHA-256 of the payload before it (zeros
//! for the first). It must never be rewritten: what is wrong is said by a later record.
//!
//! # Correctness
//! A record counts once it is fsynced. A torn record at the end (a crash while appending) is cut off
//! when the journal is next opened for writing; damage anywhere else is an error, because everything
//! behind it can no longer be trusted.

use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use ledger_formats::durable::{AppendFile, DurableError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::Event;

/// Longest payload that is read back: a shard with a thousand tables stays far below it.
const PAYLOAD_BYTES_MAX: usize = 64 << 20;

/// One record of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record<E = Event> {
    /// Position, from 0.
    pub seq: u64,
    /// When it was written, RFC 3339 in UTC.
    pub time: String,
    /// SHA-256 of the payload of the record before.
    #[serde(with = "hex::serde")]
    pub prev: [u8; 32],
    /// What happened.
    pub event: E,
}

/// Why a journal could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file cannot be read.
    #[error("cannot read the journal {path}: {source}")]
    Read {
        /// The journal.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A record is damaged, or the chain of hashes is broken.
    #[error("the journal {path} is damaged at byte {offset}: {reason}")]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Where the bad record begins.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A record could not be made durable.
    #[error(transparent)]
    Write(#[from] DurableError),
}

/// What a journal holds.
#[derive(Clone, Debug)]
pub struct Contents<E = Event> {
    /// The whole records in order.
    pub records: Vec<Record<E>>,
    /// Bytes of the whole records.
    pub length: u64,
    /// SHA-256 of the last payload: the head of the chain.
    pub head: [u8; 32],
    /// Bytes of a torn record at the end.
    pub torn_bytes: u64,
}

impl<E> Default for Contents<E> {
    fn default() -> Self {
        Self { records: Vec::new(), length: 0, head: [0; 32], torn_bytes: 0 }
    }
}

/// Reads a journal; a missing file is an empty one.
///
/// # Errors
/// [`JournalError::Damaged`] for damage that is not a torn end; [`JournalError::Read`].
pub fn read<E: DeserializeOwned>(path: &Path) -> Result<Contents<E>, JournalError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Contents::default()),
        Err(source) => return Err(JournalError::Read { path: path.to_path_buf(), source }),
    };
    let mut contents = Contents::default();
    let mut rest = bytes.as_slice();
    while let Some((payload, after)) = split_record(rest) {
        let damaged =
            |reason: String| JournalError::Damaged { path: path.to_path_buf(), offset: contents.length, reason };
        let record: Record<E> = serde_json::from_slice(payload).map_err(|error| damaged(error.to_string()))?;
        if record.seq != contents.records.len() as u64 || record.prev != contents.head {
            return Err(damaged("the chain of hashes is broken".to_owned()));
        }
        contents.head = Sha256::digest(payload).into();
        contents.length += (rest.len() - after.len()) as u64;
        contents.records.push(record);
        rest = after;
    }
    contents.torn_bytes = rest.len() as u64;
    if holds_a_whole_record(rest) {
        return Err(JournalError::Damaged {
            path: path.to_path_buf(),
            offset: contents.length,
            reason: "checksum mismatch with more records behind it".to_owned(),
        });
    }
    Ok(contents)
}

/// Splits a whole, checked record off the front; `None` when what is there is not one.
fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= PAYLOAD_BYTES_MAX)?;
    let (payload, after) = rest.split_at_checked(length)?;
    (crc32c::crc32c(payload) == u32::from_le_bytes(*crc) && length > 0).then_some((payload, after))
}

/// Whether a whole record stands behind a damaged one, so that the damage is not a torn end. Payloads
/// are text, so almost every offset is dismissed by its impossible length.
fn holds_a_whole_record(rest: &[u8]) -> bool {
    (1..rest.len()).any(|at| rest.get(at..).is_some_and(|bytes| split_record(bytes).is_some()))
}

/// A journal open for appending.
#[derive(Debug)]
pub struct Journal<E = Event> {
    file: AppendFile,
    next_seq: u64,
    head: [u8; 32],
    events: PhantomData<fn(E)>,
}

impl<E: Serialize + DeserializeOwned> Journal<E> {
    /// Opens or creates the journal and cuts a torn end off; gives what it holds.
    ///
    /// # Errors
    /// As [`read`], or when the file cannot be opened for writing.
    pub fn open(path: &Path) -> Result<(Self, Contents<E>), JournalError> {
        let contents = read(path)?;
        let file = AppendFile::open(path, contents.length)?;
        let journal = Self { file, next_seq: contents.records.len() as u64, head: contents.head, events: PhantomData };
        Ok((journal, contents))
    }

    /// Appends one event, durably; `time` is RFC 3339 in UTC.
    ///
    /// # Errors
    /// When the record could not be made durable; the journal must then be opened anew.
    pub fn append(&mut self, time: String, event: E) -> Result<Record<E>, JournalError> {
        let record = Record { seq: self.next_seq, time, prev: self.head, event };
        let payload = serde_json::to_vec(&record).expect("events hold only serialisable values");
        let length = u32::try_from(payload.len()).expect("an event stays far below 4 GiB");
        let mut bytes = Vec::with_capacity(payload.len() + 8);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&payload).to_le_bytes());
        bytes.extend_from_slice(&payload);
        self.file.append(&bytes)?;
        self.next_seq += 1;
        self.head = Sha256::digest(&payload).into();
        Ok(record)
    }

    /// SHA-256 of the last record's payload.
    #[must_use]
    pub fn head(&self) -> [u8; 32] {
        self.head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(text: &str) -> Event {
        Event::Note { text: text.to_owned() }
    }

    fn three_records(path: &Path) -> Vec<u8> {
        let (mut journal, _) = Journal::open(path).unwrap();
        for text in ["one", "two", "three"] {
            journal.append("2026-01-01T00:00:00Z".to_owned(), note(text)).unwrap();
        }
        std::fs::read(path).unwrap()
    }

    #[test]
    fn reads_back_what_was_appended_across_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        three_records(&path);
        let (mut journal, contents) = Journal::open(&path).unwrap();
        assert_eq!(contents.records.len(), 3);
        journal.append("2026-01-01T00:00:01Z".to_owned(), note("four")).unwrap();
        let again = read::<Event>(&path).unwrap();
        assert_eq!(again.records[3].event, note("four"));
        assert_eq!(again.records[3].prev, contents.head);
        assert_eq!(again.head, journal.head());
    }

    #[test]
    fn a_torn_end_is_cut_off_at_every_length() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let whole = three_records(&path);
        let two = read::<Event>(&path).unwrap().length - (whole.len() as u64 - offset_of_third(&whole));
        for length in usize::try_from(two).unwrap()..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let (_, contents) = Journal::<Event>::open(&path).unwrap();
            assert_eq!(contents.records.len(), 2, "cut at {length}");
            assert_eq!(std::fs::metadata(&path).unwrap().len(), two);
        }
    }

    fn offset_of_third(whole: &[u8]) -> u64 {
        let (_, after_one) = split_record(whole).unwrap();
        let (_, after_two) = split_record(after_one).unwrap();
        (whole.len() - after_two.len()) as u64
    }

    #[test]
    fn damage_in_the_middle_is_an_error_at_every_byte() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let whole = three_records(&path);
        for at in 0..usize::try_from(offset_of_third(&whole)).unwrap() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x01;
            std::fs::write(&path, &bytes).unwrap();
            assert!(matches!(read::<Event>(&path), Err(JournalError::Damaged { .. })), "flip at {at}");
        }
    }

    #[test]
    fn a_record_taken_out_breaks_the_chain() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let whole = three_records(&path);
        let (_, after_one) = split_record(&whole).unwrap();
        let (_, after_two) = split_record(after_one).unwrap();
        let first = &whole[..whole.len() - after_one.len()];
        std::fs::write(&path, [first, after_two].concat()).unwrap();
        assert!(matches!(read::<Event>(&path), Err(JournalError::Damaged { .. })));
    }
}
