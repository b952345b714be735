//! Checkpoints of this node and of others, compared.
//!
//! A checkpoint is known by the size of its tree. At most [`KEPT`] of this node and of each known key are kept; lower
//! ones are let go first, and are old from then on. Only what a known key signed takes a place.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use proofs::checkpoint::{Checkpoint, CheckpointError, LeafError, LedgerOrigin};
use proofs::note::{Note, NoteSignature, VerifierKey};

use crate::own::words::words;

use super::{Alarm, Kind, Verdict};

/// Checkpoints kept of this node, and of each known key.
const KEPT: usize = 256;

/// Checkpoints of one tree by this node and by others.
#[derive(Debug)]
pub struct Book {
    origin: LedgerOrigin,
    own_key: VerifierKey,
    known: Vec<VerifierKey>,
    own: Shelf,
    /// By place in `known`.
    theirs: Vec<Shelf>,
}

/// What comes of an attestation, and whose it is: whoever sent it, the signer vouches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What comes of it.
    pub verdict: Verdict,
    /// The key that signed it, where that is known.
    pub signer: Option<VerifierKey>,
    /// The height up to which it reaches, where the signer is known.
    pub height: Option<u64>,
}

/// Checkpoints of one signer, by the size of the tree.
#[derive(Clone, Debug, Default)]
struct Shelf {
    by_size: BTreeMap<u64, Signed>,
    /// Smaller trees were let go.
    floor: u64,
}

/// A checkpoint and the note that holds it.
#[derive(Clone, Debug)]
struct Signed {
    checkpoint: Checkpoint,
    note: String,
}

/// Why a checkpoint of this node cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// The origin does not name a tree of heights.
    #[error(transparent)]
    Origin(#[from] LeafError),
    /// The note is not a checkpoint of this tree.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The tree has no leaves, or reaches past the last height there can be.
    #[error("a tree of {size} leaves from height {first_height} reaches no height")]
    Height {
        /// Leaves.
        size: u64,
        /// The height of the first leaf.
        first_height: u64,
    },
}

impl Book {
    /// An empty book about the tree that is named as this node's key is. `known` are the keys of others that attest to
    /// the same tree, under the same name; the key of this node is never one of them, so that a peer cannot confirm
    /// this node with its own words.
    ///
    /// # Errors
    /// [`BookError::Origin`].
    pub fn new(own_key: VerifierKey, mut known: Vec<VerifierKey>) -> Result<Self, BookError> {
        known.retain(|key| *key != own_key);
        let (origin, theirs) = (LedgerOrigin::parse(own_key.name())?, vec![Shelf::default(); known.len()]);
        Ok(Self { origin, own_key, known, own: Shelf::default(), theirs })
    }

    /// Keeps a signed checkpoint of this node, and gives what comes of those of others that waited for it.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn attest(&mut self, note: &Note) -> Result<Vec<Judged>, BookError> {
        let (checkpoint, _) = self.open(note, std::slice::from_ref(&self.own_key))?;
        let height = self.height(&checkpoint)?;
        let own = Signed { checkpoint, note: note.to_string() };
        let waiting = self.known.iter().zip(&self.theirs);
        let waiting = waiting.filter_map(|(key, shelf)| Some((key, shelf.by_size.get(&own.checkpoint.size())?)));
        let judged = |(key, theirs): (&VerifierKey, &Signed)| Judged {
            verdict: verdict(height, &own, theirs),
            signer: Some(key.clone()),
            height: Some(height),
        };
        // Those that were compared with this very checkpoint before wait no more.
        let is_new = self.own.by_size.get(&own.checkpoint.size()).is_none_or(|kept| kept.checkpoint != own.checkpoint);
        let judged = if is_new { waiting.map(judged).collect() } else { Vec::new() };
        self.own.keep(own);
        Ok(judged)
    }

    /// The newest checkpoint of this node at a height that is a multiple of `every`, as its note.
    #[must_use]
    pub fn newest(&self, every: NonZeroU64) -> Option<&str> {
        let is_due = |signed: &&Signed| self.height(&signed.checkpoint).is_ok_and(|height| height % every == 0);
        self.own.by_size.values().rev().find(is_due).map(|signed| signed.note.as_str())
    }

    /// Judges a checkpoint that a peer sent, with which this node agreed to attest to every multiple of `every`.
    pub fn judge(&mut self, note: &[u8], every: NonZeroU64) -> Judged {
        let refused = |reason: &dyn std::fmt::Display| {
            let verdict = Verdict::Refused { reason: words(&reason.to_string()) };
            Judged { verdict, signer: None, height: None }
        };
        let note = match Note::parse(note) {
            Ok(note) => note,
            Err(error) => return refused(&error),
        };
        let (checkpoint, place) = match self.open(&note, &self.known) {
            Ok(opened) => opened,
            Err(error) => return refused(&error),
        };
        let signer = self.known.get(place).cloned();
        match self.height(&checkpoint) {
            Ok(height) if height % every == 0 => {
                let verdict = self.compare(place, height, Signed { checkpoint, note: note.to_string() });
                Judged { verdict, signer, height: Some(height) }
            }
            Ok(height) => Judged {
                height: Some(height),
                signer,
                ..refused(&format_args!("height {height} is no multiple of {every}, as agreed"))
            },
            Err(error) => Judged { signer, ..refused(&error) },
        }
    }

    fn compare(&mut self, signer: usize, height: u64, theirs: Signed) -> Verdict {
        let (size, root) = (theirs.checkpoint.size(), *theirs.checkpoint.root());
        let own = self.own.by_size.get(&size);
        let Some(shelf) = self.theirs.get_mut(signer) else { return Verdict::Old };
        if let Some(earlier) = shelf.by_size.get(&size) {
            return match *earlier.checkpoint.root() == root {
                true => Verdict::Replayed,
                false => Verdict::Contradicts(Box::new(alarm(Kind::Contradiction, height, earlier, &theirs))),
            };
        }
        if size < shelf.floor || own.is_none() && self.own.is_past(size) {
            return Verdict::Old;
        }
        let verdict = match own {
            None => Verdict::Pending,
            Some(own) => verdict(height, own, &theirs),
        };
        shelf.keep(theirs);
        verdict
    }

    /// The checkpoint in a note, and which of the keys signed it.
    fn open(&self, note: &Note, keys: &[VerifierKey]) -> Result<(Checkpoint, usize), CheckpointError> {
        let checkpoint = Checkpoint::open(note, keys)?.checkpoint().clone();
        checkpoint.is_of(self.own_key.name())?;
        let signed = |key: &VerifierKey| {
            let is_line = |line: &NoteSignature| line.name == key.name() && line.id == key.id();
            key.name() == checkpoint.origin() && note.signatures().iter().any(is_line)
        };
        let origin = || checkpoint.origin().to_owned();
        let place = keys.iter().position(signed).ok_or_else(|| CheckpointError::NotByLog { origin: origin() })?;
        Ok((checkpoint, place))
    }

    /// The height up to which a tree reaches.
    fn height(&self, checkpoint: &Checkpoint) -> Result<u64, BookError> {
        let (size, first_height) = (checkpoint.size(), self.origin.first_height());
        let height = size.checked_sub(1).and_then(|last| first_height.checked_add(last));
        height.ok_or(BookError::Height { size, first_height })
    }
}

impl Shelf {
    fn keep(&mut self, signed: Signed) {
        self.by_size.insert(signed.checkpoint.size(), signed);
        if self.by_size.len() > KEPT
            && let Some((size, _)) = self.by_size.pop_first()
        {
            self.floor = size + 1;
        }
    }

    /// Whether nothing of this size can come any more.
    fn is_past(&self, size: u64) -> bool {
        self.by_size.first_key_value().is_some_and(|(first, _)| size < *first)
    }
}

/// What comes of two checkpoints of one size.
fn verdict(height: u64, own: &Signed, theirs: &Signed) -> Verdict {
    if own.checkpoint.root() == theirs.checkpoint.root() {
        return Verdict::Equal;
    }
    Verdict::Different(Box::new(alarm(Kind::Difference, height, own, theirs)))
}

fn alarm(kind: Kind, height: u64, first: &Signed, second: &Signed) -> Alarm {
    let side = |signed: &Signed| (*signed.checkpoint.root(), signed.note.clone());
    Alarm { kind, height, first: side(first), second: side(second) }
}
