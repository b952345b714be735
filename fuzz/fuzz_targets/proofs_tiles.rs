//! Any text as the name of a tile, any bytes as a bundle of 1 to 256 leaves, and as a leaf.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofs::checkpoint::Leaf;
use proofs::tiles::{TileKind, TilePath, bundle_entries};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = str::from_utf8(bytes)
        && let Ok(path) = TilePath::parse(text)
    {
        assert_eq!(path.to_string(), text);
    }
    if let Some((width, bundle)) = bytes.split_first()
        && let Some(path) = TilePath::in_tree(TileKind::Entries, 0, u64::from(*width) + 1)
        && let Ok(entries) = bundle_entries(path, bundle)
    {
        assert_eq!(entries.len(), usize::from(*width) + 1);
    }
    if let Ok(leaf) = Leaf::from_bytes(bytes) {
        assert_eq!(leaf.to_bytes(), bytes);
    }
});
