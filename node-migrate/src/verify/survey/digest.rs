//! The digest of a run of rows, made apart from the one that the copy makes.
//!
//! BLAKE3 over `u32be key length ‖ key ‖ u32be value length ‖ value` in key order. Frames fill a buffer, which is hashed
//! whenever it is full: whole pieces of its size cost a fraction of what field by field does.

use crate::shard_summary::ShardSummary;

/// Bytes that are put together before they are hashed.
const BUFFER_BYTES: usize = 64 << 10;

/// Takes rows in key order.
pub(super) struct Framed {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
    keys: u64,
    key_bytes: u64,
    value_bytes: u64,
}

impl Framed {
    pub(super) fn new() -> Self {
        let buffer = Vec::with_capacity(BUFFER_BYTES);
        Self { hasher: blake3::Hasher::new(), buffer, keys: 0, key_bytes: 0, value_bytes: 0 }
    }

    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.keys += 1;
        self.key_bytes += key.len() as u64;
        self.value_bytes += value.len() as u64;
        self.put(key);
        self.put(value);
    }

    pub(super) fn finish(mut self) -> ShardSummary {
        self.hasher.update(&self.buffer);
        ShardSummary {
            keys: self.keys,
            key_bytes: self.key_bytes,
            value_bytes: self.value_bytes,
            blake3: self.hasher.finalize().into(),
        }
    }

    fn put(&mut self, field: &[u8]) {
        let length = u32::try_from(field.len()).expect("engines hold no key or value of 4 GiB");
        self.fill(&length.to_be_bytes());
        self.fill(field);
    }

    fn fill(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BUFFER_BYTES - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            if self.buffer.len() == BUFFER_BYTES {
                self.hasher.update(&self.buffer);
                self.buffer.clear();
            }
            bytes = later;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard_summary::ShardSummariser;

    #[test]
    fn it_equals_the_digest_of_the_copy_for_values_of_any_size() {
        let sizes = [0, 1, 100, BUFFER_BYTES - 5, BUFFER_BYTES - 4, BUFFER_BYTES, 3 * BUFFER_BYTES, 7];
        let (mut framed, mut copied) = (Framed::new(), ShardSummariser::default());
        for (number, size) in (0_u8..).zip(sizes) {
            framed.add(&[number; 3], &vec![number; size]);
            copied.add(&[number; 3], &vec![number; size]);
        }
        assert_eq!(framed.finish(), copied.finish());
    }
}
