//! Damaged block stores, repaired from a home in another format.

use std::fs;
use std::path::Path;

use ledger_formats::comet::key::{BlockKey, Layout};
use ledger_formats::engine::{EngineKind, TargetFormat, writer};
use ledger_formats::store::KeyRange;
use node_migrate::reading::Reading;

use crate::fixture::Fixture;
use crate::program::{digests, engines, run, text};

const HOME: &str = "cometbft-0.38-goleveldb";

/// The rows of a database of a home.
pub fn rows(folder: &Path, engine: EngineKind) -> Vec<(Vec<u8>, Vec<u8>)> {
    let reading = Reading::open(folder, engine, 1 << 20, &std::env::temp_dir()).expect("opens");
    let mut cursor = reading.store().scan(&KeyRange::all()).expect("scans");
    let mut rows = Vec::new();
    while let Some((key, value)) = cursor.next().expect("reads") {
        rows.push((key.to_vec(), value.to_vec()));
    }
    rows
}

/// Changes rows of the block store under valid checksums: the folder is written anew with the changed rows.
pub fn rewrite(home: &Path, change: impl Fn(&mut Vec<(Vec<u8>, Vec<u8>)>)) {
    let folder = home.join("data/blockstore.db");
    let mut rows = rows(&folder, EngineKind::LevelDb);
    change(&mut rows);
    fs::remove_dir_all(&folder).expect("removes");
    let parts = tempfile::tempdir().expect("a folder");
    let target: TargetFormat = "goleveldb".parse().expect("an engine");
    let writer = writer(target, &parts.path().join("parts"), &folder).expect("a writer");
    let mut shard = writer.shard(0).expect("a shard");
    for (key, value) in &rows {
        shard.put(key, value).expect("puts");
    }
    let finished = shard.finish().expect("finishes");
    writer.seal(&[finished]).expect("seals");
}

pub fn key(key: &BlockKey) -> Vec<u8> {
    let mut spelled = Vec::new();
    key.encode(Layout::V1, &mut spelled);
    spelled
}

/// A home, and the same in another engine: the peer.
pub fn pair() -> (Fixture, Fixture) {
    let (fixture, peer) = (Fixture::unpack(HOME), Fixture::unpack(HOME));
    run(&["migrate", text(&peer.home()), "--to", "pebbledb", "--execute"]).ok();
    assert_eq!(engines(&peer.home())["blockstore.db"], "pebbledb");
    (fixture, peer)
}

/// Ten blocks hurt in every way that leaves the table's checksums valid.
fn hurt(home: &Path) {
    rewrite(home, |rows| {
        let mut flip = |wanted: BlockKey, from_end: usize| {
            let wanted = key(&wanted);
            let (_, value) = rows.iter_mut().find(|(key, _)| *key == wanted).expect("the row is there");
            let at = value.len() - from_end;
            value[at] ^= 1;
        };
        flip(BlockKey::Part { height: 3, part: 0 }, 40);
        flip(BlockKey::Part { height: 4, part: 0 }, 41);
        flip(BlockKey::Meta { height: 7 }, 30);
        flip(BlockKey::Commit { height: 9 }, 20);
        flip(BlockKey::SeenCommit { height: 11 }, 20);
        flip(BlockKey::SeenCommit { height: 12 }, 21);
        let gone = [
            key(&BlockKey::Meta { height: 15 }),
            key(&BlockKey::Part { height: 16, part: 0 }),
            key(&BlockKey::Commit { height: 17 }),
            key(&BlockKey::Part { height: 20, part: 0 }),
            key(&BlockKey::Meta { height: 20 }),
        ];
        rows.retain(|(key, _)| !gone.contains(key));
    });
}

#[test]
fn ten_damaged_blocks_are_repaired_from_a_peer_in_another_format() {
    let (fixture, peer) = pair();
    let home = fixture.home();
    let good = digests(&peer.home());
    hurt(&home);
    run(&["verify", text(&home)]).failed(6, "FINDING");
    let ended = run(&[
        "run",
        text(&home),
        "--to",
        "pebbledb",
        "--on-corrupt",
        "repair",
        "--from",
        text(&peer.home()),
        "--execute",
    ])
    .ok();
    for height in [3, 4, 7, 9, 11, 12, 15, 16, 17, 20] {
        assert!(ended.err.contains(&format!("block {height} repaired from the home")), "{height}: {}", ended.err);
    }
    run(&["verify", text(&home)]).ok();
    run(&["cutover", text(&home), "--execute"]).ok();
    let receipt = run(&["receipt", text(&home)]).ok();
    assert!(receipt.out.contains("block 15") && receipt.out.contains("repaired from the home"), "{}", receipt.out);
    // Seen commits are what each node saw; all else is as it was.
    let mended = rows(&home.join("data/blockstore.db"), EngineKind::Pebble);
    let expected = rows(&peer.home().join("data/blockstore.db"), EngineKind::Pebble);
    let seen = [11, 12].map(|height| key(&BlockKey::SeenCommit { height }));
    let differ: Vec<_> = mended.iter().zip(&expected).filter(|(one, two)| one != two).map(|(one, _)| &one.0).collect();
    assert_eq!(mended.len(), expected.len());
    assert!(differ.iter().all(|key| seen.contains(key)), "{differ:?}");
    assert_eq!(digests(&home)["state.db"], good["state.db"]);
}

/// Breaks a place of the largest table of blocks, `at` bytes from its begin, so that its rows cannot be read.
fn break_table(home: &Path, at: impl Fn(usize) -> usize) {
    let files = fs::read_dir(home.join("data/blockstore.db")).expect("lists").map(|entry| entry.expect("lists").path());
    let table = files.filter(|path| path.extension().is_some_and(|it| it == "ldb")).max().expect("has tables");
    let mut bytes = fs::read(&table).expect("reads");
    let at = at(bytes.len());
    bytes[at] ^= 0x10;
    fs::write(&table, bytes).expect("writes");
}

#[test]
fn unreadable_places_are_repaired_too() {
    // The plan takes a sample at the begin of a database: what it finds broken there is for the run to decide on.
    let places: [fn(usize) -> usize; 2] = [|length| length / 2, |_| 100];
    for at in places {
        let (fixture, peer) = pair();
        let (home, from) = (fixture.home(), peer.home());
        break_table(&home, at);
        run(&["run", text(&home), "--to", "pebbledb", "--execute"]).failed(5, "--on-corrupt");
        let to = ["run", text(&home), "--to", "pebbledb"];
        run(&[&to[..], &["--on-corrupt", "repair", "--from", text(&from), "--execute"]].concat()).ok();
        run(&["verify", text(&home)]).ok();
        run(&["cutover", text(&home), "--execute"]).ok();
        let keys = |home: &Path| {
            let rows = rows(&home.join("data/blockstore.db"), EngineKind::Pebble);
            rows.into_iter().map(|row| row.0).collect::<Vec<_>>()
        };
        assert_eq!(keys(&home), keys(&from));
    }
}

#[test]
fn a_block_that_the_chain_did_not_sign_is_not_taken() {
    let (fixture, peer) = pair();
    let home = fixture.home();
    hurt(&home);
    let other = Fixture::unpack("cometbft-0.38-pebble");
    let ended = run(&[
        "run",
        text(&home),
        "--to",
        "pebbledb",
        "--on-corrupt",
        "repair",
        "--from",
        text(&other.home()),
        "--execute",
    ])
    .failed(5, "could not be had");
    assert!(ended.err.contains("10 of 10"), "{}", ended.err);
    run(&["cutover", text(&home), "--execute"]).failed(8, "not complete");
    // The same command with a peer that has them goes on.
    let from = peer.home();
    run(&["run", text(&home), "--to", "pebbledb", "--on-corrupt", "repair", "--from", text(&from), "--execute"]).ok();
    run(&["verify", text(&home)]).ok();
}

#[test]
fn a_store_without_damage_is_not_repaired() {
    let (fixture, peer) = pair();
    let home = fixture.home();
    let from = peer.home();
    let ended =
        run(&["run", text(&home), "--to", "pebbledb", "--on-corrupt", "repair", "--from", text(&from), "--execute"])
            .ok();
    assert!(!ended.err.contains("repaired"), "{}", ended.err);
    run(&["cutover", text(&home), "--execute"]).failed(8, "verif");
    run(&["verify", text(&home)]).ok();
}
