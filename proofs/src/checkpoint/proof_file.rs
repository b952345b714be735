//! A proof that needs nothing else: a leaf's place and path, and the signed checkpoint (C2SP `tlog-proof`).
//!
//! ```text
//! c2sp.org/tlog-proof@v1 "\n"
//! "extra " base64 "\n"            optional, trusted by nobody
//! "index " decimal "\n"
//! base64 of a hash "\n"           one for each level that has a sibling, from the leaf to the root
//! "\n"
//! the checkpoint, a signed note
//! ```

use super::head::{Checkpoint, CheckpointError, OpenedCheckpoint};
use crate::encoding::{Base64Error, DecimalError, decimal, decode, decode_hash, encode};
use crate::merkle::{Hash, Inclusion, InclusionError, leaf_hash};
use crate::note::{Note, NoteError, VerifierKey};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Most hashes of a path; a tree of 2^64 leaves has no longer ones.
const PATH_HASHES_MAX: usize = 64;

/// An unchecked proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofFile {
    /// What the maker added; nobody vouches for it.
    pub extra: Option<Vec<u8>>,
    /// Place of the leaf, from 0.
    pub index: u64,
    /// Siblings from the leaf to the root.
    pub path: Vec<Hash>,
    /// The checkpoint, with its signatures.
    pub checkpoint: Note,
}

/// A leaf that is in the tree of a signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenLeaf<'a> {
    index: u64,
    checkpoint: OpenedCheckpoint<'a>,
}

/// Why a file proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFileError {
    /// Not UTF-8.
    #[error("proof is not UTF-8 from byte {offset}")]
    NotUtf8 {
        /// Where it stops being.
        offset: usize,
    },
    /// The first line is another.
    #[error("proof does not begin with {HEADER}")]
    Header,
    /// No blank line before the checkpoint.
    #[error("proof has no blank line before its checkpoint")]
    NoCheckpoint,
    /// No line with the index, or something else in its place.
    #[error("proof has no index")]
    NoIndex,
    /// The index is not a number.
    #[error("index of the proof: {source}")]
    Index {
        /// Why.
        source: DecimalError,
    },
    /// The extra data is not base64.
    #[error("extra data of the proof: {source}")]
    Extra {
        /// Why.
        source: Base64Error,
    },
    /// A line of the path is not a hash.
    #[error("hash {hash} of the proof: {source}")]
    Hash {
        /// Its number, from 1.
        hash: usize,
        /// Why.
        source: Base64Error,
    },
    /// More hashes than any path has.
    #[error("proof has more than {PATH_HASHES_MAX} hashes")]
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
    /// The leaf is not at that place of that tree.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
}

impl ProofFile {
    /// Reads a proof.
    ///
    /// # Errors
    /// [`ProofFileError`] but `Checkpoint` and `Inclusion`.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofFileError> {
        let text = str::from_utf8(bytes).map_err(|error| ProofFileError::NotUtf8 { offset: error.valid_up_to() })?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofFileError::NoCheckpoint)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(ProofFileError::Header);
        }
        let extra = lines.next_if(|line| line.starts_with("extra ")).map(|line| decode(&line["extra ".len()..]));
        let extra = extra.transpose().map_err(|source| ProofFileError::Extra { source })?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(ProofFileError::NoIndex)?;
        let index = decimal(index).map_err(|source| ProofFileError::Index { source })?;
        let mut path = Vec::new();
        for (place, line) in lines.enumerate() {
            if place == PATH_HASHES_MAX {
                return Err(ProofFileError::TooManyHashes);
            }
            path.push(decode_hash(line).map_err(|source| ProofFileError::Hash { hash: place + 1, source })?);
        }
        Ok(Self { extra, index, path, checkpoint: Note::parse(checkpoint.as_bytes())? })
    }

    /// Checks that `leaf`, its raw data, stands at the file's index in the tree of `origin`, whose key is among
    /// `known`.
    ///
    /// # Errors
    /// [`ProofFileError::Checkpoint`] or [`ProofFileError::Inclusion`].
    pub fn verify<'a>(
        &'a self,
        origin: &str,
        leaf: &[u8],
        known: &'a [VerifierKey],
    ) -> Result<ProvenLeaf<'a>, ProofFileError> {
        let opened = Checkpoint::open(&self.checkpoint, known)?;
        let head = opened.checkpoint();
        head.is_of(origin)?;
        let (total, index) = (head.size(), self.index);
        Inclusion { total, index, leaf_hash: leaf_hash(leaf), aunts: &self.path }.verify(head.root())?;
        Ok(ProvenLeaf { index, checkpoint: opened })
    }
}

impl ProvenLeaf<'_> {
    /// Place of the leaf, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The checkpoint whose tree has the leaf.
    #[must_use]
    pub const fn checkpoint(&self) -> &OpenedCheckpoint<'_> {
        &self.checkpoint
    }
}

impl std::fmt::Display for ProofFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(formatter, "extra {}", encode(extra))?;
        }
        writeln!(formatter, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(formatter, "{}", encode(hash)))?;
        write!(formatter, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ORIGIN, head, log, signed, tree};
    use super::*;
    use crate::merkle::inclusion_path;

    fn honest() -> ProofFile {
        let Ok(path) = inclusion_path(5, 11, &tree(11));
        ProofFile { extra: Some(b"extra".to_vec()), index: 5, path, checkpoint: signed(&head(11)) }
    }

    fn verify(file: &ProofFile) -> Result<u64, ProofFileError> {
        let known = [log().verifier().clone()];
        file.verify(ORIGIN, &5_u64.to_be_bytes(), &known).map(|proven| proven.index())
    }

    #[test]
    fn an_honest_proof_is_read_back_and_holds() {
        for file in [honest(), ProofFile { extra: None, ..honest() }] {
            let read = ProofFile::parse(file.to_string().as_bytes()).expect("what was written is read");
            assert_eq!(read, file);
            assert_eq!(verify(&read), Ok(5));
        }
    }

    #[test]
    fn each_hostile_file_has_its_reason() {
        let text = honest().to_string();
        let parse = |text: &str| ProofFile::parse(text.as_bytes()).expect_err("a hostile proof");
        assert_eq!(ProofFile::parse(b"\xff"), Err(ProofFileError::NotUtf8 { offset: 0 }));
        assert_eq!(parse(&text.replace("@v1", "@v2")), ProofFileError::Header);
        assert_eq!(parse(&text.replace("\n", "\r\n")), ProofFileError::NoCheckpoint);
        assert_eq!(parse(&text[..100]), ProofFileError::NoCheckpoint);
        assert_eq!(parse(&text.replace("index 5\n", "")), ProofFileError::NoIndex);
        assert_eq!(parse(&text.replace("index 5\n", "index 5\nindex 5\n")), hash(1, Base64Error::Length { length: 7 }));
        let index = |source| ProofFileError::Index { source };
        assert_eq!(parse(&text.replace("index 5", "index 05")), index(DecimalError::LeadingZero));
        assert_eq!(parse(&text.replace("index 5", "index -5")), index(DecimalError::NotDigits));
        assert_eq!(parse(&text.replace("index 5", "index 5 ")), index(DecimalError::NotDigits));
        let extra = ProofFileError::Extra { source: Base64Error::NotCanonical };
        assert_eq!(parse(&text.replace("ZXh0cmE=", "ZXh0cmF=")), extra);
        assert_eq!(parse(&text.replace("index 5\n", "index 5\nAAAA\n")), hash(1, short()));
        let long = format!("index 5\n{}", format!("{}\n", encode(&[0; 32])).repeat(61));
        assert_eq!(parse(&text.replace("index 5\n", &long)), ProofFileError::TooManyHashes);
        assert_eq!(parse(&format!("{text}more")), ProofFileError::Note { source: NoteError::Truncated });
    }

    fn hash(hash: usize, source: Base64Error) -> ProofFileError {
        ProofFileError::Hash { hash, source }
    }

    fn short() -> Base64Error {
        Base64Error::Size { expected: 32, actual: 3 }
    }

    #[test]
    fn a_proof_of_something_else_is_refused() {
        let not_there = |file: &ProofFile| matches!(verify(file), Err(ProofFileError::Inclusion(_)));
        assert!(not_there(&ProofFile { index: 4, ..honest() }));
        assert!(not_there(&ProofFile { index: 11, ..honest() }));
        assert!(not_there(&ProofFile { checkpoint: signed(&head(12)), ..honest() }));
        let mut truncated = honest();
        truncated.path.pop();
        assert!(not_there(&truncated));
        let known = [log().verifier().clone()];
        assert!(matches!(honest().verify(ORIGIN, b"other", &known), Err(ProofFileError::Inclusion(_))));
        let wrong = CheckpointError::WrongOrigin { expected: "other".to_owned(), actual: ORIGIN.to_owned() };
        assert_eq!(honest().verify("other", b"", &known), Err(ProofFileError::Checkpoint(wrong)));
    }
}
