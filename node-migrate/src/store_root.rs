//! The store root of a home: pieces of each database are read side by side, and put together in the order of keys.
//!
//! See [`ledger_formats::root`] for what the root is. It reads every row of the databases once, and writes nothing.
//! Memory: the leaves of a few pieces at a time, 56 bytes for each of their rows.

use ledger_formats::root::{Assembly, Content, DatabaseRoot, LeafId, LeafReader, Piece, RootError, late_results};
use ledger_formats::store::{KeyRange, ReadStore};
use rayon::prelude::*;

use crate::context::{Context, Interrupted};

/// Least on-disk bytes of a piece.
const PIECE_BYTES: u64 = 4 << 20;

/// Rows between two looks at the wish to stop.
const ROWS_AT_ONCE: u64 = 4_096;

/// Why a root cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreRootError {
    /// The store has none, or cannot be read.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// The root of one database, with the threads of the rayon pool that the caller is in.
///
/// # Errors
/// [`StoreRootError`]: the first in the order of keys.
pub fn of_database(
    store: &dyn ReadStore,
    content: Content,
    context: &Context<'_>,
) -> Result<DatabaseRoot, StoreRootError> {
    with_proofs(store, content, &[], context)
}

/// The same, with the proofs of `leaves`.
///
/// # Errors
/// As [`of_database`].
pub fn with_proofs(
    store: &dyn ReadStore,
    content: Content,
    leaves: &[LeafId],
    context: &Context<'_>,
) -> Result<DatabaseRoot, StoreRootError> {
    let pieces = pieces(store)?;
    let mut assembly = Assembly::watching(late_results(store, content)?, leaves.iter().copied());
    // More pieces than threads, so that a thread whose piece was small goes on with another.
    for window in pieces.chunks(2 * rayon::current_num_threads().max(1)) {
        let read: Vec<Result<Piece, StoreRootError>> =
            window.par_iter().with_max_len(1).map(|range| read(store, content, range, context)).collect();
        for piece in read {
            assembly.take(piece?)?;
        }
    }
    Ok(assembly.finish()?)
}

/// Ranges that together are all keys, in order.
fn pieces(store: &dyn ReadStore) -> Result<Vec<KeyRange>, StoreRootError> {
    let points = store.split_points(PIECE_BYTES).map_err(RootError::from)?;
    let starts = std::iter::once(Vec::new()).chain(points.iter().cloned());
    let ends = points.iter().cloned().map(Some).chain(std::iter::once(None));
    Ok(starts.zip(ends).map(|(start, end)| KeyRange { start, end }).collect())
}

fn read(
    store: &dyn ReadStore,
    content: Content,
    range: &KeyRange,
    context: &Context<'_>,
) -> Result<Piece, StoreRootError> {
    let mut reader = LeafReader::new(content);
    let mut cursor = store.scan(range).map_err(RootError::from)?;
    let (mut bytes, mut told) = (0, 0);
    while let Some((key, value)) = cursor.next().map_err(RootError::from)? {
        reader.add(key, value);
        bytes += (key.len() + value.len()) as u64;
        if reader.rows() - told == ROWS_AT_ONCE {
            context.listener.advance(bytes, ROWS_AT_ONCE);
            (bytes, told) = (0, reader.rows());
            context.go_on()?;
        }
    }
    context.listener.advance(bytes, reader.rows() - told);
    Ok(reader.finish())
}
