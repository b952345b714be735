//! A proof that a tree only grew, with the newer checkpoint: what a witness is sent (C2SP `tlog-witness`,
//! `add-checkpoint`).
//!
//! ```text
//! "old " decimal "\n"             size of the older tree
//! base64 of a hash "\n"           at most 63, as RFC 6962 orders them
//! "\n"
//! the newer checkpoint, a signed note
//! ```

use super::head::{Checkpoint, CheckpointError, OpenedCheckpoint};
use super::next::{NextError, next_checkpoint};
use crate::encoding::{Base64Error, DecimalError, decimal, decode_hash, encode};
use crate::merkle::Hash;
use crate::note::{Note, NoteError, VerifierKey};

/// Most hashes of a proof (C2SP `tlog-witness`).
const PROOF_HASHES_MAX: usize = 63;

/// An unchecked proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrowthFile {
    /// Leaves of the older tree.
    pub old_size: u64,
    /// The proof.
    pub proof: Vec<Hash>,
    /// The newer checkpoint, with its signatures.
    pub checkpoint: Note,
}

/// Why a file proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrowthFileError {
    /// Not UTF-8.
    #[error("proof is not UTF-8 from byte {offset}")]
    NotUtf8 {
        /// Where it stops being.
        offset: usize,
    },
    /// No blank line before the checkpoint.
    #[error("proof has no blank line before its checkpoint")]
    NoCheckpoint,
    /// The first line does not say the older size.
    #[error("proof does not begin with the old size")]
    NoOldSize,
    /// The older size is not a number.
    #[error("old size of the proof: {source}")]
    OldSize {
        /// Why.
        source: DecimalError,
    },
    /// A line is not a hash.
    #[error("hash {hash} of the proof: {source}")]
    Hash {
        /// Its number, from 1.
        hash: usize,
        /// Why.
        source: Base64Error,
    },
    /// More hashes than any proof has.
    #[error("proof has more than {PROOF_HASHES_MAX} hashes")]
    TooManyHashes,
    /// The checkpoint is not a note.
    #[error("checkpoint of the proof: {source}")]
    Note {
        /// Why.
        #[from]
        source: NoteError,
    },
    /// The checkpoint is not that of a known log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The proof begins at another size than the last checkpoint has.
    #[error("proof begins at {actual} leaves, but the last checkpoint has {expected}")]
    OtherSize {
        /// Leaves of the last checkpoint; 0 without one.
        expected: u64,
        /// Leaves that the proof begins at.
        actual: u64,
    },
    /// The newer checkpoint does not follow the last one.
    #[error(transparent)]
    Next(#[from] NextError),
}

impl GrowthFile {
    /// Reads a proof.
    ///
    /// # Errors
    /// [`GrowthFileError`] but `Checkpoint`, `OtherSize` and `Next`.
    pub fn parse(bytes: &[u8]) -> Result<Self, GrowthFileError> {
        let text = str::from_utf8(bytes).map_err(|error| GrowthFileError::NotUtf8 { offset: error.valid_up_to() })?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(GrowthFileError::NoCheckpoint)?;
        let mut lines = head.split('\n');
        let old_size = lines.next().and_then(|line| line.strip_prefix("old ")).ok_or(GrowthFileError::NoOldSize)?;
        let old_size = decimal(old_size).map_err(|source| GrowthFileError::OldSize { source })?;
        let mut proof = Vec::new();
        for (place, line) in lines.enumerate() {
            if place == PROOF_HASHES_MAX {
                return Err(GrowthFileError::TooManyHashes);
            }
            proof.push(decode_hash(line).map_err(|source| GrowthFileError::Hash { hash: place + 1, source })?);
        }
        Ok(Self { old_size, proof, checkpoint: Note::parse(checkpoint.as_bytes())? })
    }

    /// Checks that the newer checkpoint is signed by its log, whose key is among `known`, and that its tree is that
    /// of `last`, grown. Who cosigns it asks [`next_checkpoint`] with the same arguments for what may be signed.
    ///
    /// # Errors
    /// [`GrowthFileError::Checkpoint`], [`GrowthFileError::OtherSize`] or [`GrowthFileError::Next`].
    pub fn verify<'a>(
        &'a self,
        last: Option<&Checkpoint>,
        known: &'a [VerifierKey],
    ) -> Result<OpenedCheckpoint<'a>, GrowthFileError> {
        let opened = Checkpoint::open(&self.checkpoint, known)?;
        let expected = last.map_or(0, Checkpoint::size);
        if self.old_size != expected {
            return Err(GrowthFileError::OtherSize { expected, actual: self.old_size });
        }
        next_checkpoint(last, &self.proof, opened.checkpoint())?;
        Ok(opened)
    }
}

impl std::fmt::Display for GrowthFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(formatter, "{}", encode(hash)))?;
        write!(formatter, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{head, log, signed, tree};
    use super::*;
    use crate::merkle::{ConsistencyError, consistency_path};

    fn honest(old_size: u64, new_size: u64) -> GrowthFile {
        let Ok(proof) = consistency_path(old_size, new_size, &tree(new_size));
        GrowthFile { old_size, proof, checkpoint: signed(&head(new_size)) }
    }

    fn verify(file: &GrowthFile, last: Option<&Checkpoint>) -> Result<Checkpoint, GrowthFileError> {
        let known = [log().verifier().clone()];
        file.verify(last, &known).map(|opened| opened.checkpoint().clone())
    }

    #[test]
    fn an_honest_proof_is_read_back_and_holds() {
        let file = honest(6, 11);
        let read = GrowthFile::parse(file.to_string().as_bytes()).expect("what was written is read");
        assert_eq!(read, file);
        assert_eq!(verify(&read, Some(&head(6))), Ok(head(11)));
        assert_eq!(verify(&honest(0, 11), None), Ok(head(11)));
    }

    #[test]
    fn each_hostile_file_has_its_reason() {
        let text = honest(6, 11).to_string();
        let parse = |text: &str| GrowthFile::parse(text.as_bytes()).expect_err("a hostile proof");
        assert_eq!(GrowthFile::parse(b"o\xff"), Err(GrowthFileError::NotUtf8 { offset: 1 }));
        assert_eq!(parse(""), GrowthFileError::NoCheckpoint);
        assert_eq!(parse(&text.replace("old 6\n", "")), GrowthFileError::NoOldSize);
        let zero = GrowthFileError::OldSize { source: DecimalError::LeadingZero };
        assert_eq!(parse(&text.replace("old 6", "old 06")), zero);
        let hash = GrowthFileError::Hash { hash: 1, source: Base64Error::Length { length: 5 } };
        assert_eq!(parse(&text.replace("old 6", "old 6\nold 6")), hash);
        let long = format!("old 6\n{}", format!("{}\n", encode(&[0; 32])).repeat(60));
        assert_eq!(parse(&text.replace("old 6\n", &long)), GrowthFileError::TooManyHashes);
        assert_eq!(parse(&text[..text.len() - 1]), GrowthFileError::Note { source: NoteError::Truncated });
    }

    #[test]
    fn a_proof_from_elsewhere_is_refused() {
        let other = GrowthFileError::OtherSize { expected: 7, actual: 6 };
        assert_eq!(verify(&honest(6, 11), Some(&head(7))), Err(other));
        assert_eq!(verify(&honest(6, 11), None), Err(GrowthFileError::OtherSize { expected: 0, actual: 6 }));
        let surplus = GrowthFile { proof: [honest(6, 11).proof, vec![[0; 32]]].concat(), ..honest(6, 11) };
        let verdict = verify(&surplus, Some(&head(6)));
        assert!(matches!(
            verdict,
            Err(GrowthFileError::Next(NextError::Inconsistent(ConsistencyError::PathLength { .. })))
        ));
    }
}
