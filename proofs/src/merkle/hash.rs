//! The two hash domains of RFC 6962, section 2.1, and the hash of nothing.

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

/// Longest leaf that is hashed from one buffer: with its prefix and padding it fills two blocks of SHA-256.
const SHORT_LEAF_BYTES_MAX: usize = 118;

/// Hash of a leaf: SHA-256(0x00 ‖ data).
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    let mut buffer = [LEAF_PREFIX; 1 + SHORT_LEAF_BYTES_MAX];
    if let Some(place) = buffer.get_mut(1..=data.len()) {
        // One call over one buffer costs less than two updates, and most leaves are short.
        place.copy_from_slice(data);
        return Sha256::digest(&buffer[..=data.len()]).into();
    }
    Sha256::new().chain_update([LEAF_PREFIX]).chain_update(data).finalize().into()
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut buffer = [NODE_PREFIX; 65];
    buffer[1..33].copy_from_slice(left);
    buffer[33..].copy_from_slice(right);
    Sha256::digest(buffer).into()
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
