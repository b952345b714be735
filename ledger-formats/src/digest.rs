//! The digest of a database: SHA-256 over its framed entries in key order.
//!
//! Frame: `u32be key length ‖ key ‖ u32be value length ‖ value`. It does not depend on the engine.

use sha2::{Digest, Sha256};

use crate::store::{KeyRange, ReadStore, StoreError};

/// Counts and digest of a run of entries.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Summary {
    /// Number of entries.
    pub keys: u64,
    /// Sum of the key lengths.
    pub key_bytes: u64,
    /// Sum of the value lengths.
    pub value_bytes: u64,
    /// SHA-256 of the frames.
    #[serde(with = "hex::serde")]
    pub sha256: [u8; 32],
}

/// Bytes that are put together before they are hashed: hashes take large pieces faster.
const PIECE_BYTES: usize = 64 << 10;

/// Frames on their way into a hash, in pieces of equal size. Holds less than a piece, and the entry that is added.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    waiting: Vec<u8>,
}

impl Frames {
    /// Adds an entry, and hands on what has become whole pieces.
    pub fn add(&mut self, key: &[u8], value: &[u8], mut hash: impl FnMut(&[u8])) {
        for field in [key, value] {
            let length = u32::try_from(field.len()).expect("engines hold no key or value of 4 GiB");
            self.waiting.extend_from_slice(&length.to_be_bytes());
            self.waiting.extend_from_slice(field);
        }
        let whole = self.waiting.len() / PIECE_BYTES * PIECE_BYTES;
        if whole > 0 {
            hash(&self.waiting[..whole]);
            self.waiting.drain(..whole);
        }
    }

    /// What is left at the end.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.waiting
    }
}

/// Takes entries in key order and makes their [`Summary`].
#[derive(Clone, Debug, Default)]
pub struct Summariser {
    keys: u64,
    key_bytes: u64,
    value_bytes: u64,
    frames: Frames,
    hasher: Sha256,
}

impl Summariser {
    /// Adds an entry.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.keys += 1;
        self.key_bytes += key.len() as u64;
        self.value_bytes += value.len() as u64;
        self.frames.add(key, value, |piece| self.hasher.update(piece));
    }

    /// The summary of what was added.
    #[must_use]
    pub fn finish(mut self) -> Summary {
        self.hasher.update(self.frames.rest());
        Summary {
            keys: self.keys,
            key_bytes: self.key_bytes,
            value_bytes: self.value_bytes,
            sha256: self.hasher.finalize().into(),
        }
    }
}

/// Summarises all entries of `range`.
///
/// # Errors
/// The first fault of the scan.
pub fn summarise(store: &dyn ReadStore, range: &KeyRange) -> Result<Summary, StoreError> {
    let mut cursor = store.scan(range)?;
    let mut summariser = Summariser::default();
    while let Some((key, value)) = cursor.next()? {
        summariser.add(key, value);
    }
    Ok(summariser.finish())
}
