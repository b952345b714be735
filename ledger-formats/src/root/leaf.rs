//! The bytes of leaves, level by level. The first byte tells the levels apart.

use proofs::merkle::{Hash, leaf_hash};

const RECORD: u8 = 1;
const SEGMENT: u8 = 2;
const KIND: u8 = 3;
const DATABASE: u8 = 4;

/// Leaf hash of a record. `buffer` is used again and again.
pub(super) fn record(key: &[u8], value: &[u8], buffer: &mut Vec<u8>) -> Hash {
    buffer.clear();
    buffer.push(RECORD);
    put_text(buffer, key);
    buffer.extend_from_slice(value);
    leaf_hash(buffer)
}

/// Leaf hash of a segment.
pub(super) fn segment(number: u64, records: u64, root: &Hash) -> Hash {
    let mut bytes = [0; 1 + 8 + 8 + 32];
    bytes[0] = SEGMENT;
    bytes[1..9].copy_from_slice(&number.to_be_bytes());
    bytes[9..17].copy_from_slice(&records.to_be_bytes());
    bytes[17..].copy_from_slice(root);
    leaf_hash(&bytes)
}

/// Leaf hash of a kind.
pub(super) fn kind(name: &str, records: u64, root: &Hash) -> Hash {
    named(KIND, name, records, root)
}

/// Leaf hash of a database.
pub(super) fn database(name: &str, records: u64, root: &Hash) -> Hash {
    named(DATABASE, name, records, root)
}

fn named(level: u8, name: &str, records: u64, root: &Hash) -> Hash {
    let mut bytes = vec![level];
    put_text(&mut bytes, name.as_bytes());
    bytes.extend_from_slice(&records.to_be_bytes());
    bytes.extend_from_slice(root);
    leaf_hash(&bytes)
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    let length = u32::try_from(text.len()).expect("engines hold no key of 4 GiB");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn leaves_equal_their_definition() {
        let sha = |bytes: &str| <Hash>::from(Sha256::digest(hex::decode(bytes.replace(' ', "")).expect("hex")));
        let mut buffer = vec![9];
        assert_eq!(record(b"ab", b"c", &mut buffer), sha("00 01 00000002 6162 63"));
        let root = "11".repeat(32);
        assert_eq!(segment(7, 258, &[0x11; 32]), sha(&format!("00 02 0000000000000007 0000000000000102 {root}")));
        assert_eq!(kind("row", 1, &[0x11; 32]), sha(&format!("00 03 00000003 726f77 0000000000000001 {root}")));
        assert_eq!(database("a", 1, &[0x11; 32]), sha(&format!("00 04 00000001 61 0000000000000001 {root}")));
    }
}
