//! Inclusion proofs from a tree that is stored: its hash tiles as files.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::PathBuf;

use proofs::merkle::{Inclusion, inclusion_path, leaf_hash};
use proofs::tiles::{TileKind, TilePath, TileSink, TileTree, TileWriter};

use crate::table::{measure, rate, row};
use crate::{LEAVES, leaf};

/// Proofs made, of leaves all over the tree.
const PROOFS: u64 = 10_000;

/// Keeps the hash tiles; bundles of entries are not needed for proofs.
struct Folder(PathBuf);

impl TileSink for &Folder {
    type Error = Infallible;

    fn put(&mut self, path: TilePath, bytes: &[u8]) -> Result<(), Infallible> {
        if path.kind() != TileKind::Entries {
            let path = self.0.join(path.to_string());
            fs::create_dir_all(path.parent().expect("a tile lies in a folder")).expect("a folder");
            fs::write(path, bytes).expect("room for 320 MB");
        }
        Ok(())
    }
}

pub fn run() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = Folder(temporary.path().to_owned());
    let (root, writing) = measure(|| {
        let mut writer = TileWriter::new(&folder);
        (0..LEAVES).for_each(|height| writer.push(&leaf(height)).expect("short leaves"));
        writer.finish().expect("the disk takes all").1
    });
    rate("tree stored as tiles, one core", LEAVES, writing, writing.wall, "leaves/s", "");
    let fetch = |path: TilePath| -> io::Result<Vec<u8>> { fs::read(folder.0.join(path.to_string())) };
    let indices = || (0..PROOFS).map(|number| number * (LEAVES / PROOFS) + number % 7);
    let (paths, proving) = measure(|| {
        let prove = |index| inclusion_path(index, LEAVES, &TileTree::new(LEAVES, fetch)).expect("all tiles are there");
        indices().map(prove).collect::<Vec<_>>()
    });
    let milliseconds = proving.wall.as_secs_f64() * 1e3 / PROOFS as f64;
    row("inclusion proof from the stored tree, each from files", proving, &format!("{milliseconds:.3} ms"), "1 ms");
    let ((), verifying) = measure(|| {
        for (index, aunts) in indices().zip(&paths) {
            let claim = Inclusion { total: LEAVES, index, leaf_hash: leaf_hash(&leaf(index)), aunts };
            assert_eq!(claim.verify(&root), Ok(()));
        }
    });
    rate("inclusion proof checked", PROOFS, verifying, verifying.wall, "proofs/s", "");
}
