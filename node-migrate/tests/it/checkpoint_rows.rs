//! One row of a real block store is damaged at a time: its tree is not signed, and the reason is told.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use ledger_formats::comet::key::BlockKey;
use ledger_formats::engine::memory::MemoryStore;
use node_migrate::checkpoint::{Blocks, ChainError, ChainTree, Signer, SignerError};
use proofs::note::{Algorithm, Note, SignerKey};

use crate::verify::context;
use crate::verify_rows::Node;

const HOME: &str = "cometbft-0.38-goleveldb";

/// A key in a folder of its own.
struct Key {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Key {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        let key = SignerKey::from_seed("example.org/chain/blocks-v1/1", Algorithm::Ed25519, &[7; 32]).expect("a key");
        fs::write(&path, key.to_secret_text()).expect("writes");
        Self { _folder: folder, path }
    }

    /// Signs the first `size` heights of the node's block store.
    fn sign(&self, node: &mut Node, size: u64) -> Result<Note, SignerError> {
        let store = MemoryStore::new(node.rows("blockstore").clone());
        let stop = AtomicBool::new(false);
        let context = context(&stop);
        let tree = ChainTree::build(Blocks::open(&store)?, 1, &context)?;
        Signer::open(&self.path)?.sign(&tree, size)
    }
}

/// Why the first `size` heights are not signed after some damage; they are without it.
#[track_caller]
fn refused(size: u64, damage: impl FnOnce(&mut Node)) -> ChainError {
    let (key, mut node) = (Key::new(), Node::of(HOME));
    key.sign(&mut node, size).expect("the real store is signed");
    fs::remove_file(key.path.with_extension("last")).expect("removes");
    damage(&mut node);
    let error = key.sign(&mut node, size).expect_err("damaged");
    assert!(!key.path.with_extension("last").exists(), "nothing is kept of what was refused");
    match error {
        SignerError::Chain(error) => error,
        other => panic!("{other}"),
    }
}

/// Where the hash of the parts begins in a block meta: behind `12 24 08 <count> 12 20` of the block id.
fn parts_hash(node: &mut Node, key: &[u8]) -> usize {
    let value = node.value("blockstore", key);
    value.windows(6).position(|bytes| bytes[..3] == [0x12, 0x24, 0x08] && bytes[4..] == [0x12, 0x20]).expect("parts")
        + 6
}

#[test]
fn damage_below_the_last_height_is_told() {
    let parts = refused(240, |node| {
        let at = parts_hash(node, b"H:77");
        node.flip("blockstore", b"H:77", 8 * at);
    });
    assert!(matches!(parts, ChainError::BrokenLink { height: 78, below: 77 }), "{parts}");
    let header = refused(240, |node| {
        let at = node.value("blockstore", b"H:77").len() - 30;
        node.flip("blockstore", b"H:77", 8 * at);
    });
    assert!(matches!(header, ChainError::HeaderHash { height: 77, .. }), "{header}");
    let missing = refused(240, |node| {
        node.rows("blockstore").remove(b"H:77".as_slice());
    });
    assert!(matches!(missing, ChainError::Missing { height: 77, base: 1, tip: 240 }), "{missing}");
    let other = refused(240, |node| {
        let above = node.value("blockstore", b"H:78").clone();
        *node.value("blockstore", b"H:77") = above;
    });
    assert!(matches!(other, ChainError::OtherHeight { height: 77, actual: 78 }), "{other}");
    let torn = refused(240, |node| node.value("blockstore", b"H:77").truncate(100));
    assert!(matches!(torn, ChainError::Meta { height: 77, .. }), "{torn}");
}

#[test]
fn the_parts_of_the_last_block_are_those_that_were_decided() {
    // No header above says so yet, and the block's own header does not cover them.
    let meta = refused(240, |node| {
        let at = parts_hash(node, b"H:240");
        node.flip("blockstore", b"H:240", 8 * at);
    });
    assert!(matches!(meta, ChainError::Unbound { height: 240, above: BlockKey::SeenCommit { height: 240 } }), "{meta}");
    let commit = refused(240, |node| {
        let commit = node.value("blockstore", b"SC:239").clone();
        *node.value("blockstore", b"SC:240") = commit;
    });
    assert!(matches!(commit, ChainError::Unbound { height: 240, .. }), "{commit}");
    let none = refused(240, |node| {
        node.rows("blockstore").remove(b"SC:240".as_slice());
    });
    assert!(matches!(none, ChainError::NoCommit { height: 240 }), "{none}");
}

#[test]
fn the_parts_of_a_last_block_below_the_tip_are_those_that_the_next_header_names() {
    let parts = refused(100, |node| {
        let at = parts_hash(node, b"H:100");
        node.flip("blockstore", b"H:100", 8 * at);
    });
    let is_told = matches!(parts, ChainError::Unbound { height: 100, above: BlockKey::Meta { height: 101 } })
        || matches!(parts, ChainError::BrokenLink { height: 101, below: 100 });
    assert!(is_told, "{parts}");
}
