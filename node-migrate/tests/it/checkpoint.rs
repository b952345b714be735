//! `checkpoint`: the tree over a home's heights is the chain's, whatever engine and layout the home has.

use std::fs;
use std::path::{Path, PathBuf};

use proofs::checkpoint::{Checkpoint, GrowthFile, Leaf, ProofFile};
use proofs::merkle::root;
use proofs::note::{Note, VerifierKey};
use proofs::receipt::Receipt;
use proofs::tiles::{TileKind, TilePath, bundle_entries};
use serde_json::Value;

use crate::fixture::Fixture;
use crate::formats::CONVERTED;
use crate::program::{Ended, digests, run, text, tree};

/// Engines that this build has.
fn engines() -> Vec<&'static str> {
    let mut engines = vec!["pebbledb", "pebbledb,format=13", "goleveldb"];
    if cfg!(feature = "rocks") {
        engines.push("rocksdb");
    }
    if cfg!(feature = "sled") {
        engines.push("sled");
    }
    engines
}

struct World {
    folder: tempfile::TempDir,
    fixture: Fixture,
}

impl World {
    fn new(home: &str) -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), fixture: Fixture::unpack(home) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `checkpoint WORD HOME` with the key of this world and `more`.
    fn checkpoint(&self, word: &str, more: &[&str]) -> Ended {
        let (home, key) = (self.fixture.home(), self.path("key"));
        run(&[&["--json", "checkpoint", word, text(&home), "--key", text(&key)], more].concat())
    }

    fn created(&self, more: &[&str]) -> Value {
        self.checkpoint("create", more).ok().json()
    }

    /// The leaves of an export as tiles.
    fn exported(&self, size: u64) -> Vec<Vec<u8>> {
        let tiles = self.path("tiles");
        self.checkpoint("export", &["--tiles", text(&tiles)]).ok();
        leaves(&tiles, size)
    }

    /// What the oracle says of each height.
    fn blocks(&self) -> Vec<(u64, String, u64)> {
        let oracle = self.fixture.oracle();
        let number = |value: &Value| value.as_u64().expect("a number");
        let blocks = oracle["blocks"].as_array().expect("a list").iter();
        let block = |block: &Value| {
            let hash = block["hash"].as_str().expect("a hash").to_lowercase();
            (number(&block["height"]), hash, number(&block["parts"]))
        };
        blocks.map(block).collect()
    }
}

pub fn string<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}"))
}

fn key(made: &Value) -> VerifierKey {
    VerifierKey::parse(string(made, "vkey")).expect("a key")
}

fn leaves(tiles: &Path, size: u64) -> Vec<Vec<u8>> {
    let bundle = |index| {
        let path = TilePath::in_tree(TileKind::Entries, index, size).expect("within the tree");
        let bytes = fs::read(tiles.join(path.to_string())).expect("the bundle is there");
        bundle_entries(path, &bytes).expect("a bundle").into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    (0..size.div_ceil(256)).flat_map(bundle).collect()
}

#[test]
fn the_leaves_are_the_blocks_that_upstream_sees() {
    for home in [
        "cometbft-0.34-goleveldb",
        "cometbft-0.38-goleveldb-ext",
        "cometbft-0.38-goleveldb-killed-gap",
        "cometbft-0.38-goleveldb-pruned",
        "cometbft-0.38-halted",
        "cometbft-0.38-initial-height",
        "cometbft-0.40-goleveldb",
        "cometbft-1.0-v2-goleveldb",
        "cometbft-1.0-mislabelled",
    ] {
        let world = World::new(home);
        let before = tree(&world.fixture.home());
        let made = world.created(&["--new-key", "example.org/chain"]);
        let blocks = world.blocks();
        let first = blocks[0].0;
        assert_eq!(string(&made, "origin"), format!("example.org/chain/blocks-v1/{first}"), "{home}");
        assert_eq!((made["first_height"].as_u64(), made["size"].as_u64()), (Some(first), Some(blocks.len() as u64)));
        let leaves = world.exported(blocks.len() as u64);
        for (leaf, (height, hash, parts)) in leaves.iter().zip(&blocks) {
            let leaf = Leaf::from_bytes(leaf).expect("a leaf");
            assert_eq!((leaf.height, hex::encode(leaf.block.hash)), (*height, hash.clone()), "{home}");
            assert_eq!(u64::from(leaf.block.part_count), *parts, "{home} height {height}");
        }
        assert_eq!(hex::encode(root(&leaves)), string(&made, "root"), "{home}");
        assert_eq!(tree(&world.fixture.home()), before, "{home}: nothing of the node's changes");
    }
}

#[test]
fn a_home_has_the_same_checkpoint_in_every_engine() {
    for home in ["cometbft-0.38-goleveldb", "cometbft-1.0-v2-pebble", "simapp-0.50-mixed-engines"] {
        let world = World::new(home);
        let made = world.created(&["--new-key"]);
        let last = world.path("key.last");
        let note = fs::read_to_string(&last).expect("is kept");
        assert_eq!(note, string(&made, "checkpoint"));
        for engine in engines() {
            let path = world.fixture.home();
            run(&["migrate", text(&path), "--to", engine, "--execute"]).ok();
            run(&["finalise", text(&path), "--execute"]).ok();
            // Made anew by a signer that remembers nothing, it is the same to the byte.
            fs::remove_file(&last).expect("removes");
            assert_eq!(world.created(&[]), made, "{home} in {engine}");
            assert_eq!(fs::read_to_string(&last).expect("is kept"), note, "{home} in {engine}");
        }
    }
}

#[test]
fn a_home_has_the_same_checkpoint_in_every_layout_and_dialect_of_every_engine() {
    let world = World::new("cometbft-1.0-v1-goleveldb");
    let made = world.created(&["--new-key", "example.org/chain"]);
    let last = world.path("key.last");
    let note = fs::read_to_string(&last).expect("is kept");
    let home = world.fixture.home();
    let mut seen = std::collections::BTreeSet::new();
    for form in
        ["layout=v2,dialect=v1_0", "layout=v1,dialect=v0_38", "layout=v1,dialect=v0_40", "layout=v1,dialect=v1_0"]
    {
        for engine in engines() {
            run(&["migrate", text(&home), "--to", &format!("{engine},{form}"), "--execute"]).ok();
            run(&["finalise", text(&home), "--execute"]).ok();
            fs::remove_file(&last).expect("removes");
            assert_eq!(world.created(&[]), made, "{engine}, {form}");
            assert_eq!(fs::read_to_string(&last).expect("is kept"), note, "{engine}, {form}");
            let digests: Vec<_> =
                digests(&home).into_iter().filter(|(dir, _)| CONVERTED.contains(&dir.as_str())).collect();
            seen.insert((form, format!("{digests:?}")));
        }
    }
    // The stores themselves are as many as the forms: the same in each engine, different in each form.
    assert_eq!(seen.len(), 4, "{seen:?}");
    let contents: std::collections::BTreeSet<_> = seen.iter().map(|(_, digests)| digests).collect();
    assert_eq!(contents.len(), 4, "{seen:?}");
}

#[test]
fn every_height_is_proven_and_a_prefix_grows_into_the_whole() {
    let world = World::new("cometbft-0.38-goleveldb");
    let (old, new, growth) = (world.path("old"), world.path("new"), world.path("growth"));
    let prefix = world.created(&["--new-key", "example.org/chain", "--height", "100", "--out", text(&old)]);
    let whole = world.created(&["--out", text(&new)]);
    assert_eq!((prefix["size"].as_u64(), whole["size"].as_u64()), (Some(100), Some(240)));
    let known = [key(&whole)];
    let origin = string(&whole, "origin");

    let home = world.fixture.home();
    let words = ["--json", "checkpoint", "consistency", text(&home), text(&old), text(&new), "--out", text(&growth)];
    run(&words).ok();
    let growth = GrowthFile::parse(&fs::read(&growth).expect("is written")).expect("a proof of growth");
    let note = Note::parse(&fs::read(&old).expect("is written")).expect("a note");
    let old = Checkpoint::open(&note, &known).expect("is signed");
    growth.verify(Some(old.checkpoint()), &known).expect("the tree only grew");

    let leaves = world.exported(240);
    for height in [1, 2, 9, 10, 11, 99, 100, 101, 239, 240] {
        let proof = world.checkpoint("prove", &["--height", &height.to_string()]).ok().json();
        let file = ProofFile::parse(string(&proof, "proof").as_bytes()).expect("a proof");
        let index = usize::try_from(height - 1).expect("small");
        let proven = file.verify(origin, &leaves[index], &known).expect("the height is in the tree");
        assert_eq!(proven.index(), height - 1);
        assert!(file.verify(origin, &leaves[(index + 1) % 240], &known).is_err(), "not another height");
    }
    world.checkpoint("prove", &["--height", "241"]).failed(2, "height 241 is not in the checkpoint");
    world.checkpoint("prove", &["--height", "0"]).failed(2, "height 0 is not in the checkpoint");
}

#[test]
fn tiles_grow_with_the_tree() {
    let world = World::new("cometbft-0.37-to-0.38-goleveldb");
    let (step, whole) = (world.path("tiles"), world.path("whole"));
    let mut size = 0;
    for height in ["100", "256", "300"] {
        let words: &[&str] = if size == 0 { &["--new-key"] } else { &[] };
        size = world.created(&[words, &["--height", height]].concat())["size"].as_u64().expect("a size");
        assert_eq!(world.exported(size).len() as u64, size);
    }
    let made = world.created(&[]);
    let size = made["size"].as_u64().expect("a size");
    assert_eq!(hex::encode(root(world.exported(size))), string(&made, "root"));
    assert_eq!(fs::read_to_string(step.join("checkpoint")).expect("is there"), string(&made, "checkpoint"));
    world.checkpoint("export", &["--tiles", text(&whole)]).ok();
    for (path, (_, _, _, content)) in tree(&whole).into_iter().filter(|(path, _)| path.is_file()) {
        let twin = step.join(path.strip_prefix(&whole).expect("is inside"));
        assert_eq!(fs::read(&twin).expect("is there too"), content, "{}", twin.display());
    }
    // Tiles that somebody changed are not added to.
    let tile = step.join(format!("tile/0/001.p/{}", size - 256));
    let mut bytes = fs::read(&tile).expect("the last tile");
    bytes[0] ^= 1;
    fs::write(&tile, bytes).expect("writes");
    world.checkpoint("export", &["--tiles", text(&step)]).failed(5, "is not the leaf whose hash is in the tile");
}

#[test]
fn a_signer_never_contradicts_itself() {
    let world = World::new("cometbft-0.38-goleveldb");
    world.created(&["--new-key", "example.org/chain", "--height", "100"]);
    let kept = fs::read(world.path("key.last")).expect("is kept");
    world.checkpoint("create", &["--height", "99"]).failed(6, "the tree shrank from 100 leaves to 99");
    world.checkpoint("create", &["--height", "0"]).failed(2, "the tree begins at height 1");
    world.checkpoint("create", &["--height", "241"]).failed(2, "the store holds heights 1 to 240");
    world.checkpoint("create", &["--new-key"]).failed(2, "is there already");

    // Another chain, with as many heights, under the same name.
    let other = World::new("cometbft-0.37-goleveldb");
    fs::copy(world.path("key"), other.path("key")).expect("copies");
    fs::copy(world.path("key.last"), other.path("key.last")).expect("copies");
    other.checkpoint("create", &[]).failed(6, "refused to sign: the proof leads to the old root");
    other.checkpoint("prove", &["--height", "7"]).failed(6, "the store gives");
    assert_eq!(fs::read(other.path("key.last")).expect("is kept"), kept);

    // A last checkpoint that the key did not sign.
    let changed = String::from_utf8(kept).expect("is text").replace("\n100\n", "\n50\n");
    fs::write(world.path("key.last"), changed).expect("writes");
    world.checkpoint("create", &[]).failed(5, "does not hold");
}

#[test]
fn a_pruned_store_has_a_tree_of_its_own() {
    let whole = World::new("cometbft-0.38-goleveldb");
    whole.created(&["--new-key", "example.org/chain"]);
    let pruned = World::new("cometbft-0.38-goleveldb-pruned");
    for file in ["key", "key.last"] {
        fs::copy(whole.path(file), pruned.path(file)).expect("copies");
    }
    // Whatever is asked of the tree that begins below: refused, with nothing written and the signer's memory as it was.
    let kept = fs::read(whole.path("key.last")).expect("is kept");
    let tiles = pruned.path("tiles");
    for (word, more) in [
        ("create", &[][..]),
        ("prove", &["--height", "200"]),
        ("prove", &["--height", "7"]),
        ("export", &["--tiles", text(&tiles)]),
    ] {
        let ended = pruned.checkpoint(word, more);
        let ended = ended.failed(2, "the tree begins at height 1, but the store holds heights 191 to 240");
        ended.failed(2, "its first heights are pruned");
    }
    let (home, last) = (pruned.fixture.home(), pruned.path("key.last"));
    run(&["checkpoint", "consistency", text(&home), text(&last), text(&last)]).failed(2, "the tree begins at height 1");
    assert!(!tiles.exists());
    assert_eq!(fs::read(&last).expect("is kept"), kept);
    // A key of its own names the later first height.
    let own = pruned.path("own");
    let made =
        run(&["--json", "checkpoint", "create", text(&home), "--key", text(&own), "--new-key", "example.org/pruned"]);
    assert_eq!(string(&made.ok().json(), "origin"), "example.org/pruned/blocks-v1/191");
}

/// The receipt of a migration to Pebble, opened with the key that made it.
fn migrated(fixture: &Fixture, more: &[&str]) -> Receipt {
    migrated_to("pebbledb", fixture, more)
}

/// The receipt of a migration, opened with the key that made it.
pub fn migrated_to(target: &str, fixture: &Fixture, more: &[&str]) -> Receipt {
    let home = fixture.home();
    let done = run(&[&["--json", "migrate", text(&home), "--to", target, "--execute"], more].concat()).ok();
    // One line a step; the last one is of the cut-over.
    let done: Value = serde_json::from_str(done.out.lines().last().expect("lines")).expect("JSON");
    let note = Note::parse(string(&done, "receipt_text").as_bytes()).expect("a note");
    let key = VerifierKey::parse(string(&done, "signed_by")).expect("a key");
    Receipt::open(&note, &[key]).expect("a receipt")
}

#[test]
fn a_receipt_names_the_last_checkpoint_signed() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    let home = fixture.home();
    run(&["checkpoint", "create", text(&home), "--height", "100"]).ok();
    let made = run(&["--json", "checkpoint", "create", text(&home), "--height", "200"]).ok().json();
    let receipt = migrated(&fixture, &[]);
    let head = receipt.checkpoint.as_ref().expect("there is one");
    assert_eq!((head.origin(), head.size()), (string(&made, "origin"), 200));
    assert_eq!(hex::encode(head.root()), string(&made, "root"));
    assert!(receipt.exceptions.is_empty(), "{receipt:?}");
    // The migrated store gives that very checkpoint again.
    assert_eq!(run(&["--json", "checkpoint", "create", text(&home), "--height", "200"]).ok().json(), made);
}

#[test]
fn a_receipt_names_the_checkpoint_of_the_key_that_signs_it() {
    let world = World::new("cometbft-0.38-goleveldb-onelog");
    let made = world.created(&["--new-key", "example.org/chain"]);
    let key = world.path("key");
    let receipt = migrated(&world.fixture, &["--key", text(&key)]);
    let head = receipt.checkpoint.expect("there is one");
    assert_eq!((head.origin(), hex::encode(head.root())), (string(&made, "origin"), string(&made, "root").to_owned()));
}

#[test]
fn a_receipt_states_no_checkpoint_that_the_store_does_not_give() {
    assert_eq!(migrated(&Fixture::unpack("cometbft-0.38-goleveldb-onelog"), &[]).checkpoint, None);
    // The signer's memory is of another chain, of heights that are pruned, or damaged.
    let other = World::new("cometbft-0.37-goleveldb");
    other.created(&["--new-key", "example.org/chain", "--height", "80"]);
    let of = |name: &str, change: &dyn Fn(&Path)| {
        let world = World::new(name);
        for file in ["key", "key.last"] {
            fs::copy(other.path(file), world.path(file)).expect("copies");
        }
        change(&world.path("key.last"));
        let key = world.path("key");
        let receipt = migrated(&world.fixture, &["--key", text(&key)]);
        assert_eq!(receipt.checkpoint, None, "{name}");
        receipt
    };
    let mismatch = of("cometbft-0.38-goleveldb-onelog", &|_| {});
    let told = "checkpoint 80 of example.org/chain/blocks-v1/1: checkpoint of 80 leaves says the root ";
    assert!(mismatch.exceptions.iter().any(|text| text.starts_with(told)), "{mismatch:?}");
    let pruned = of("cometbft-0.38-goleveldb-pruned", &|_| {});
    assert!(pruned.not_checked.iter().any(|text| text.contains("the tree begins at height 1")), "{pruned:?}");
    let damaged = of("cometbft-0.38-goleveldb-onelog", &|last| fs::write(last, "nonsense").expect("writes"));
    assert!(damaged.exceptions.iter().any(|text| text.contains("key.last, the last checkpoint signed")), "{damaged:?}");
}

#[test]
fn without_a_key_named_one_is_made_in_the_home() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    let home = fixture.home();
    let chain = fixture.oracle()["chain_id"].as_str().map(str::to_owned);
    run(&["checkpoint", "prove", text(&home), "--height", "1"]).failed(8, "no checkpoint was signed");
    let made = run(&["--json", "checkpoint", "create", text(&home)]).ok().json();
    if let Some(chain) = chain {
        assert_eq!(string(&made, "origin"), format!("{chain}/blocks-v1/1"));
    }
    run(&["checkpoint", "prove", text(&home), "--height", "1"]).ok();
    assert_eq!(run(&["--json", "checkpoint", "create", text(&home)]).ok().json(), made);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_files_hold_the_leaves() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let world = World::new("cometbft-0.38-initial-height");
    // This chain's id has spaces, which no key's name may have.
    world.checkpoint("create", &["--new-key"]).failed(2, "does not name a tree of heights");
    let made = world.created(&["--new-key", "example.org/chain"]);
    let folder = world.path("leaves");
    world.checkpoint("export", &["--parquet", text(&folder)]).ok();
    assert_eq!(fs::read_to_string(folder.join("_checkpoint")).expect("is there"), string(&made, "checkpoint"));
    let file = fs::File::open(folder.join("segment=0/leaves.parquet")).expect("is there");
    let reader = SerializedFileReader::new(file).expect("is Parquet");
    let leaves = world.exported(made["size"].as_u64().expect("a size"));
    assert_eq!(reader.metadata().file_metadata().num_rows(), 240);
    for (row, leaf) in reader.get_row_iter(None).expect("has rows").zip(&leaves) {
        let row = row.expect("a row");
        let leaf = Leaf::from_bytes(leaf).expect("a leaf");
        let bytes = |hash: [u8; 32]| Field::Bytes(hash.to_vec().into());
        let columns: Vec<Field> = row.into_columns().into_iter().map(|(_, field)| field).collect();
        let expected = [
            Field::Long(leaf.height.cast_signed()),
            bytes(leaf.block.hash),
            Field::Long(leaf.block.part_count.into()),
            bytes(leaf.block.part_set_hash),
        ];
        assert_eq!(columns, expected, "height {}", leaf.height);
    }
    world.checkpoint("export", &["--parquet", text(&folder)]).failed(2, "is not empty");
}
