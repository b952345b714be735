//! The patch of a store, kept in the workspace so that a resumed copy sees the same rows.
//!
//! ```text
//! message Patch { repeated Row rows = 1; repeated Row lost = 2; }   rows: key and value; lost: first and last key
//! message Row   { bytes one = 1; bytes two = 2; }
//! ```
//!
//! # Correctness
//! The file is durable before the journal names its SHA-256, and is refused when it has another.

use std::path::{Path, PathBuf};

use ledger_formats::comet::DecodeError;
use ledger_formats::comet::wire::{Decode, Reader, put_bytes, put_message};
use ledger_formats::durable::{self, DurableError};
use ledger_formats::patched::Patch;
use sha2::{Digest, Sha256};

/// Why a kept patch cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatchFileError {
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] DurableError),
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// It is not the one that the journal names.
    #[error("{path} has the SHA-256 {actual}, the journal says {expected}")]
    Changed {
        /// The file.
        path: PathBuf,
        /// In the journal.
        expected: String,
        /// Of the file.
        actual: String,
    },
    /// It is not a patch.
    #[error("{path}: {source}")]
    Decode {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: DecodeError,
    },
}

/// Writes a patch and gives the SHA-256 of the file, hex.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, patch: &Patch) -> Result<String, PatchFileError> {
    let mut out = Vec::new();
    let rows = patch.rows.iter().map(|(key, value)| (1, key, value));
    let lost = patch.lost.iter().map(|(first, last)| (2, first, last));
    for (field, one, two) in rows.chain(lost) {
        put_message(&mut out, field, |out| {
            put_bytes(out, 1, one);
            put_bytes(out, 2, two);
        });
    }
    durable::write_file(path, &out)?;
    Ok(hex::encode(Sha256::digest(&out)))
}

/// Reads a patch whose SHA-256 is known.
///
/// # Errors
/// When it is not there, or not the one that was written.
pub fn read(path: &Path, sha256: &str) -> Result<Patch, PatchFileError> {
    let path = path.to_path_buf();
    let bytes = std::fs::read(&path).map_err(|source| PatchFileError::Read { path: path.clone(), source })?;
    let actual = hex::encode(Sha256::digest(&bytes));
    if actual != sha256 {
        return Err(PatchFileError::Changed { path, expected: sha256.to_owned(), actual });
    }
    decode(&bytes).map_err(|source| PatchFileError::Decode { path, source })
}

fn decode(bytes: &[u8]) -> Result<Patch, DecodeError> {
    let mut patch = Patch::default();
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next()? {
        let Pair(one, two) = field.each_message("row")?;
        match field.number {
            1 => drop(patch.rows.insert(one, two)),
            _ => patch.lost.push((one, two)),
        }
    }
    Ok(patch)
}

struct Pair(Vec<u8>, Vec<u8>);

impl<'a> Decode<'a> for Pair {
    const NAME: &'static str = "Row";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        while let Some(field) = reader.next()? {
            match field.number {
                1 => one = field.bytes("one")?.to_vec(),
                2 => two = field.bytes("two")?.to_vec(),
                _ => {}
            }
        }
        Ok(Self(one, two))
    }
}
