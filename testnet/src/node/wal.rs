//! The log of the height that is being decided, in a file.
//!
//! ```text
//! file  = *frame
//! frame = u32le length of payload ‖ u32le CRC-32C of what follows ‖ u64le height ‖ payload
//! ```
//! Frames of earlier heights stay in front until the file has grown; only those of the last height count.
//!
//! # Correctness
//! Frames wait in memory until [`Wal::sync`] appends them in one write and makes them last. What a crash tears off is the end
//! of the file, which the next start cuts away. The file is emptied only at the beginning of a height, when nothing in it is
//! needed any more.

use std::path::{Path, PathBuf};

use ledger_formats::durable::{AppendFile, DurableError};

use crate::consensus::wire::WalRecord;

/// Bytes of length and checksum, and of the height behind them.
const HEAD_BYTES: usize = 8;
const HEIGHT_BYTES: usize = 8;

/// The file is emptied at the next height when it is longer.
const FILE_BYTES: u64 = 1 << 20;

/// Longest file that is read: one height of the largest blocks, many times over.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Why the log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No validator writes so much.
    #[error("{} has {bytes} bytes; at most {FILE_BYTES_MAX} are read", .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        bytes: u64,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Durable(#[from] DurableError),
}

/// An open log.
#[derive(Debug)]
pub struct Wal {
    path: PathBuf,
    file: AppendFile,
    bytes: u64,
    height: u64,
    waiting: Vec<u8>,
}

impl Wal {
    /// Opens or creates the log; gives the last height in it, 0 for none, and its records.
    ///
    /// # Errors
    /// [`WalError`].
    pub fn open(path: &Path) -> Result<(Self, (u64, Vec<WalRecord>)), WalError> {
        let content = read(path)?;
        let (frames, whole) = frames(&content);
        let height = frames.last().map_or(0, |(height, _)| *height);
        let own = frames.iter().filter(|(of, _)| *of == height);
        // A record that cannot be read ends the log, as a torn one does.
        let records = own.map_while(|(_, payload)| WalRecord::decode(payload).ok()).collect();
        let file = AppendFile::open(path, whole)?;
        Ok((Self { path: path.to_owned(), file, bytes: whole, height, waiting: Vec::new() }, (height, records)))
    }

    /// Adds a record, which does not last before the next [`Wal::sync`].
    pub fn append(&mut self, record: &[u8]) {
        let body = [&self.height.to_le_bytes()[..], record].concat();
        let length = u32::try_from(record.len()).expect("records are below 4 GiB: blocks are");
        self.waiting.extend_from_slice(&length.to_le_bytes());
        self.waiting.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        self.waiting.extend_from_slice(&body);
    }

    /// Makes all records last.
    ///
    /// # Errors
    /// When the disk fails: then nothing that rests on them may be sent.
    pub fn sync(&mut self) -> Result<(), DurableError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.file.append(&self.waiting)?;
        self.bytes += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Begins a height; nothing of the one before is needed.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn reset(&mut self, height: u64) -> Result<(), DurableError> {
        self.waiting.clear();
        self.height = height;
        if self.bytes > FILE_BYTES {
            self.file = AppendFile::open(&self.path, 0)?;
            self.bytes = 0;
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, WalError> {
    let failed = |source| WalError::Read { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
        Ok(found) if found.len() > FILE_BYTES_MAX => {
            Err(WalError::TooLong { path: path.to_owned(), bytes: found.len() })
        }
        Ok(_) => std::fs::read(path).map_err(failed),
    }
}

/// Height and payload of each whole frame, and where the last one ends.
fn frames(content: &[u8]) -> (Vec<(u64, &[u8])>, u64) {
    let (mut frames, mut at) = (Vec::new(), 0);
    while let Some((height, payload, end)) = frame(content, at) {
        frames.push((height, payload));
        at = end;
    }
    (frames, at as u64)
}

fn frame(content: &[u8], at: usize) -> Option<(u64, &[u8], usize)> {
    let (head, rest) = content.get(at..)?.split_first_chunk::<HEAD_BYTES>()?;
    let [a, b, c, d, crc @ ..] = *head;
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
    let body = rest.get(..length.checked_add(HEIGHT_BYTES)?)?;
    let (height, payload) = body.split_first_chunk::<HEIGHT_BYTES>()?;
    let is_whole = crc32c::crc32c(body) == u32::from_le_bytes(crc);
    is_whole.then(|| (u64::from_le_bytes(*height), payload, at + HEAD_BYTES + body.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u8) -> WalRecord {
        WalRecord::Block(vec![number; 40])
    }

    fn opened(path: &Path) -> (u64, Vec<WalRecord>) {
        Wal::open(path).expect("opens").1
    }

    #[test]
    fn what_was_synced_of_the_last_height_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("wal");
        let (mut wal, found) = Wal::open(&path).expect("opens");
        assert_eq!(found, (0, Vec::new()));
        for height in [5, 6] {
            wal.reset(height).expect("begins");
            for number in 0..3 {
                wal.append(&record(number).encode());
            }
            wal.sync().expect("syncs");
        }
        wal.append(&record(9).encode());
        drop(wal);
        assert_eq!(opened(&path), (6, vec![record(0), record(1), record(2)]));
    }

    #[test]
    fn a_torn_or_changed_end_is_cut_away_and_the_log_goes_on_before_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("wal");
        let (mut wal, _) = Wal::open(&path).expect("opens");
        wal.reset(7).expect("begins");
        wal.append(&record(1).encode());
        wal.append(&record(2).encode());
        wal.sync().expect("syncs");
        drop(wal);
        let whole = std::fs::read(&path).expect("reads");
        for cut in whole.len() / 2 + 1..whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("writes");
            assert_eq!(opened(&path), (7, vec![record(1)]), "{cut}");
        }
        let mut changed = whole.clone();
        *changed.last_mut().expect("bytes") ^= 1;
        std::fs::write(&path, changed).expect("writes");
        let (mut wal, found) = Wal::open(&path).expect("opens");
        assert_eq!(found, (7, vec![record(1)]));
        wal.append(&record(3).encode());
        wal.sync().expect("syncs");
        assert_eq!(opened(&path), (7, vec![record(1), record(3)]));
    }

    #[test]
    fn a_log_that_has_grown_is_emptied_at_the_next_height() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("wal");
        let (mut wal, _) = Wal::open(&path).expect("opens");
        for height in 1..=5 {
            wal.reset(height).expect("begins");
            wal.append(&WalRecord::Block(vec![0; 500_000]).encode());
            wal.sync().expect("syncs");
        }
        assert!(std::fs::metadata(&path).expect("is there").len() < 2 * FILE_BYTES);
        assert_eq!(opened(&path).0, 5);
    }
}
