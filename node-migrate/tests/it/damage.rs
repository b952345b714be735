//! Damaged sources: named with file, offset and heights; never carried on in silence.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fixture::Fixture;
use crate::program::{digests, engines, run, text};

const HOME: &str = "cometbft-0.38-goleveldb";

/// The live table of the block store: the newest of the fixture (an older one is dead).
fn table(home: &Path) -> PathBuf {
    let files = fs::read_dir(home.join("data/blockstore.db")).expect("lists").map(|entry| entry.expect("lists").path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "ldb")).max().expect("has tables")
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).expect("reads");
    bytes[at] ^= 0x10;
    fs::write(file, bytes).expect("writes");
}

fn damaged() -> Fixture {
    let fixture = Fixture::unpack(HOME);
    let file = table(&fixture.home());
    let middle = usize::try_from(fs::metadata(&file).expect("is there").len()).expect("fits") / 2;
    flip(&file, middle);
    fixture
}

#[test]
fn a_damaged_block_stops_the_run_with_file_offset_and_heights() {
    let fixture = damaged();
    let home = fixture.home();
    let ended = run(&["run", text(&home), "--to", "pebbledb", "--execute"]).failed(5, "checksum");
    assert!(ended.err.contains(text(&table(&home))), "{}", ended.err);
    assert!(ended.err.contains("offset") && ended.err.contains("height"), "{}", ended.err);
    assert!(ended.err.contains("--on-corrupt quarantine"), "{}", ended.err);
    run(&["cutover", text(&home), "--execute"]).failed(8, "not complete");
    assert_eq!(engines(&home)["blockstore.db"], "goleveldb");
}

#[test]
fn quarantine_leaves_the_damage_out_and_asks_for_consent() {
    let fixture = damaged();
    let home = fixture.home();
    let before = digests_of_good(&home);
    run(&["run", text(&home), "--to", "pebbledb", "--on-corrupt", "quarantine", "--execute"]).ok();
    let verified = run(&["verify", text(&home)]).ok();
    assert!(verified.out.contains("exception (quarantined)"), "{}", verified.out);
    run(&["cutover", text(&home), "--execute"]).failed(8, "--accept-exceptions");
    run(&["cutover", text(&home), "--execute", "--accept-exceptions"]).ok();
    let receipt = run(&["receipt", text(&home)]).ok();
    assert!(receipt.out.contains("\nexception "), "{}", receipt.out);
    let after = digests(&home);
    assert!(after["blockstore.db"].0 > 1000 && after["blockstore.db"].0 < 1207, "{after:?}");
    for (dir, digest) in before {
        assert_eq!(after[&dir], digest);
    }
    run(&["rollback", text(&home), "--execute"]).ok();
    assert_eq!(engines(&home)["blockstore.db"], "goleveldb");
}

fn digests_of_good(home: &Path) -> Vec<(String, (u64, String))> {
    ["state", "tx_index", "evidence"]
        .into_iter()
        .map(|name| {
            let value = run(&["digest", text(home), "--db", name, "--json"]).ok().json();
            let found = &value["databases"][0];
            let keys = found["keys"].as_u64().expect("a number");
            (
                found["dir"].as_str().expect("a name").to_owned(),
                (keys, found["sha256"].as_str().expect("a digest").to_owned()),
            )
        })
        .collect()
}

#[test]
fn a_missing_table_is_named() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    let file = table(&home);
    fs::remove_file(&file).expect("removes");
    let name = file.file_name().expect("has a name").to_str().expect("is UTF-8").to_owned();
    let ended = run(&["run", text(&home), "--to", "pebbledb", "--execute"]).failed(5, &name);
    assert!(ended.err.contains("--on-corrupt quarantine"), "{}", ended.err);
    // All blocks were in it: what is left must not pass for the whole without consent.
    run(&["run", text(&home), "--to", "pebbledb", "--on-corrupt", "quarantine", "--execute"]).ok();
    let verified = run(&["verify", text(&home)]).ok();
    assert!(verified.out.contains("exception (quarantined)") && verified.out.contains("left out"), "{}", verified.out);
    assert!(!verified.out.contains("nothing is missing"), "{}", verified.out);
    run(&["cutover", text(&home), "--execute"]).failed(8, "--accept-exceptions");
}

#[test]
fn what_is_left_out_of_rows_that_nothing_checks_is_an_exception_too() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    let folder = home.join("data/kvstore.db");
    let tables: Vec<_> = fs::read_dir(&folder)
        .expect("lists")
        .map(|entry| entry.expect("lists").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ldb"))
        .collect();
    for table in &tables {
        let mut bytes = fs::read(table).expect("reads");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(table, bytes).expect("writes");
    }
    let words = ["--to", "pebbledb", "--db", "kvstore", "--on-corrupt", "quarantine", "--execute"];
    run(&[&["run", text(&home)], &words[..]].concat()).ok();
    let verified = run(&["verify", text(&home)]).ok();
    assert!(verified.out.contains("exception (quarantined)") && verified.out.contains("left out"), "{}", verified.out);
    run(&["cutover", text(&home), "--execute"]).failed(8, "--accept-exceptions");
}

#[test]
fn an_empty_block_store_beside_a_state_with_blocks_is_a_finding() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    let empty = Fixture::unpack(HOME);
    let folder = home.join("data/blockstore.db");
    for entry in fs::read_dir(&folder).expect("lists") {
        fs::remove_file(entry.expect("lists").path()).expect("removes");
    }
    // The evidence database of the same node has no rows.
    for entry in fs::read_dir(empty.home().join("data/evidence.db")).expect("lists") {
        let path = entry.expect("lists").path();
        fs::copy(&path, folder.join(path.file_name().expect("a name"))).expect("copies");
    }
    run(&["run", text(&home), "--to", "pebbledb", "--execute"]).ok();
    let ended = run(&["verify", text(&home)]).failed(6, "verification found");
    assert!(ended.out.contains("an empty store"), "{}", ended.out);
    run(&["cutover", text(&home), "--execute"]).failed(6, "no cut-over");
}

#[test]
fn a_truncated_table_is_named() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    let file = table(&home);
    let bytes = fs::read(&file).expect("reads");
    fs::write(&file, &bytes[..bytes.len() / 2]).expect("writes");
    run(&["run", text(&home), "--to", "pebbledb", "--execute"])
        .failed(5, file.file_name().expect("named").to_str().expect("UTF-8"));
}

#[test]
fn a_torn_manifest_is_named() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    let current = fixture.read("data/blockstore.db/CURRENT");
    let manifest = home.join("data/blockstore.db").join(current.trim_end());
    let bytes = fs::read(&manifest).expect("reads");
    fs::write(&manifest, &bytes[..20]).expect("writes");
    run(&["run", text(&home), "--to", "pebbledb", "--execute"]).failed(5, current.trim_end());
}

#[test]
fn no_flipped_byte_of_a_source_table_goes_unnoticed() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    let good = digests(&home);
    let file = table(&home);
    let length = usize::try_from(fs::metadata(&file).expect("is there").len()).expect("fits");
    for at in (0..length).step_by(length / 60) {
        flip(&file, at);
        let ended = run(&["digest", text(&home), "--json"]);
        // Only bytes that nothing reads (padding of the footer) may be changed unseen.
        assert!(
            ended.code == 5 || (ended.code == 0 && digests(&home) == good),
            "byte {at}: {}{}",
            ended.out,
            ended.err
        );
        flip(&file, at);
    }
    assert_eq!(digests(&home), good);
}
