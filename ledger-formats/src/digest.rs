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

/// Takes entries in key order and makes their [`Summary`].
#[derive(Clone, Debug, Default)]
pub struct Summariser {
    keys: u64,
    key_bytes: u64,
    value_bytes: u64,
    hasher: Sha256,
}

impl Summariser {
    /// Adds an entry.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.keys += 1;
        self.key_bytes += key.len() as u64;
        self.value_bytes += value.len() as u64;
        self.hasher.update(frame_length(key));
        self.hasher.update(key);
        self.hasher.update(frame_length(value));
        self.hasher.update(value);
    }

    /// The summary of what was added.
    #[must_use]
    pub fn finish(self) -> Summary {
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

fn frame_length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).expect("engines hold no key or value of 4 GiB").to_be_bytes()
}
