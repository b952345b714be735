//! The parts of a block: the bytes of the block cut into pieces of 64 KiB, each with a proof that it
//! belongs to the block (types/part_set.go).

use proofs::merkle::{Hash, Inclusion, InclusionError, leaf_hash};

use super::block_id::PartSetHeader;
use super::error::DecodeError;
use super::wire::{Decode, Reader};

/// Bytes of every part but the last, which has at least 1.
pub const PART_BYTES: usize = 65_536;

/// Longest path of a proof: that of a tree of 2^100 leaves, upstream's bound.
const AUNTS_MAX: usize = 100;

/// One part of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Place among the parts, from 0.
    pub index: u32,
    /// A piece of the block.
    pub bytes: &'a [u8],
    /// Proof that it is at its place in the tree over the parts.
    pub proof: Proof<'a>,
}

/// Proof that a leaf is at a place of an RFC 6962 tree, not yet checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof<'a> {
    /// Leaves of the tree.
    pub total: u64,
    /// Place of the leaf, from 0.
    pub index: u64,
    /// Hash of the leaf.
    pub leaf_hash: &'a [u8],
    /// Hashes of the siblings on the way from the leaf to the root.
    pub aunts: Vec<Hash>,
}

/// Why a part is not the part of the block that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// It stands under the key of another part.
    #[error("part {expected} expected, part {actual} found")]
    Index {
        /// The part in the key.
        expected: u32,
        /// The part in the value.
        actual: u32,
    },
    /// Its proof is about another place or another number of parts.
    #[error("proof for part {expected_index} of {expected_total} expected, for part {index} of {total} found")]
    Proof {
        /// The part.
        expected_index: u32,
        /// Parts of the block.
        expected_total: u32,
        /// The place in the proof.
        index: u64,
        /// The number of parts in the proof.
        total: u64,
    },
    /// It has more or fewer bytes than a part at its place can have.
    #[error("a part of {expected} bytes expected, one of {actual} found")]
    Size {
        /// The size in words.
        expected: &'static str,
        /// Bytes found.
        actual: usize,
    },
    /// Its bytes are not what the proof is about.
    #[error("leaf hash {expected} expected, {actual} found", expected = hex::encode(.expected), actual = hex::encode(.actual))]
    Leaf {
        /// The hash in the proof.
        expected: Vec<u8>,
        /// The hash of the bytes.
        actual: Hash,
    },
    /// The proof does not lead to the root that the block id names.
    #[error(transparent)]
    Path(#[from] InclusionError),
    /// The block id names a root that is not a hash.
    #[error("a part set hash of 32 bytes expected, one of {actual} found")]
    Root {
        /// Bytes found.
        actual: usize,
    },
}

impl Part<'_> {
    /// Checks that this is part `index` of the block with these parts, and returns its leaf hash.
    ///
    /// # Errors
    /// What does not fit; see [`PartError`].
    pub fn verify(&self, index: u32, header: &PartSetHeader<'_>) -> Result<Hash, PartError> {
        if self.index != index {
            return Err(PartError::Index { expected: index, actual: self.index });
        }
        self.verify_size(header.total)?;
        let Proof { total, index: place, .. } = self.proof;
        if total != u64::from(header.total) || place != u64::from(index) {
            let (expected_index, expected_total) = (index, header.total);
            return Err(PartError::Proof { expected_index, expected_total, index: place, total });
        }
        let leaf = leaf_hash(self.bytes);
        if self.proof.leaf_hash != leaf {
            return Err(PartError::Leaf { expected: self.proof.leaf_hash.to_vec(), actual: leaf });
        }
        let root: &Hash = header.hash.try_into().map_err(|_| PartError::Root { actual: header.hash.len() })?;
        let aunts = &self.proof.aunts;
        Inclusion { total, index: place, leaf_hash: leaf, aunts }.verify(root)?;
        Ok(leaf)
    }

    fn verify_size(&self, total: u32) -> Result<(), PartError> {
        let actual = self.bytes.len();
        let is_last = self.index.checked_add(1) == Some(total);
        match (is_last, actual) {
            (false, PART_BYTES) | (true, 1..=PART_BYTES) => Ok(()),
            (false, _) => Err(PartError::Size { expected: "65536", actual }),
            (true, _) => Err(PartError::Size { expected: "1 to 65536", actual }),
        }
    }
}

impl<'a> Decode<'a> for Part<'a> {
    const NAME: &'static str = "Part";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut part = Self { index: 0, bytes: &[], proof: Proof::default() };
        while let Some(field) = reader.next()? {
            match field.number {
                1 => part.index = field.u32("index")?,
                2 => part.bytes = field.bytes("bytes")?,
                3 => part.proof = field.message("proof")?,
                _ => {}
            }
        }
        Ok(part)
    }
}

impl<'a> Decode<'a> for Proof<'a> {
    const NAME: &'static str = "Proof";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut proof = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => proof.total = field.natural("total")?,
                2 => proof.index = field.natural("index")?,
                3 => proof.leaf_hash = field.bytes("leaf_hash")?,
                4 if proof.aunts.len() == AUNTS_MAX => {
                    return Err(field.range("aunts", "at most 100 hashes", 101));
                }
                4 => proof.aunts.push(field.each_array("aunts")?),
                _ => {}
            }
        }
        Ok(proof)
    }
}

#[cfg(test)]
mod tests {
    use proofs::merkle::{MemoryTree, inclusion_path, node_hash};

    use super::*;

    /// The two parts of a block of 65,539 bytes, and the root over them.
    fn parts(bytes: &[u8]) -> ([Part<'_>; 2], [Hash; 2], Hash) {
        let (first, last) = bytes.split_at(PART_BYTES);
        let leaves = [leaf_hash(first), leaf_hash(last)];
        let part = |index: u32, bytes, sibling| Part {
            index,
            bytes,
            proof: Proof { total: 2, index: index.into(), leaf_hash: &[], aunts: vec![sibling] },
        };
        ([part(0, first, leaves[1]), part(1, last, leaves[0])], leaves, node_hash(&leaves[0], &leaves[1]))
    }

    #[test]
    fn a_part_is_refused_for_everything_that_does_not_fit() {
        let block = vec![7; PART_BYTES + 3];
        let ([mut first, mut last], leaves, root) = parts(&block);
        (first.proof.leaf_hash, last.proof.leaf_hash) = (&leaves[0], &leaves[1]);
        let header = PartSetHeader { total: 2, hash: &root };
        assert_eq!(first.verify(0, &header), Ok(leaves[0]));
        assert_eq!(last.verify(1, &header), Ok(leaves[1]));

        assert_eq!(last.verify(0, &header), Err(PartError::Index { expected: 0, actual: 1 }));
        let alone = PartSetHeader { total: 1, hash: &root };
        let other_total = PartError::Proof { expected_index: 0, expected_total: 3, index: 0, total: 2 };
        assert_eq!(first.verify(0, &PartSetHeader { total: 3, hash: &root }), Err(other_total));
        assert!(matches!(last.verify(1, &alone), Err(PartError::Size { expected: "65536", actual: 3 })));
        let empty = Part { bytes: &[], ..last.clone() };
        assert_eq!(empty.verify(1, &header), Err(PartError::Size { expected: "1 to 65536", actual: 0 }));
        let changed = Part { bytes: &[7, 7, 8], ..last.clone() };
        assert!(matches!(changed.verify(1, &header), Err(PartError::Leaf { .. })));
        let other_root = PartSetHeader { total: 2, hash: &[9; 32] };
        assert!(matches!(first.verify(0, &other_root), Err(PartError::Path(InclusionError::Root { .. }))));
        assert_eq!(first.verify(0, &PartSetHeader { total: 2, hash: &[] }), Err(PartError::Root { actual: 0 }));
    }

    #[test]
    fn part_sets_of_cometbft() {
        // Upstream publishes no hash of a part set. These are types.NewPartSetFromData(data, 65536).Header() of v0.38.26,
        // where byte i of data is i mod 251.
        for (size, total, hash) in [
            (1, 1, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"),
            (65_535, 1, "cce25a5fa01c23b864e8f47fae4a4f7fa4ff0dd095322f20c2b4e59c1623745f"),
            (65_536, 1, "75d3913244a9f7c765bea2770eb800c391c49cc1b62f7ce0ee9c192d1f1b9864"),
            (65_537, 2, "b1456526ce5b886d000774685b1849b7293d94399b565389d927e3640d3092aa"),
            (200_000, 4, "c7146da68f4593e15ffb60072286355de3701e079f247e426a08e67e61c35722"),
            (1_000_003, 16, "a27fb23a69cfef754b26f06bac4ace1030f910f755631730f235c54192cf327c"),
        ] {
            let data: Vec<u8> = (0..=250).cycle().take(size).collect();
            let root = hex::decode(hash).expect("hex");
            let header = PartSetHeader { total, hash: &root };
            let tree: MemoryTree = data.chunks(PART_BYTES).map(leaf_hash).collect();
            assert_eq!((tree.size(), tree.root().as_slice()), (total.into(), header.hash), "{size} bytes");
            for (index, bytes) in (0..).zip(data.chunks(PART_BYTES)) {
                let (leaf, Ok(aunts)) = (leaf_hash(bytes), inclusion_path(index, total.into(), &tree));
                let proof = Proof { total: total.into(), index, leaf_hash: &leaf, aunts };
                let index = u32::try_from(index).expect("few parts");
                assert_eq!(
                    Part { index, bytes, proof }.verify(index, &header),
                    Ok(leaf),
                    "part {index} of {size} bytes"
                );
            }
        }
    }

    #[test]
    fn a_proof_has_a_bounded_path_of_whole_hashes() {
        let short = [0x22, 0x01, 0x00];
        assert!(matches!(Proof::decode(&short), Err(DecodeError::Length { expected: 32, actual: 1, .. })));
        let hash = [&[0x22, 0x20][..], &[1; 32]].concat();
        assert_eq!(Proof::decode(&hash.repeat(100)).expect("decodes").aunts.len(), 100);
        assert!(matches!(Proof::decode(&hash.repeat(101)), Err(DecodeError::Range { .. })));
    }
}
