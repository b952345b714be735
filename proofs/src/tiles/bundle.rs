//! Bundles of leaves: `u16be length ‖ data`, as many as the tile of their hashes is wide.

use super::path::TilePath;

/// Why bytes are not the bundle of their name. Entries are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The bytes end within an entry.
    #[error("{path} ends at byte {offset}, within entry {entry} of {width}", width = .path.width())]
    Truncated {
        /// The bundle.
        path: TilePath,
        /// Number of the entry.
        entry: u16,
        /// Length of the bytes.
        offset: usize,
    },
    /// Bytes follow the last entry.
    #[error("{path} has {surplus} bytes after its {width} entries", width = .path.width())]
    Surplus {
        /// The bundle.
        path: TilePath,
        /// Their number.
        surplus: usize,
    },
}

/// The leaves in the bundle named `path`.
///
/// # Errors
/// [`BundleError`].
pub fn bundle_entries(path: TilePath, bytes: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::with_capacity(path.width().into());
    let mut rest = bytes;
    for entry in 0..path.width() {
        let parts = rest.split_first_chunk::<2>();
        let parts = parts.and_then(|(length, rest)| rest.split_at_checked(u16::from_be_bytes(*length).into()));
        let (data, after) = parts.ok_or(BundleError::Truncated { path, entry, offset: bytes.len() })?;
        entries.push(data);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(BundleError::Surplus { path, surplus: rest.len() }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiles::TileKind;

    #[test]
    fn a_bundle_has_as_many_entries_as_its_name_says() {
        let path = TilePath::in_tree(TileKind::Entries, 0, 3).expect("in the tree");
        let bytes = b"\x00\x01a\x00\x00\x00\x02bc";
        assert_eq!(bundle_entries(path, bytes), Ok(vec![&b"a"[..], b"", b"bc"]));
        assert_eq!(
            bundle_entries(path, b"\x00\x01a\x00\x00\x00\x02bcd"),
            Err(BundleError::Surplus { path, surplus: 1 })
        );
        for (length, entry) in [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (7, 2), (8, 2)] {
            let truncated = BundleError::Truncated { path, entry, offset: length };
            assert_eq!(bundle_entries(path, &bytes[..length]), Err(truncated), "{length} bytes");
        }
    }
}
