//! Databases that are recognised only to be refused by their name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::DetectError;
use crate::store::StoreError;

/// bbolt: `u32 LE` in the first meta page, behind the page header of 16 bytes (bbolt `db.go`).
const BOLT_MAGIC: u32 = 0xED0C_DAED;
const BOLT_MAGIC_AT: usize = 16;
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
/// BadgerDB: the first bytes of its MANIFEST (badger `manifest.go`).
const BADGER_MAGIC: &[u8] = b"Bdgr";

/// The first bytes of a file, at most `length`.
pub(super) fn first_bytes(path: &Path, length: u64) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(length).read_to_end(&mut bytes))
        .map_err(|error| StoreError::io(path, error))?;
    Ok(bytes)
}

/// Why a regular file is no database that is read here.
pub(super) fn file(path: &Path) -> DetectError {
    let bytes = match first_bytes(path, 64) {
        Ok(bytes) => bytes,
        Err(error) => return error.into(),
    };
    let at_16 = bytes.get(BOLT_MAGIC_AT..).and_then(|rest| rest.first_chunk::<4>());
    if at_16.is_some_and(|magic| u32::from_le_bytes(*magic) == BOLT_MAGIC) {
        return DetectError::Foreign { path: path.to_path_buf(), engine: "BoltDB" };
    }
    if bytes.starts_with(SQLITE_MAGIC) {
        return DetectError::Foreign { path: path.to_path_buf(), engine: "SQLite" };
    }
    DetectError::Unknown { path: path.to_path_buf(), reason: "it is a file, not a folder".into() }
}

/// The name of an engine that is not read, if the folder is one of its.
pub(super) fn folder(dir: &Path, names: &[String]) -> Option<&'static str> {
    let has = |name: &str| names.iter().any(|present| present == name);
    let badger = || first_bytes(&dir.join("MANIFEST"), 4).is_ok_and(|bytes| bytes == BADGER_MAGIC);
    if has("KEYREGISTRY") || (has("MANIFEST") && badger()) {
        return Some("BadgerDB");
    }
    if has("mdbx.dat") {
        return Some("MDBX");
    }
    has("data.mdb").then_some("LMDB")
}
