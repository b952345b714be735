//! Which keys a shard may have written: the note that lets an interrupted shard be undone.
//!
//! sled is one database for all shards, so what an interrupted attempt wrote cannot be thrown away
//! as a file. Each shard therefore keeps `<shard>.span` beside the database, and notes there how far
//! it will write before it does.
//!
//! Record: `kind u8 ‖ length u32le ‖ payload ‖ crc32c(kind ‖ length ‖ payload) u32le`; kind 1 is a
//! key (first the shard's first key, then the last key of each batch), kind 2 is the end of a
//! finished shard, with its number of entries as `u64le`.
//!
//! # Correctness
//! A batch's record is durable before the batch's first row is given to sled. A torn record at the
//! end therefore belongs to rows that were never written.

use std::path::{Path, PathBuf};

use crate::durable::AppendFile;
use crate::store::StoreError;

const KEY: u8 = 1;
const FINISHED: u8 = 2;

/// What a span file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// First and last key that may have been written, both inclusive.
    pub(super) keys: Option<(Vec<u8>, Vec<u8>)>,
    /// Number of entries, when the shard was finished.
    pub(super) finished: Option<u64>,
}

/// The path of a shard's span file.
pub(super) fn path(parts: &Path, shard: u32) -> PathBuf {
    parts.join(format!("{shard:05}.span"))
}

/// Reads a span file; `None` when there is none.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(path: &Path) -> Result<Option<Span>, StoreError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(parse(&bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io(path, error)),
    }
}

fn parse(bytes: &[u8]) -> Span {
    let mut span = Span::default();
    let mut rest = bytes;
    while let Some((kind, payload, next)) = split_record(rest) {
        rest = next;
        match (kind, &mut span.keys) {
            (KEY, Some((_, last))) => *last = payload.to_vec(),
            (KEY, none) => *none = Some((payload.to_vec(), payload.to_vec())),
            _ => span.finished = payload.try_into().ok().map(u64::from_le_bytes),
        }
    }
    span
}

/// Takes the first record off, or `None` at the end or at a torn record.
fn split_record(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, _) = bytes.split_first_chunk::<5>()?;
    let length = usize::try_from(u32::from_le_bytes([head[1], head[2], head[3], head[4]])).ok()?;
    let (record, rest) = bytes.split_at_checked(length.checked_add(5)?)?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    (crc32c::crc32c(record) == u32::from_le_bytes(*checksum)).then(|| (head[0], &record[5..], rest))
}

/// Writes a span file, from its beginning.
#[derive(Debug)]
pub(super) struct SpanWriter {
    file: AppendFile,
    begun: bool,
}

impl SpanWriter {
    /// Creates the file, or empties it.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(super) fn create(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { file: AppendFile::open(path, 0)?, begun: false })
    }

    /// Notes that rows from `first` to `last` will be written next.
    ///
    /// # Errors
    /// When the note cannot be made durable.
    pub(super) fn announce(&mut self, first: &[u8], last: &[u8]) -> Result<(), StoreError> {
        let mut note = Vec::new();
        if !self.begun {
            push_record(&mut note, KEY, first)?;
        }
        push_record(&mut note, KEY, last)?;
        self.file.append(&note)?;
        self.begun = true;
        Ok(())
    }

    /// Notes that the shard's rows, `entries` in number, are all durable.
    ///
    /// # Errors
    /// When the note cannot be made durable.
    pub(super) fn finish(&mut self, entries: u64) -> Result<(), StoreError> {
        let mut note = Vec::new();
        push_record(&mut note, FINISHED, &entries.to_le_bytes())?;
        Ok(self.file.append(&note)?)
    }
}

fn push_record(note: &mut Vec<u8>, kind: u8, payload: &[u8]) -> Result<(), StoreError> {
    let length = u32::try_from(payload.len()).map_err(|_| StoreError::TooLarge {
        file: PathBuf::new(),
        what: "a key".to_owned(),
        limit: u64::from(u32::MAX),
    })?;
    let start = note.len();
    note.push(kind);
    note.extend_from_slice(&length.to_le_bytes());
    note.extend_from_slice(payload);
    let checksum = crc32c::crc32c(&note[start..]);
    note.extend_from_slice(&checksum.to_le_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_end_are_read_back_up_to_a_torn_record() {
        let folder = tempfile::tempdir().expect("tempdir");
        let path = path(folder.path(), 7);
        assert_eq!(read(&path).expect("no file"), None);

        let mut writer = SpanWriter::create(&path).expect("create");
        assert_eq!(read(&path).expect("empty"), Some(Span::default()));
        writer.announce(b"a", b"c").expect("announce");
        writer.announce(b"d", b"k").expect("announce");
        let open = Span { keys: Some((b"a".to_vec(), b"k".to_vec())), finished: None };
        assert_eq!(read(&path).expect("open"), Some(open));
        writer.finish(11).expect("finish");

        let whole = std::fs::read(&path).expect("bytes");
        assert_eq!(parse(&whole).finished, Some(11));
        let torn = parse(&whole[..whole.len() - 1]);
        assert_eq!((torn.finished, torn.keys), (None, Some((b"a".to_vec(), b"k".to_vec()))));
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]).finished, None, "cut to {length}");
        }
    }

    #[test]
    fn a_length_beyond_the_file_is_a_torn_record() {
        assert_eq!(parse(&[KEY, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]), Span::default());
    }
}
