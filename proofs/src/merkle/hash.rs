//! The two hash domains of RFC 6962, section 2.1, and the hash of nothing.

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// A SHA-256 digest: a leaf, a node or a root.
pub type Hash = [u8; 32];

/// Root of the tree without leaves: SHA-256 of the empty string (RFC 6962, section 2.1).
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

const LEAF_PREFIX: u8 = 0x00;
const NODE_PREFIX: u8 = 0x01;

/// Longest message that two blocks of SHA-256 take: padding needs a byte and the length eight.
const SHORT_BYTES_MAX: usize = 2 * BLOCK_BYTES - 9;

const BLOCK_BYTES: usize = 64;

/// Where SHA-256 begins (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Hash of a leaf: SHA-256(0x00 ‖ data).
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    if data.len() < SHORT_BYTES_MAX {
        let mut message = [LEAF_PREFIX; 2 * BLOCK_BYTES];
        message[1..=data.len()].copy_from_slice(data);
        return short_hash(message, 1 + data.len());
    }
    Sha256::new().chain_update([LEAF_PREFIX]).chain_update(data).finalize().into()
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut message = [0; 2 * BLOCK_BYTES];
    message[0] = NODE_PREFIX;
    message[1..33].copy_from_slice(left);
    message[33..65].copy_from_slice(right);
    short_hash(message, 65)
}

/// SHA-256 of the first `length` bytes of `message`, which has zeros after them; `length <= SHORT_BYTES_MAX`.
///
/// Leaves and nodes are short: padding them here and compressing both blocks at once takes a fifth less time than
/// a hasher that must expect more to come.
#[inline]
fn short_hash(mut message: [u8; 2 * BLOCK_BYTES], length: usize) -> Hash {
    let used = if length < BLOCK_BYTES - 8 { BLOCK_BYTES } else { 2 * BLOCK_BYTES };
    message[length] = 0x80;
    message[used - 8..used].copy_from_slice(&(8 * length as u64).to_be_bytes());
    let mut state = INITIAL;
    compress256(&mut state, message[..used].as_chunks().0);
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_of_every_length_around_the_buffer_equal_the_definition() {
        for length in 0..260 {
            let data = vec![7; length];
            let expected: Hash = Sha256::digest([&[0][..], &data].concat()).into();
            assert_eq!(leaf_hash(&data), expected, "length {length}");
        }
    }

    #[test]
    fn a_node_is_the_hash_of_its_prefix_and_children_in_order() {
        let (left, right) = ([1; 32], [2; 32]);
        let expected: Hash = Sha256::digest([&[1][..], &left, &right].concat()).into();
        assert_eq!(node_hash(&left, &right), expected);
        assert_ne!(node_hash(&right, &left), expected);
    }

    #[test]
    fn the_empty_root_is_the_hash_of_nothing() {
        assert_eq!(EMPTY_ROOT, <Hash>::from(Sha256::digest([])));
    }
}
