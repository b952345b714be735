//! Checkpoints: the signed head of a chain's tree, and what is proven against it.
//!
//! | file | what |
//! |---|---|
//! | `head` | the text of a checkpoint and how one is opened (C2SP `tlog-checkpoint`) |
//! | `next` | the only way to sign one: after it was shown consistent with the last |
//! | `leaf` | the leaf that stands for a height of a chain |
//! | `proof_file` | a leaf's proof as a file (C2SP `tlog-proof`) |
//! | `growth_file` | a consistency proof as a file (the request body of C2SP `tlog-witness`) |
//!
//! One origin stands for one chain, one dataset and one encoding version; it is the name of the key too. No
//! checkpoint is signed but through [`next_checkpoint`].

mod growth_file;
mod head;
mod leaf;
mod next;
mod proof_file;

pub use growth_file::{GrowthFile, GrowthFileError};
pub use head::{Checkpoint, CheckpointError, OpenedCheckpoint};
pub use leaf::{LEAF_BYTES, Leaf, LeafError, LedgerOrigin};
pub use next::{NextError, SignError, Signable, next_checkpoint};
pub use proof_file::{ProofFile, ProofFileError, ProvenLeaf};

#[cfg(test)]
mod tests {
    //! What the tests of the files share: a log, its tree, and signed heads of it.

    use super::{Checkpoint, next_checkpoint};
    use crate::merkle::{MemoryTree, leaf_hash};
    use crate::note::{Algorithm, Note, SignerKey};

    pub(super) const ORIGIN: &str = "example.org/chain/blocks-v1/1";

    pub(super) fn log() -> SignerKey {
        SignerKey::from_seed(ORIGIN, Algorithm::Ed25519, &[7; 32]).expect("a name")
    }

    /// The tree of the numbers below `size`, big-endian.
    pub(super) fn tree(size: u64) -> MemoryTree {
        (0..size).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect()
    }

    pub(super) fn head(size: u64) -> Checkpoint {
        Checkpoint::new(ORIGIN, size, tree(size).root()).expect("a checkpoint")
    }

    pub(super) fn signed(head: &Checkpoint) -> Note {
        next_checkpoint(None, &[], head).expect("the first").sign(&log()).expect("its key")
    }
}
