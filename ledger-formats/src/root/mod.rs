//! The store root: one hash over all records of a store, the same in every engine, key layout and value dialect.
//!
//! ```text
//! record    01 ‖ u32be length of key ‖ key ‖ value
//! segment   02 ‖ u64be number ‖ u64be records ‖ root over its records
//! kind      03 ‖ u32be length of name ‖ name ‖ u64be records ‖ root over its segments
//! database  04 ‖ u32be length of name ‖ name ‖ u64be records ‖ root over its kinds
//! ```
//! Every root is that of RFC 6962 over these leaves, so that each record has a proof of four audit paths: to its
//! segment, its kind, its database and the home. Only what holds records has a leaf.
//!
//! *Keys* are canonical: `u64be height`, behind it `u32be part` of a block's part or the hash of evidence; the hash of a
//! block; the key itself for a name, an unknown key and the rows of any other database. *Values* are canonical too:
//! see [`canonical`](crate::comet::dialect::canonical). *Order* is that of canonical keys. *Segments* are 1,000 heights,
//! blocks' hashes that begin with the same two bytes, or 65,536 records in a row where keys are neither.
//!
//! What is written only by one line of releases, or is made from other records, is not in the root: labels of layouts,
//! the genesis document and its hash, retain heights of v1.0, and `lastABCIResponseKey` but for results that only it has.
//! Nor are parts of values that only one dialect can say. All of that is in a second tree of the same shape, over the
//! store's *own* records: each record that is not in the root, and each whose canonical value is not its value, as it
//! stands. So every byte of a store is under one of the two roots, and a change of one changes a root.
//!
//! Why segments: layout v1 sorts heights as text, so that one scan meets them out of order, but those of one number of
//! digits in order. A thousand heights have one number of digits, so that [`Assembly`] holds no more than a segment for
//! each number of digits, and any layout is read once, from its first key to its last.

mod assembly;
mod error;
mod kind;
mod lanes;
mod leaf;
mod proof;
mod reader;
mod record;
mod segments;

pub use assembly::{Assembly, DatabaseRoot, LateResults, LeafId, Side, home_side, late_results};
pub use error::RootError;
pub use kind::{Content, RecordKind};
pub use proof::{ProofError, RecordProof, Rung};
pub use reader::{LeafReader, Piece, leaf_of};
pub use segments::KindRoot;

use crate::store::{KeyRange, ReadStore};

/// Reads a whole database, row after row, and gives its root.
///
/// # Errors
/// When the store cannot be read, or has keys of both layouts.
pub fn database_root(store: &dyn ReadStore, content: Content) -> Result<DatabaseRoot, RootError> {
    let mut reader = LeafReader::new(content);
    let mut cursor = store.scan(&KeyRange::all())?;
    let mut assembly = Assembly::new(late_results(store, content)?);
    while let Some((key, value)) = cursor.next()? {
        reader.add(key, value);
        if reader.rows() == ROWS_AT_ONCE {
            assembly.take(reader.finish())?;
            reader = LeafReader::new(content);
        }
    }
    assembly.take(reader.finish())?;
    assembly.finish()
}

/// Rows between two deliveries.
const ROWS_AT_ONCE: u64 = 65_536;
