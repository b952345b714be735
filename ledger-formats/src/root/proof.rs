//! The way from one record to the root of its database: three audit paths, one above the other.

use proofs::merkle::{Hash, Inclusion, InclusionError};

use super::kind::RecordKind;
use super::leaf;

/// One leaf of a tree, and its path to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Place of the leaf, from 0.
    pub index: u64,
    /// Leaves of the tree.
    pub total: u64,
    /// Hash of the leaf.
    pub leaf: Hash,
    /// Hashes of the siblings, from the leaf to the root.
    pub path: Vec<Hash>,
    /// The root.
    pub root: Hash,
}

/// That a record is under the root of its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordProof {
    /// Its kind.
    pub kind: RecordKind,
    /// Whether it is under the own root, and not under the one that all formats share.
    pub is_own: bool,
    /// The number of its segment.
    pub segment_number: u64,
    /// Records of its kind.
    pub kind_records: u64,
    /// From the record to its segment.
    pub segment_rung: Rung,
    /// From the segment to its kind.
    pub kind_rung: Rung,
    /// From the kind to the database.
    pub database_rung: Rung,
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// A path does not lead to its root.
    #[error("from the {level}: {source}")]
    Path {
        /// Where the path begins.
        level: &'static str,
        /// What is wrong.
        source: InclusionError,
    },
    /// A leaf is not that of the tree below it.
    #[error("the leaf of the {level} is {actual}, the tree below it makes {expected}",
        actual = hex::encode(.actual), expected = hex::encode(.expected))]
    Leaf {
        /// Of which level.
        level: &'static str,
        /// As the tree below says.
        expected: Hash,
        /// As the proof says.
        actual: Hash,
    },
}

impl RecordProof {
    /// Checks that the record leads to the database's root, which is the root of the last path.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify(&self) -> Result<(), ProofError> {
        let Self { segment_rung, kind_rung, database_rung, .. } = self;
        segment_rung.verify("record")?;
        let segment = leaf::segment(self.segment_number, segment_rung.total, &segment_rung.root);
        kind_rung.expect_leaf("segment", segment)?;
        kind_rung.verify("segment")?;
        database_rung.expect_leaf("kind", leaf::kind(self.kind.name(), self.kind_records, &kind_rung.root))?;
        database_rung.verify("kind")
    }
}

impl Rung {
    fn verify(&self, level: &'static str) -> Result<(), ProofError> {
        let claim = Inclusion { total: self.total, index: self.index, leaf_hash: self.leaf, aunts: &self.path };
        claim.verify(&self.root).map_err(|source| ProofError::Path { level, source })
    }

    fn expect_leaf(&self, level: &'static str, expected: Hash) -> Result<(), ProofError> {
        if self.leaf == expected { Ok(()) } else { Err(ProofError::Leaf { level, expected, actual: self.leaf }) }
    }
}
