//! Trees stored as tiles: written, added to, and proven from.

use std::collections::BTreeMap;
use std::convert::Infallible;

use proofs::merkle::{Consistency, Inclusion, MemoryTree, consistency_path, inclusion_path, leaf_hash};
use proofs::tiles::{
    BundleError, ResumeError, TileError, TileKind, TilePath, TileSink, TileTree, TileWriter, WriteError, bundle_entries,
};

/// Tiles by name, as a folder has them.
#[derive(Clone, Default)]
struct Folder(BTreeMap<String, Vec<u8>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such tile")]
struct Missing;

impl TileSink for &mut Folder {
    type Error = Infallible;

    fn put(&mut self, path: TilePath, bytes: &[u8]) -> Result<(), Infallible> {
        let earlier = self.0.insert(path.to_string(), bytes.to_vec());
        assert!(earlier.is_none_or(|earlier| earlier == bytes), "{path} was given out with other bytes before");
        Ok(())
    }
}

impl Folder {
    fn fetch(&self, path: TilePath) -> Result<Vec<u8>, Missing> {
        self.0.get(&path.to_string()).cloned().ok_or(Missing)
    }

    /// Adds the leaves up to `size`.
    fn grow(&mut self, from: u64, size: u64) {
        let stored = self.clone();
        let mut writer = TileWriter::resume(self, from, |path| stored.fetch(path)).expect("its own tiles");
        (from..size).for_each(|leaf| writer.push(&leaf.to_be_bytes()).expect("short leaves"));
        assert_eq!(writer.finish(), Ok((size, tree(size).root())));
    }

    fn of(size: u64) -> Self {
        let mut folder = Self::default();
        folder.grow(0, size);
        folder
    }
}

fn tree(size: u64) -> MemoryTree {
    (0..size).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect()
}

#[test]
fn a_folder_has_the_tiles_that_the_specification_says() {
    // C2SP tlog-tiles, "Partial Tiles": the tree of 70,000 leaves.
    let folder = Folder::of(70_000);
    let partial: Vec<&str> = folder.0.keys().map(String::as_str).filter(|path| path.contains(".p/")).collect();
    assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"]);
    let full = |prefix: &str| folder.0.keys().filter(|path| path.starts_with(prefix) && !path.contains(".p/")).count();
    assert_eq!([full("tile/0/"), full("tile/1/"), full("tile/2/"), full("tile/entries/")], [273, 1, 0, 273]);
    let tile = TilePath::parse("tile/0/005").expect("a name");
    assert_eq!(folder.fetch(tile).expect("a full tile").len(), 8_192);
    let tile = TilePath::parse("tile/entries/273.p/112").expect("a name");
    let bundle = folder.fetch(tile).expect("a bundle");
    assert_eq!(bundle_entries(tile, &bundle).expect("a bundle")[111], 69_999_u64.to_be_bytes());
}

#[test]
fn a_tree_that_grew_in_steps_has_the_tiles_of_one_written_at_once() {
    let steps = [0, 1, 255, 256, 257, 1_000, 65_536, 65_537, 66_000];
    let mut folder = Folder::default();
    for step in steps.windows(2) {
        folder.grow(step[0], step[1]);
    }
    for (path, bytes) in Folder::of(66_000).0 {
        assert_eq!(folder.0.get(&path), Some(&bytes), "{path}");
    }
}

#[test]
fn proofs_from_tiles_are_those_from_memory() {
    for size in [1, 2, 255, 256, 257, 511, 70_001] {
        let (folder, memory) = (Folder::of(size), tree(size));
        let tiles = TileTree::new(size, |path| folder.fetch(path));
        for index in [0, 1, size / 3, size / 2, size - 1].into_iter().filter(|index| *index < size) {
            let aunts = inclusion_path(index, size, &tiles).expect("all tiles are there");
            let Ok(expected) = inclusion_path(index, size, &memory);
            assert_eq!(aunts, expected, "{index} of {size}");
            let leaf_hash = leaf_hash(&index.to_be_bytes());
            let claim = Inclusion { total: size, index, leaf_hash, aunts: &aunts };
            assert_eq!(claim.verify(&memory.root()), Ok(()));
            let path = consistency_path(index, size, &tiles).expect("all tiles are there");
            let claim = Consistency { old_size: index, new_size: size, path: &path };
            assert_eq!(claim.verify(&tree(index).root(), &memory.root()), Ok(()));
        }
    }
}

#[test]
fn missing_and_short_tiles_are_named() {
    let mut folder = Folder::of(300);
    let path = TilePath::parse("tile/0/000").expect("a name");
    folder.0.get_mut("tile/0/000").expect("a full tile").pop();
    let tiles = TileTree::new(300, |path| folder.fetch(path));
    let length = TileError::Length { path, expected: 8_192, actual: 8_191 };
    assert_eq!(inclusion_path(5, 300, &tiles), Err(length));
    let tiles = TileTree::new(301, |path| folder.fetch(path));
    let path = TilePath::in_tree(TileKind::Hashes { level: 0 }, 1, 301).expect("in the tree");
    assert_eq!(inclusion_path(299, 301, &tiles), Err(TileError::Fetch { path, source: Missing }));
    let tiles = TileTree::new(300, |path| folder.fetch(path));
    let outside = TileError::Outside { size: 300, level: 0, place: 300 };
    assert_eq!(inclusion_path(301, 302, &tiles), Err(outside));
}

#[test]
fn tiles_that_do_not_belong_together_are_not_added_to() {
    let folder = Folder::of(300);
    let resume = |folder: &Folder| {
        let stored = folder.clone();
        TileWriter::resume(&mut Folder::default(), 300, |path| stored.fetch(path)).map(|writer| writer.size())
    };
    assert_eq!(resume(&folder), Ok(300));
    let bundle = TilePath::parse("tile/entries/001.p/44").expect("a name");
    let mut changed = folder.clone();
    changed.0.get_mut("tile/entries/001.p/44").expect("the last bundle")[25] ^= 1;
    assert_eq!(resume(&changed), Err(ResumeError::Mismatch { path: bundle, entry: 2 }));
    let mut short = folder.clone();
    short.0.get_mut("tile/entries/001.p/44").expect("the last bundle").pop();
    let truncated = BundleError::Truncated { path: bundle, entry: 43, offset: 439 };
    assert_eq!(resume(&short), Err(ResumeError::Bundle(truncated)));
    let mut missing = folder;
    missing.0.remove("tile/1/000.p/1");
    let path = TilePath::parse("tile/1/000.p/1").expect("a name");
    assert_eq!(resume(&missing), Err(ResumeError::Tile(TileError::Fetch { path, source: Missing })));
}

#[test]
fn leaves_that_no_bundle_takes_are_refused() {
    let mut folder = Folder::default();
    let mut writer = TileWriter::new(&mut folder);
    assert_eq!(writer.push(&vec![0; 65_536]), Err(WriteError::LongEntry { index: 0, bytes: 65_536 }));
    assert_eq!(writer.push(&vec![0; 65_535]), Ok(()));
    assert_eq!(writer.size(), 1);
}
