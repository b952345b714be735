//! Receipts: the signed statement of what a migration did, and of what it did not check.
//!
//! A receipt is canonical text in a signed note. Each line is a key, a space and a value; lines come in this
//! order, values of text take the rest of their line, and numbers and hashes have one spelling:
//!
//! ```text
//! node-migrate-receipt/v1
//! migration <id>
//! tool <name and version>
//! time <seconds since 1970>
//! [chain <chain id>]
//! [heights <first> <last>]
//! journal <SHA-256 of the journal's last event, hex>
//! [checkpoint <origin> <size> <root, hex>]
//! database <name>                              once for each database, each followed by
//!   source-format <text>                         (not indented)
//!   source-keys, source-key-bytes, source-value-bytes <number>
//!   source-sha256 <digest of the entries, hex>
//!   [source-root <store root, hex>]
//!   target-…                                     the same five or six lines
//! verified <text>                              once for each layer that passed
//! exception <text>                             once for each thing that was not as it should be
//! not-checked <text>                           once for each thing that nobody looked at
//! ```
//! Equal receipts have equal text, and text that is not canonical is refused with its line.

mod read;
mod write;

use crate::checkpoint::Checkpoint;
use crate::merkle::Hash;
use crate::note::{Note, NoteError, OpenError, SignerKey, VerifierKey};

pub use read::ReceiptError;

/// First line of every receipt.
const HEADER: &str = "node-migrate-receipt/v1";

/// What a migration did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Id of the migration.
    pub migration: String,
    /// Name and version of the tool that did it.
    pub tool: String,
    /// When the receipt was made, in seconds since 1970.
    pub time: u64,
    /// The chain, if the databases are of one.
    pub chain_id: Option<String>,
    /// First and last height of the migrated store.
    pub heights: Option<(u64, u64)>,
    /// Hash of the journal's last event before this receipt.
    pub journal_head: Hash,
    /// Head of the tree over the chain's heights.
    pub checkpoint: Option<Checkpoint>,
    /// What became of each database.
    pub databases: Vec<DatabaseReceipt>,
    /// Layers of verification that passed.
    pub verified: Vec<String>,
    /// What was not as it should be and was let through. Of very many, state the number and a digest.
    pub exceptions: Vec<String>,
    /// What was not checked.
    pub not_checked: Vec<String>,
}

/// What became of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseReceipt {
    /// Its name, such as `blockstore`.
    pub name: String,
    /// What was read.
    pub source: SideReceipt,
    /// What was written.
    pub target: SideReceipt,
}

/// One side of a migrated database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideReceipt {
    /// Engine, layout and dialect in words.
    pub format: String,
    /// Number of entries.
    pub keys: u64,
    /// Sum of the key lengths.
    pub key_bytes: u64,
    /// Sum of the value lengths.
    pub value_bytes: u64,
    /// Digest over the framed entries in key order.
    pub sha256: Hash,
    /// Store root, which does not depend on the format.
    pub root: Option<Hash>,
}

/// Why a note is not a known operator's receipt, or could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptNoteError {
    /// The signatures do not hold, or are by unknown keys.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The text is not a receipt.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The text cannot be a note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl Receipt {
    /// The receipt as a note signed by `key`.
    ///
    /// # Errors
    /// [`ReceiptNoteError::Receipt`] if a text is empty or has control characters, [`ReceiptNoteError::Note`] if
    /// the receipt is longer than half a megabyte.
    pub fn sign(&self, key: &SignerKey) -> Result<Note, ReceiptNoteError> {
        let mut note = Note::unsigned(self.to_text()?)?;
        note.sign(key, self.time);
        Ok(note)
    }

    /// The receipt in a note that one of the `known` keys signed.
    ///
    /// # Errors
    /// [`ReceiptNoteError::Open`] or [`ReceiptNoteError::Receipt`].
    pub fn open(note: &Note, known: &[VerifierKey]) -> Result<Self, ReceiptNoteError> {
        Ok(Self::parse_text(note.open(known)?.text())?)
    }
}
