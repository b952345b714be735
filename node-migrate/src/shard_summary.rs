//! What a shard of a source holds, as the copy read it: what layer 2 of the verification holds the target against.
//!
//! BLAKE3 over `u32be key length ‖ key ‖ u32be value length ‖ value` in key order, the frames of
//! [`ledger_formats::digest`]. It stays in the journal and is never compared with anything of another tool, so it need not be
//! SHA-256, which takes three times as long (docs/adr/0005). The verification must not make its own side with it.

use ledger_formats::digest::Frames;
use serde::{Deserialize, Serialize};

/// Counts and digest of the rows of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardSummary {
    /// Number of rows.
    pub keys: u64,
    /// Sum of the key lengths.
    pub key_bytes: u64,
    /// Sum of the value lengths.
    pub value_bytes: u64,
    /// BLAKE3 of the frames.
    #[serde(with = "hex::serde")]
    pub blake3: [u8; 32],
}

/// Takes the rows of a shard in key order and makes their [`ShardSummary`].
#[derive(Clone, Debug, Default)]
pub struct ShardSummariser {
    keys: u64,
    key_bytes: u64,
    value_bytes: u64,
    frames: Frames,
    hasher: blake3::Hasher,
}

impl ShardSummariser {
    /// Adds a row.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.keys += 1;
        self.key_bytes += key.len() as u64;
        self.value_bytes += value.len() as u64;
        self.frames.add(key, value, |piece| {
            self.hasher.update(piece);
        });
    }

    /// The summary of what was added.
    #[must_use]
    pub fn finish(mut self) -> ShardSummary {
        self.hasher.update(self.frames.rest());
        ShardSummary {
            keys: self.keys,
            key_bytes: self.key_bytes,
            value_bytes: self.value_bytes,
            blake3: self.hasher.finalize().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_hash_of_the_frames() {
        const PIECE_BYTES: usize = 64 << 10;
        let rows: [(&[u8], Vec<u8>); 4] =
            [(b"a", vec![1; 10]), (b"b", vec![]), (b"c", vec![2; 3 * PIECE_BYTES]), (b"d", vec![3; PIECE_BYTES - 1])];
        let mut summariser = ShardSummariser::default();
        let mut frames = Vec::new();
        for (key, value) in &rows {
            summariser.add(key, value);
            for field in [*key, value] {
                frames.extend(u32::try_from(field.len()).expect("short").to_be_bytes());
                frames.extend(field);
            }
        }
        let summary = summariser.finish();
        assert_eq!(summary.blake3, *blake3::hash(&frames).as_bytes());
        let bytes = (rows.len() + 10 + 4 * PIECE_BYTES - 1) as u64;
        assert_eq!((summary.keys, summary.key_bytes + summary.value_bytes), (4, bytes));
    }
}
