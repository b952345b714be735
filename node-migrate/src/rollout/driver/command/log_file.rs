//! Errors in a node's log, counted as it grows.
//!
//! Lines count that CometBFT writes at the level of errors (`E[`, ` ERR `, `"level":"error"`), and those
//! of a program that dies (`panic:`, `CONSENSUS FAILURE`).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes read in one round: a log that grows faster is followed over several.
const BYTES_PER_ROUND_MAX: u64 = 8 << 20;

/// How far a log has been read.
#[derive(Debug, Default)]
pub(super) struct ErrorCount {
    offset: u64,
    errors: u64,
    /// The beginning of a line whose end is not there yet.
    torso: Vec<u8>,
}

impl ErrorCount {
    /// Reads on and gives the number so far; `None` when the log cannot be read.
    pub(super) fn read_on(&mut self, log: &Path) -> Option<u64> {
        let mut file = File::open(log).ok()?;
        if file.metadata().ok()?.len() < self.offset {
            // It was begun anew.
            (self.offset, self.torso) = (0, Vec::new());
        }
        file.seek(SeekFrom::Start(self.offset)).ok()?;
        let read = file.take(BYTES_PER_ROUND_MAX).read_to_end(&mut self.torso).ok()?;
        self.offset += read as u64;
        let whole = self.torso.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.torso.drain(..whole).collect();
        self.errors += lines.split(|byte| *byte == b'\n').filter(|line| is_error(line)).count() as u64;
        Some(self.errors)
    }
}

/// What stands in a log from byte `from` on, at most the last part of it.
pub(super) fn read_from(log: &Path, from: u64) -> io::Result<Vec<u8>> {
    const BYTES_MAX: u64 = 64 << 10;
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(from.max(length.saturating_sub(BYTES_MAX)).min(length)))?;
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn is_error(line: &[u8]) -> bool {
    let has = |word: &[u8]| line.windows(word.len()).any(|part| part == word);
    line.starts_with(b"E[")
        || has(b" ERR ")
        || has(b"\"level\":\"error\"")
        || has(b"panic:")
        || has(b"CONSENSUS FAILURE")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn whole_lines_are_counted_once_as_the_log_grows() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("node.log");
        let mut count = ErrorCount::default();
        assert_eq!(count.read_on(&path), None);
        let mut file = File::create(&path).expect("creates");
        file.write_all(b"I[now] fine\nE[now] bad\n{\"level\":\"error\"}\npani").expect("writes");
        assert_eq!(count.read_on(&path), Some(2));
        file.write_all(b"c: no\n2:00AM ERR bad\n").expect("writes");
        assert_eq!(count.read_on(&path), Some(4));
        std::fs::write(&path, b"E[now] anew\n").expect("writes");
        assert_eq!(count.read_on(&path), Some(5));
    }
}
