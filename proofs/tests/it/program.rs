//! `ledger-proof` as a third party runs it: files in, verdict and exit code out.

use std::process::Command;

use proofs::checkpoint::{Checkpoint, GrowthFile, Leaf, LedgerOrigin, ProofFile, next_checkpoint};
use proofs::commit::BlockId;
use proofs::merkle::{MemoryTree, consistency_path, inclusion_path, leaf_hash};
use proofs::note::{Algorithm, Note, SignerKey};
use proofs::receipt::Receipt;

const FIRST: u64 = 1_000;

/// What the program said, and its exit code.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs the program.
pub fn run(arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_ledger-proof")).args(arguments).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said { code: output.status.code().expect("no signal"), out: text(output.stdout), err: text(output.stderr) }
}

#[track_caller]
fn holds(arguments: &[&str]) -> String {
    let said = run(arguments);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    said.out
}

#[track_caller]
fn refused(code: i32, reason: &str, arguments: &[&str]) {
    let said = run(arguments);
    assert!(said.err.contains(reason), "{reason:?} is not in {:?}", said.err);
    assert_eq!((said.code, said.out.as_str()), (code, ""));
}

/// A log's key, its tree and a folder for files.
struct World {
    folder: tempfile::TempDir,
    log: SignerKey,
}

impl World {
    fn new() -> Self {
        let origin = LedgerOrigin::new("example.org/chain", FIRST).expect("a prefix").to_string();
        let log = SignerKey::from_seed(&origin, Algorithm::Ed25519, &[7; 32]).expect("a name");
        Self { folder: tempfile::tempdir().expect("a folder"), log }
    }

    fn vkey(&self) -> String {
        self.log.verifier().to_string()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a path of text").to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    fn head(&self, size: u64) -> Note {
        let head = Checkpoint::new(self.log.verifier().name(), size, tree(size).root()).expect("a checkpoint");
        next_checkpoint(None, &[], &head).expect("the first").sign(&self.log).expect("its key")
    }

    fn growth(&self, old_size: u64, new_size: u64) -> String {
        let Ok(proof) = consistency_path(old_size, new_size, &tree(new_size));
        GrowthFile { old_size, proof, checkpoint: self.head(new_size) }.to_string()
    }
}

fn leaf(height: u64) -> Leaf {
    Leaf { height, block: BlockId { hash: [1; 32], part_count: 2, part_set_hash: [3; 32] } }
}

fn tree(size: u64) -> MemoryTree {
    (0..size).map(|index| leaf_hash(&leaf(FIRST + index).to_bytes())).collect()
}

#[test]
fn a_checkpoint_holds_for_who_knows_the_log() {
    let world = World::new();
    let file = world.write("checkpoint", &world.head(50).to_string());
    let said = holds(&["verify", "checkpoint", &file, "--log", &world.vkey()]);
    assert!(said.contains("holds: checkpoint") && said.contains("heights 1000 to 1049"), "{said}");
    let other = SignerKey::from_seed("example.org/other", Algorithm::Ed25519, &[8; 32]).expect("a name");
    let other = other.verifier().to_string();
    refused(6, "none of the 1 signatures is by a known key", &["verify", "checkpoint", &file, "--log", &other]);
    let changed = world.write("changed", &world.head(50).to_string().replace("\n50\n", "\n51\n"));
    refused(6, "does not hold", &["verify", "checkpoint", &changed, "--log", &world.vkey()]);
    refused(7, "cannot read", &["verify", "checkpoint", &world.path("none"), "--log", &world.vkey()]);
    refused(2, "invalid value", &["verify", "checkpoint", &file, "--log", "nonsense"]);
}

#[test]
fn a_height_is_proven_at_its_place_only() {
    let world = World::new();
    let Ok(path) = inclusion_path(7, 50, &tree(50));
    let file = ProofFile { extra: None, index: 7, path, checkpoint: world.head(50) };
    let file = world.write("height.tlog-proof", &file.to_string());
    let (hash, part_set_hash, vkey) = ("01".repeat(32), "03".repeat(32), world.vkey());
    let verify = |height: &'static str| {
        ["verify", "inclusion", &file, "--height", height, "--block-hash", &hash, "--parts", "2"]
            .into_iter()
            .chain(["--part-set-hash", &part_set_hash, "--log", &vkey])
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let words = verify("1007");
    let said = holds(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("holds: height 1007 is leaf 7"), "{said}");
    let words = verify("1008");
    refused(6, "the path leads to root", &words.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_leaf_at_the_place_of_another_height_is_refused() {
    // A log that puts a height where another belongs is told by the origin, though the path holds.
    let world = World::new();
    let tree: MemoryTree = [5, 4].map(|index| leaf_hash(&leaf(FIRST + index).to_bytes())).into_iter().collect();
    let head = Checkpoint::new(world.log.verifier().name(), 2, tree.root()).expect("a checkpoint");
    let checkpoint = next_checkpoint(None, &[], &head).expect("the first").sign(&world.log).expect("its key");
    let Ok(path) = inclusion_path(0, 2, &tree);
    let file = world.write("proof", &ProofFile { extra: None, index: 0, path, checkpoint }.to_string());
    let (hash, parts, vkey) = ("01".repeat(32), "03".repeat(32), world.vkey());
    let words = ["verify", "inclusion", &file, "--height", "1005", "--block-hash", &hash, "--parts", "2"];
    let words = [&words[..], &["--part-set-hash", &parts, "--log", &vkey]].concat();
    refused(6, "leaf 0 is of height 1005, expected 1000", &words);
}

#[test]
fn growth_holds_from_the_older_checkpoint_only() {
    let world = World::new();
    let old = world.write("old", &world.head(20).to_string());
    let other = world.write("other", &world.head(21).to_string());
    let growth = world.write("growth", &world.growth(20, 50));
    let said = holds(&["verify", "consistency", &growth, "--old", &old, "--log", &world.vkey()]);
    assert!(said.contains("tree grew from 20 leaves"), "{said}");
    refused(
        6,
        "proof begins at 20 leaves, but the last checkpoint has 21",
        &["verify", "consistency", &growth, "--old", &other, "--log", &world.vkey()],
    );
}

#[test]
fn a_receipt_holds_for_who_knows_the_operator() {
    let world = World::new();
    let receipt = Receipt {
        migration: "1".to_owned(),
        tool: "node-migrate 0.1.0".to_owned(),
        time: 5,
        chain_id: None,
        heights: None,
        journal_head: [1; 32],
        checkpoint: None,
        databases: vec![],
        verified: vec![],
        exceptions: vec![],
        not_checked: vec!["signatures".to_owned()],
    };
    let note = receipt.sign(&world.log).expect("a receipt").to_string();
    let file = world.write("receipt", &note);
    let said = holds(&["verify", "receipt", &file, "--key", &world.vkey()]);
    assert!(said.contains("holds: receipt") && said.contains("not-checked signatures"), "{said}");
    let forged = world.write("forged", &note.replace("not-checked", "verified"));
    refused(6, "does not hold", &["verify", "receipt", &forged, "--key", &world.vkey()]);
}

#[test]
fn a_witness_cosigns_growth_and_nothing_else() {
    let world = World::new();
    let (key, state, log) = (world.path("witness.key"), world.path("state"), world.vkey());
    let vkey = holds(&["keygen", "witness.example/w1", "--witness", "--out", &key]).trim_end().to_owned();
    refused(7, "cannot write", &["keygen", "witness.example/w1", "--witness", "--out", &key]);
    let witness = |file: &str, more: &[&str]| {
        let words = ["witness", file, "--key", &key, "--log", &log, "--state", &state];
        run(&[&words[..], more].concat())
    };

    let first = world.write("first", &world.growth(0, 20));
    assert_eq!(witness(&first, &[]).code, 2, "without a state only --first begins");
    let line = witness(&first, &["--first"]);
    assert_eq!((line.code, line.err.as_str()), (0, ""));
    let cosigned = world.write("cosigned", &format!("{}{}", world.head(20), line.out));
    let verify = ["verify", "checkpoint", &cosigned, "--log", &log, "--quorum", "1"];
    let said = holds(&[&verify[..], &["--witness", &vkey]].concat());
    assert!(said.contains("cosigned by witness.example/w1 at "), "{said}");
    refused(6, "0 of the witnesses cosigned, 1 are asked for", &verify);

    assert_eq!(witness(&first, &["--first"]).code, 2, "--first does not forget a state");
    let before = std::fs::read(&state).expect("a state");
    let shrunk = world.write("shrunk", &world.growth(0, 10));
    assert!(witness(&shrunk, &[]).err.contains("proof begins at 0 leaves, but the last checkpoint has 20"));
    let unproven =
        GrowthFile { proof: vec![[0; 32]; 5], ..GrowthFile::parse(world.growth(20, 50).as_bytes()).expect("a growth") };
    let unproven = world.write("unproven", &unproven.to_string());
    assert_eq!(witness(&unproven, &[]).code, 6);
    assert_eq!(std::fs::read(&state).expect("a state"), before, "what is refused leaves the state alone");

    let grown = world.write("grown", &world.growth(20, 50));
    assert_eq!(witness(&grown, &[]).code, 0);
    assert_eq!(witness(&grown, &[]).code, 6, "the state has moved on");
    assert!(!world.folder.path().join("state.new").exists());
}

#[test]
fn inspect_says_that_nothing_is_checked() {
    let world = World::new();
    let Ok(path) = inclusion_path(7, 50, &tree(50));
    let proof = ProofFile { extra: Some(vec![0xab]), index: 7, path, checkpoint: world.head(50) };
    let files = [
        (world.head(50).to_string(), "NOT CHECKED: checkpoint\norigin example.org/chain/blocks-v1/1000\nsize 50\n"),
        (proof.to_string(), "NOT CHECKED: proof of leaf 7, 6 hashes\nextra ab\n"),
        (world.growth(20, 50), "NOT CHECKED: growth from 20 leaves"),
        (world.vkey(), "public key of example.org/chain/blocks-v1/1000, Ed25519, id "),
    ];
    for (text, expected) in files {
        let said = holds(&["inspect", &world.write("file", &text)]);
        assert!(said.starts_with(expected), "{said}");
    }
    let secret = world.write("secret", &world.log.to_secret_text());
    refused(6, "is a private key, which is not shown", &["inspect", &secret]);
    refused(6, "is neither a checkpoint", &["inspect", &world.write("file", "\u{1b}[31m")]);
}
