//! Errors of the library, told apart by their words: it gives nothing else.

use std::io;
use std::path::{Path, PathBuf};

use rocksdb::ErrorKind;

use crate::durable;
use crate::store::StoreError;

/// The error about the database in `dir`.
///
/// Damage names its file and offset where the library's message does, such as `Corruption: block
/// checksum mismatch: stored = .., computed = .. in <file> offset <n> size <m>`.
pub(super) fn store_error(dir: &Path, error: rocksdb::Error) -> StoreError {
    explained(dir, error, "")
}

/// The same, where `complaint` is what the library has said in its log besides.
pub(super) fn explained(dir: &Path, error: rocksdb::Error, complaint: &str) -> StoreError {
    let kind = error.kind();
    let mut message = error.into_string();
    if kind == ErrorKind::Corruption && place(dir, &message).is_none() && place(dir, complaint).is_some() {
        let complaint = complaint.split_once("] ").map_or(complaint, |(_source_line, words)| words);
        message = format!("{message} ({complaint})");
    }
    let says = |words: &str| message.contains(words);
    match kind {
        ErrorKind::NotSupported => unsupported(dir, &message),
        ErrorKind::InvalidArgument if says("does not match existing comparator") => unsupported(dir, &message),
        _ if says("merge_operator") || says("merge operator") => unsupported(dir, "a merge operator"),
        ErrorKind::Corruption => corrupt(dir, &message),
        ErrorKind::IOError if says("No such file or directory") => corrupt(dir, &message),
        ErrorKind::IOError if says("No space left on device") => {
            StoreError::io(dir, io::Error::new(io::ErrorKind::StorageFull, message))
        }
        _ => StoreError::Engine { engine: "rocksdb", path: dir.to_path_buf(), message },
    }
}

/// A durable step that the library takes.
pub(super) fn step<T>(
    name: &'static str,
    path: &Path,
    call: impl FnOnce() -> Result<T, rocksdb::Error>,
) -> Result<T, StoreError> {
    durable::step(name, path, || Ok(call()))?.map_err(|error| store_error(path, error))
}

fn unsupported(dir: &Path, feature: &str) -> StoreError {
    StoreError::Unsupported { file: dir.to_path_buf(), feature: feature.to_owned() }
}

fn corrupt(dir: &Path, message: &str) -> StoreError {
    let (file, offset) = place(dir, message).unwrap_or_else(|| (dir.to_path_buf(), None));
    StoreError::corrupt(&file, offset, message.strip_prefix("Corruption: ").unwrap_or(message))
}

/// The file of the folder `dir` that the message names, and the offset behind it.
fn place(dir: &Path, message: &str) -> Option<(PathBuf, Option<u64>)> {
    let prefix = format!("{}/", dir.to_str()?.trim_end_matches('/'));
    let (_, rest) = message.split_once(&prefix)?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-._".contains(c))).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let offset = rest.split_once("offset ").map(|(_, number)| number);
    let digits = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    Some((dir.join(name.trim_end_matches('.')), offset.and_then(digits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(message: &str) -> Option<(PathBuf, Option<u64>)> {
        place(Path::new("/data/state copy.db/"), message)
    }

    #[test]
    fn file_and_offset_are_taken_from_the_words() {
        let block = "Corruption: block checksum mismatch: stored = 1, computed = 2, type = 1  in \
                     /data/state copy.db/000031.sst offset 4096 size 3991, block_type = kData";
        assert_eq!(found(block), Some((PathBuf::from("/data/state copy.db/000031.sst"), Some(4096))));
        let size = "Corruption: Sst file size mismatch: /data/state copy.db/000031.sst. Size recorded in manifest 5";
        assert_eq!(found(size), Some((PathBuf::from("/data/state copy.db/000031.sst"), None)));
        assert_eq!(found("Corruption: elsewhere in /data/other/000031.sst offset 1"), None);
        assert_eq!(found(""), None);
    }
}
