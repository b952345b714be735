//! Why a store has no root.

use crate::store::StoreError;

/// Why the root of a store cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Two keys of one store are spelled in different layouts: some records may be there twice.
    #[error("keys of layout v1 ({first}) and of layout v2 ({second}) in one store: which of them count cannot be told")]
    BothLayouts {
        /// A key of layout v1, escaped.
        first: String,
        /// A key of layout v2, escaped.
        second: String,
    },
    /// Records come in an order that no layout has.
    #[error("{kind} of height {height} comes behind a greater height: the store does not give its keys in order")]
    Disorder {
        /// The kind of record.
        kind: &'static str,
        /// The height.
        height: u64,
    },
    /// More records than any chain has, where they must be held to be sorted.
    #[error("{kind}: more than {limit} records at one height, or below height 1,000")]
    TooMany {
        /// The kind of record.
        kind: &'static str,
        /// The limit.
        limit: usize,
    },
}
