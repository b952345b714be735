//! Writes a block: entries with shared key prefixes and an array of restart points.
//!
//! The byte map is in [`super::block`]. The caller adds keys in ascending order.

use super::varint;

/// Builds one block after the other in the same memory.
#[derive(Debug)]
pub struct BlockWriter {
    bytes: Vec<u8>,
    restarts: Vec<u32>,
    /// Entries from one restart point to the next.
    interval: usize,
    /// Entries since the last restart point.
    since_restart: usize,
    last_key: Vec<u8>,
}

impl BlockWriter {
    /// A writer that makes every `interval`-th entry a restart point.
    #[must_use]
    pub fn new(interval: usize) -> Self {
        Self { bytes: Vec::new(), restarts: vec![0], interval, since_restart: 0, last_key: Vec::new() }
    }

    /// Adds an entry. Keys, values and the block must stay below 4 GiB, which the callers bound
    /// far lower.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        let mut shared = 0;
        if self.since_restart < self.interval {
            shared = shared_prefix(&self.last_key, key);
        } else {
            self.restarts.push(u32::try_from(self.bytes.len()).expect("blocks are bounded below 4 GiB"));
            self.since_restart = 0;
        }
        let suffix = &key[shared..];
        varint::put(&mut self.bytes, shared as u64);
        varint::put(&mut self.bytes, suffix.len() as u64);
        varint::put(&mut self.bytes, value.len() as u64);
        self.bytes.extend_from_slice(suffix);
        self.bytes.extend_from_slice(value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(suffix);
        self.since_restart += 1;
    }

    /// The size that the block would have if it were finished now, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() + 4 * (self.restarts.len() + 1)
    }

    /// Whether the block has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The key that was added last; empty in an empty block.
    #[must_use]
    pub fn last_key(&self) -> &[u8] {
        &self.last_key
    }

    /// Ends the block and lends it; [`BlockWriter::reset`] begins the next one.
    pub fn finish(&mut self) -> &[u8] {
        for restart in &self.restarts {
            self.bytes.extend_from_slice(&restart.to_le_bytes());
        }
        let number = u32::try_from(self.restarts.len()).expect("fewer restart points than bytes");
        self.bytes.extend_from_slice(&number.to_le_bytes());
        &self.bytes
    }

    /// Begins an empty block.
    pub fn reset(&mut self) {
        self.bytes.clear();
        self.restarts.truncate(1);
        self.since_restart = 0;
        self.last_key.clear();
    }
}

/// Length of the common prefix.
#[inline]
#[must_use]
pub fn shared_prefix(a: &[u8], b: &[u8]) -> usize {
    const WORD: usize = 8;
    let mut words = 0;
    for (a, b) in a.as_chunks::<WORD>().0.iter().zip(b.as_chunks::<WORD>().0) {
        let difference = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if difference != 0 {
            return words + difference.trailing_zeros() as usize / 8;
        }
        words += WORD;
    }
    words + a[words..].iter().zip(&b[words..]).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::block::{BlockBytes, BlockCursor, KeyOrder};

    #[test]
    fn an_empty_block_has_one_restart_point() {
        assert_eq!(BlockWriter::new(16).finish(), [0, 0, 0, 0, 1, 0, 0, 0]);
    }

    #[test]
    fn shared_prefixes_of_all_lengths() {
        let a: Vec<u8> = (0..40).collect();
        for length in 0..=40 {
            for at in 0..=length {
                let mut b = a[..length].to_vec();
                let expected = if at < length {
                    b[at] ^= 0x80;
                    at
                } else {
                    length
                };
                assert_eq!(shared_prefix(&a, &b), expected);
                assert_eq!(shared_prefix(&b, &a), expected);
            }
        }
    }

    #[test]
    fn restart_points_share_nothing() {
        let mut writer = BlockWriter::new(2);
        for key in ["aa", "ab", "ac", "ad", "ae"] {
            writer.add(key.as_bytes(), b"v");
        }
        let length = writer.len();
        let bytes = writer.finish().to_vec();
        assert_eq!(bytes.len(), length);
        // A whole entry has 6 bytes, one that shares the "a" has 5.
        assert_eq!(bytes[28..], [0, 0, 0, 0, 11, 0, 0, 0, 22, 0, 0, 0, 3, 0, 0, 0]);
        let mut cursor = BlockCursor::new(BlockBytes::Own(bytes), KeyOrder::Any).unwrap();
        let mut keys = Vec::new();
        while cursor.next().unwrap() {
            keys.push(cursor.key().to_vec());
        }
        assert_eq!(keys, [b"aa", b"ab", b"ac", b"ad", b"ae"]);
    }

    #[test]
    fn a_writer_is_used_again() {
        let mut writer = BlockWriter::new(1);
        writer.add(b"key", b"value");
        let first = writer.finish().to_vec();
        writer.reset();
        assert!(writer.is_empty());
        writer.add(b"key", b"value");
        assert_eq!(writer.finish(), first);
    }
}
