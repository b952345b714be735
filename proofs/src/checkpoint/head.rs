//! The text of a checkpoint: which tree, how many leaves, which root.
//!
//! ```text
//! origin "\n"
//! size, decimal without leading zeros "\n"
//! base64 of the root "\n"
//! ```
//! C2SP allows further lines; here there are none, and a checkpoint that has some is refused: nobody who
//! recomputes the tree could check them.

use crate::encoding::{Base64Error, DecimalError, decimal, decode_hash, encode};
use crate::merkle::{EMPTY_ROOT, Hash};
use crate::note::{Algorithm, Note, OpenError, Signer, VerifierKey, is_key_name};

/// A tree head. By itself a claim; [`Checkpoint::open`] gives one that its log signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
}

/// A checkpoint that its log signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedCheckpoint<'a> {
    checkpoint: Checkpoint,
    witnesses: Vec<Signer<'a>>,
}

/// Why something is not the checkpoint of a known log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The signatures do not hold, or are by unknown keys.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Only others than its log signed it.
    #[error("checkpoint of {origin:?} is not signed by a known key of that name")]
    NotByLog {
        /// The origin it names.
        origin: String,
    },
    /// It is of another log.
    #[error("checkpoint is of {actual:?}, expected {expected:?}")]
    WrongOrigin {
        /// The origin to be checked.
        expected: String,
        /// The origin it names.
        actual: String,
    },
    /// The last line does not end in a newline.
    #[error("checkpoint does not end in a newline")]
    Truncated,
    /// Fewer than three lines.
    #[error("checkpoint has {lines} lines instead of 3")]
    MissingLine {
        /// Lines there.
        lines: usize,
    },
    /// More than three lines.
    #[error("checkpoint has the extension line {line:?}")]
    Extension {
        /// The first line too many.
        line: String,
    },
    /// The origin cannot name a key.
    #[error("origin {origin:?} is empty or has spaces, control characters or \"+\"")]
    Origin {
        /// The origin.
        origin: String,
    },
    /// The size is not a number.
    #[error("size of the checkpoint: {source}")]
    Size {
        /// Why.
        source: DecimalError,
    },
    /// The root is not a hash.
    #[error("root of the checkpoint: {source}")]
    Root {
        /// Why.
        source: Base64Error,
    },
    /// The tree has no leaves, but not the root of the empty tree.
    #[error("checkpoint of an empty tree has the root {root}", root = hex::encode(.root))]
    EmptyRoot {
        /// The root.
        root: Hash,
    },
}

impl Checkpoint {
    /// A head of the tree that `origin` names.
    ///
    /// # Errors
    /// [`CheckpointError::Origin`] or [`CheckpointError::EmptyRoot`].
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        if !is_key_name(origin) {
            return Err(CheckpointError::Origin { origin: origin.to_owned() });
        }
        if size == 0 && root != EMPTY_ROOT {
            return Err(CheckpointError::EmptyRoot { root });
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Reads the text of a checkpoint, without signatures.
    ///
    /// # Errors
    /// [`CheckpointError`] but `Open`, `NotByLog` and `WrongOrigin`.
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = text.strip_suffix('\n').ok_or(CheckpointError::Truncated)?.split('\n').collect();
        let [origin, size, root] = match lines[..] {
            [origin, size, root] => [origin, size, root],
            [_, _, _, extension, ..] => return Err(CheckpointError::Extension { line: extension.to_owned() }),
            _ => return Err(CheckpointError::MissingLine { lines: lines.len() }),
        };
        let size = decimal(size).map_err(|source| CheckpointError::Size { source })?;
        let root = decode_hash(root).map_err(|source| CheckpointError::Root { source })?;
        Self::new(origin, size, root)
    }

    /// Opens a signed checkpoint. Among `known` must be the key of its log, which signs notes and is named as the
    /// origin; cosignatures of other known keys are checked and told.
    ///
    /// # Errors
    /// [`CheckpointError`] but `WrongOrigin`.
    pub fn open<'a>(note: &'a Note, known: &'a [VerifierKey]) -> Result<OpenedCheckpoint<'a>, CheckpointError> {
        let opened = note.open(known)?;
        let checkpoint = Self::parse_text(opened.text())?;
        let is_log = |signer: &Signer<'_>| {
            signer.key.algorithm() == Algorithm::Ed25519 && signer.key.name() == checkpoint.origin
        };
        let (logs, witnesses): (Vec<_>, Vec<_>) = opened.signers().iter().partition(|signer| is_log(signer));
        if logs.is_empty() {
            return Err(CheckpointError::NotByLog { origin: checkpoint.origin });
        }
        Ok(OpenedCheckpoint { checkpoint, witnesses })
    }

    /// The text to be signed.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, encode(&self.root))
    }

    /// The name of the tree.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    #[must_use]
    pub const fn root(&self) -> &Hash {
        &self.root
    }

    /// Checks that this is a head of the tree that `origin` names.
    ///
    /// # Errors
    /// [`CheckpointError::WrongOrigin`].
    pub fn is_of(&self, origin: &str) -> Result<(), CheckpointError> {
        if self.origin == origin {
            return Ok(());
        }
        Err(CheckpointError::WrongOrigin { expected: origin.to_owned(), actual: self.origin.clone() })
    }
}

impl<'a> OpenedCheckpoint<'a> {
    /// The checkpoint.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Other known keys that signed it, such as witnesses with the time of their cosignature.
    #[must_use]
    pub fn witnesses(&self) -> &[Signer<'a>] {
        &self.witnesses
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::root;
    use crate::note::SignerKey;

    /// Made by this format's description from the seed 32 x 0x07 and the leaves "a", "b", "c"; checked with the
    /// crates `signed_note` and `tlog_tiles` and with Python's `cryptography`.
    const VKEY: &str = "example.org/ledger-7/blocks+6561dfb2+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";
    const NOTE: &str = "example.org/ledger-7/blocks\n3\nNmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=\n\n\
        \u{2014} example.org/ledger-7/blocks \
        ZWHfsmedpg1zJtBy5huy6FfDqSSbrqy98mzW4I/9GvTTV8ugcG2WBZt3PCdbJYzmXICtXpftsZLTcqyTYaMKnUgKHwI=\n";

    fn log(name: &str, algorithm: Algorithm) -> SignerKey {
        SignerKey::from_seed(name, algorithm, &[7; 32]).expect("a name")
    }

    #[test]
    fn the_vector_opens_and_is_made_again() {
        let note = Note::parse(NOTE.as_bytes()).expect("a note");
        let known = [VerifierKey::parse(VKEY).expect("a vkey")];
        let opened = Checkpoint::open(&note, &known).expect("signed by its log");
        let made = Checkpoint::new("example.org/ledger-7/blocks", 3, root(["a", "b", "c"])).expect("a checkpoint");
        assert_eq!(opened.checkpoint(), &made);
        let key = log(made.origin(), Algorithm::Ed25519);
        assert_eq!(key.verifier().to_string(), VKEY);
        let signable = crate::checkpoint::next_checkpoint(None, &[], &made).expect("the first");
        assert_eq!(signable.sign(&key).expect("its key").to_string(), NOTE);
    }

    #[test]
    fn each_hostile_text_has_its_reason() {
        let root = "NmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=";
        let parse = |text: &str| Checkpoint::parse_text(text).expect_err("a hostile checkpoint");
        assert_eq!(parse(&format!("log\n3\n{root}")), CheckpointError::Truncated);
        assert_eq!(parse("log\n3\n"), CheckpointError::MissingLine { lines: 2 });
        assert_eq!(parse("\n"), CheckpointError::MissingLine { lines: 1 });
        let extension = CheckpointError::Extension { line: "more".to_owned() };
        assert_eq!(parse(&format!("log\n3\n{root}\nmore\n")), extension);
        let extension = CheckpointError::Extension { line: String::new() };
        assert_eq!(parse(&format!("log\n3\n{root}\n\n")), extension);
        assert_eq!(parse(&format!("\n3\n{root}\n")), CheckpointError::Origin { origin: String::new() });
        let origin = CheckpointError::Origin { origin: "a log".to_owned() };
        assert_eq!(parse(&format!("a log\n3\n{root}\n")), origin);
        let size = |source| CheckpointError::Size { source };
        assert_eq!(parse(&format!("log\n03\n{root}\n")), size(DecimalError::LeadingZero));
        assert_eq!(parse(&format!("log\n-3\n{root}\n")), size(DecimalError::NotDigits));
        assert_eq!(parse(&format!("log\n18446744073709551616\n{root}\n")), size(DecimalError::TooLarge));
        let hash = |source| CheckpointError::Root { source };
        assert_eq!(parse("log\n3\nAAAA\n"), hash(Base64Error::Size { expected: 32, actual: 3 }));
        assert_eq!(parse(&format!("log\n3\n{}\n", root.replace("E=", "F="))), hash(Base64Error::NotCanonical));
        assert!(matches!(parse(&format!("log\n0\n{root}\n")), CheckpointError::EmptyRoot { .. }));
    }

    #[test]
    fn only_its_log_vouches_for_a_checkpoint() {
        let note = Note::parse(NOTE.as_bytes()).expect("a note");
        let stranger = [log("stranger", Algorithm::Ed25519).verifier().clone()];
        let unknown = CheckpointError::Open(OpenError::NoKnownKey { signatures: 1 });
        assert_eq!(Checkpoint::open(&note, &stranger), Err(unknown));

        let origin = "example.org/ledger-7/blocks";
        for key in [log("stranger", Algorithm::Ed25519), log(origin, Algorithm::Cosignature)] {
            let mut note = Note::unsigned(note.unverified_text().to_owned()).expect("a text");
            note.sign(&key, 5);
            let known = [key.verifier().clone()];
            let verdict = Checkpoint::open(&note, &known);
            assert_eq!(verdict, Err(CheckpointError::NotByLog { origin: origin.to_owned() }));
        }
    }

    #[test]
    fn another_origin_is_told_apart() {
        let checkpoint = Checkpoint::new("log/a", 0, EMPTY_ROOT).expect("a checkpoint");
        assert_eq!(checkpoint.is_of("log/a"), Ok(()));
        let (expected, actual) = ("log/b".to_owned(), "log/a".to_owned());
        assert_eq!(checkpoint.is_of("log/b"), Err(CheckpointError::WrongOrigin { expected, actual }));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(origin in "[a-z./0-9]{1,20}", size in 1..u64::MAX, root: Hash) {
            let checkpoint = Checkpoint::new(&origin, size, root).expect("a checkpoint");
            proptest::prop_assert_eq!(Checkpoint::parse_text(&checkpoint.to_text()), Ok(checkpoint));
        }

        #[test]
        fn hostile_texts_have_one_spelling(text in "[a+ ]{0,2}\n[0-2]{0,2}\n[A=]{42,45}\n[\na]{0,1}") {
            if let Ok(checkpoint) = Checkpoint::parse_text(&text) {
                proptest::prop_assert_eq!(checkpoint.to_text(), text);
            }
        }
    }
}
