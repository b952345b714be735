//! Which checkpoint may be signed after the last one: only one of the same tree, grown.
//!
//! A log or witness that signs two inconsistent checkpoints has lied for good. Whoever signs keeps the last
//! signed note durably, asks [`next_checkpoint`] first, signs what it returns, stores the new note, and only
//! then hands it out.

use super::head::Checkpoint;
use crate::merkle::{Consistency, ConsistencyError, Hash};
use crate::note::{Algorithm, Note, NoteError, SignerKey};

/// A checkpoint that may be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signable<'a>(&'a Checkpoint);

/// Why a checkpoint must not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NextError {
    /// The last one is of another tree.
    #[error("checkpoint of {new:?} does not follow one of {last:?}")]
    Origin {
        /// Origin of the last checkpoint signed.
        last: String,
        /// Origin of the one to be signed.
        new: String,
    },
    /// Nothing was signed before, so there is nothing that a proof could be about.
    #[error("the first checkpoint comes with a consistency proof of {hashes} hashes")]
    ProofOfFirst {
        /// Hashes of the proof.
        hashes: usize,
    },
    /// The tree shrank, was changed, or the proof does not show that it only grew.
    #[error(transparent)]
    Inconsistent(#[from] ConsistencyError),
}

/// Why a checkpoint was not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key has another name or algorithm.
    #[error("key {name:?} does not sign such checkpoints")]
    WrongKey {
        /// Its name.
        name: String,
    },
    /// The note to be cosigned is not the checkpoint that was found consistent.
    #[error("note is not the checkpoint that was found consistent")]
    OtherText,
    /// A cosignature cannot say this time.
    #[error("time {time} is past 2^63 - 1")]
    Time {
        /// Seconds since 1970.
        time: u64,
    },
    /// The checkpoint cannot be a note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// Says that `new` may be signed after `last`, the last checkpoint that the same key signed for this origin.
///
/// # Errors
/// [`NextError`]; then it must not be signed.
pub fn next_checkpoint<'a>(
    last: Option<&Checkpoint>,
    proof: &[Hash],
    new: &'a Checkpoint,
) -> Result<Signable<'a>, NextError> {
    let Some(last) = last else {
        return if proof.is_empty() { Ok(Signable(new)) } else { Err(NextError::ProofOfFirst { hashes: proof.len() }) };
    };
    if last.origin() != new.origin() {
        return Err(NextError::Origin { last: last.origin().to_owned(), new: new.origin().to_owned() });
    }
    let claim = Consistency { old_size: last.size(), new_size: new.size(), path: proof };
    claim.verify(last.root(), new.root())?;
    Ok(Signable(new))
}

impl Signable<'_> {
    /// The checkpoint as a note signed by its log.
    ///
    /// # Errors
    /// [`SignError::WrongKey`] unless `key` signs notes and has the origin as its name.
    pub fn sign(self, key: &SignerKey) -> Result<Note, SignError> {
        let verifier = key.verifier();
        if verifier.algorithm() != Algorithm::Ed25519 || verifier.name() != self.0.origin() {
            return Err(SignError::WrongKey { name: verifier.name().to_owned() });
        }
        let mut note = Note::unsigned(self.0.to_text())?;
        note.sign(key, 0);
        Ok(note)
    }

    /// Adds the cosignature of a witness to the note that its log signed: as of `time`, in seconds since 1970,
    /// this is the largest tree of that origin that the witness saw.
    ///
    /// # Errors
    /// [`SignError::WrongKey`] unless `key` makes cosignatures; [`SignError::OtherText`] if `note` is not this
    /// checkpoint; [`SignError::Time`] past 2^63 - 1.
    pub fn cosign(self, note: &mut Note, key: &SignerKey, time: u64) -> Result<(), SignError> {
        if key.verifier().algorithm() != Algorithm::Cosignature {
            return Err(SignError::WrongKey { name: key.verifier().name().to_owned() });
        }
        if note.unverified_text() != self.0.to_text() {
            return Err(SignError::OtherText);
        }
        if i64::try_from(time).is_err() {
            return Err(SignError::Time { time });
        }
        note.sign(key, time);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{EMPTY_ROOT, MemoryTree, consistency_path, leaf_hash};
    use crate::note::OpenError;

    const ORIGIN: &str = "example.org/chain";

    fn tree(size: u64) -> MemoryTree {
        (0..size).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect()
    }

    fn head(size: u64) -> Checkpoint {
        Checkpoint::new(ORIGIN, size, tree(size).root()).expect("a checkpoint")
    }

    fn proof(old: u64, new: u64) -> Vec<Hash> {
        let Ok(proof) = consistency_path(old, new, &tree(new));
        proof
    }

    fn key(name: &str, algorithm: Algorithm) -> SignerKey {
        SignerKey::from_seed(name, algorithm, &[7; 32]).expect("a name")
    }

    #[test]
    fn a_grown_tree_may_be_signed_and_the_same_one_again() {
        assert_eq!(next_checkpoint(None, &[], &head(5)), Ok(Signable(&head(5))));
        assert_eq!(next_checkpoint(Some(&head(5)), &proof(5, 9), &head(9)), Ok(Signable(&head(9))));
        assert_eq!(next_checkpoint(Some(&head(5)), &[], &head(5)), Ok(Signable(&head(5))));
        assert_eq!(next_checkpoint(Some(&head(0)), &[], &head(5)), Ok(Signable(&head(5))));
    }

    #[test]
    fn each_inconsistent_checkpoint_has_its_reason() {
        let next = |last: &Checkpoint, proof: &[Hash], new: &Checkpoint| {
            next_checkpoint(Some(last), proof, new).expect_err("must not be signed")
        };
        let shrinks = ConsistencyError::Shrinks { old_size: 9, new_size: 5 };
        assert_eq!(next(&head(9), &[], &head(5)), NextError::Inconsistent(shrinks));
        let fork = Checkpoint::new(ORIGIN, 9, [1; 32]).expect("a checkpoint");
        let forked = next(&head(9), &[], &fork);
        assert!(matches!(forked, NextError::Inconsistent(ConsistencyError::OldRoot { .. })));
        let changed = Checkpoint::new(ORIGIN, 5, [1; 32]).expect("a checkpoint");
        let forked = next(&changed, &proof(5, 9), &head(9));
        assert!(matches!(forked, NextError::Inconsistent(ConsistencyError::OldRoot { .. })));
        let unproven = next(&head(5), &[], &head(9));
        assert!(matches!(unproven, NextError::Inconsistent(ConsistencyError::PathLength { .. })));
        let other = Checkpoint::new("example.org/other", 9, *head(9).root()).expect("a checkpoint");
        assert!(matches!(next(&head(5), &proof(5, 9), &other), NextError::Origin { .. }));
        let new = head(5);
        let first = next_checkpoint(None, &[EMPTY_ROOT], &new);
        assert_eq!(first, Err(NextError::ProofOfFirst { hashes: 1 }));
    }

    #[test]
    fn a_witness_adds_its_time_to_what_the_log_signed() {
        let (log, witness) = (key(ORIGIN, Algorithm::Ed25519), key("witness", Algorithm::Cosignature));
        let checkpoint = head(5);
        let signable = next_checkpoint(None, &[], &checkpoint).expect("the first");
        let mut note = signable.sign(&log).expect("its key");
        signable.cosign(&mut note, &witness, 1_700_000_000).expect("the same text");
        let known = [log.verifier().clone(), witness.verifier().clone()];
        let opened = Checkpoint::open(&note, &known).expect("signed by its log");
        assert_eq!(opened.witnesses().len(), 1);
        assert_eq!((opened.witnesses()[0].key, opened.witnesses()[0].time), (&known[1], Some(1_700_000_000)));
    }

    #[test]
    fn keys_sign_only_what_they_are_for() {
        let (log, witness) = (key(ORIGIN, Algorithm::Ed25519), key("witness", Algorithm::Cosignature));
        let (checkpoint, larger) = (head(5), head(6));
        let signable = next_checkpoint(None, &[], &checkpoint).expect("the first");
        let wrong = |name: &str| SignError::WrongKey { name: name.to_owned() };
        assert_eq!(signable.sign(&witness), Err(wrong("witness")));
        assert_eq!(signable.sign(&key("example.org/other", Algorithm::Ed25519)), Err(wrong("example.org/other")));
        let mut note = signable.sign(&log).expect("its key");
        assert_eq!(signable.cosign(&mut note, &log, 5), Err(wrong(ORIGIN)));
        assert_eq!(signable.cosign(&mut note, &witness, 1 << 63), Err(SignError::Time { time: 1 << 63 }));
        let other = next_checkpoint(None, &[], &larger).expect("the first");
        assert_eq!(other.cosign(&mut note, &witness, 5), Err(SignError::OtherText));
        let known = [witness.verifier().clone()];
        assert_eq!(note.open(&known), Err(OpenError::NoKnownKey { signatures: 1 }), "nothing was added");
    }
}
