//! Layouts and dialects through the whole program: what upstream makes of a home, by plan, copy, verification and
//! cut-over; and back.

use std::fs;

use crate::fixture::Fixture;
use crate::program::{digests, engines, expected, roots, run, text, tree};

/// The databases that have layouts and dialects.
pub const CONVERTED: [&str; 3] = ["blockstore.db", "state.db", "evidence.db"];

fn becomes(name: &str, words: &[&str], form: &str) -> Fixture {
    let fixture = Fixture::unpack(name);
    let home = fixture.home();
    let (before, root) = (digests(&home), roots(&home));
    let arguments = [&["migrate", text(&home)], words, &["--execute"]].concat();
    run(&arguments).ok();
    let (after, wanted) = (digests(&home), expected(&fixture.oracle_as(form)));
    for (dir, digest) in &after {
        let expected = if CONVERTED.contains(&dir.as_str()) { &wanted[dir] } else { &before[dir] };
        assert_eq!(digest, expected, "{name} {words:?}: {dir}");
    }
    assert_eq!(roots(&home), root, "{name} {words:?}");
    run(&["verify", text(&home)]).ok();
    fixture
}

#[test]
fn homes_become_what_another_release_opens() {
    for (name, release, form) in [
        ("cometbft-1.0-v1-goleveldb", "cometbft-0.38", "0.38"),
        ("cometbft-1.0-v2-goleveldb", "cometbft-0.40", "0.40"),
        ("cometbft-1.0-mixed-dialects-goleveldb", "cometbft-0.38", "0.38"),
        ("cometbft-0.38-goleveldb-ext", "cometbft-1.0", "1.0"),
        ("cometbft-0.40-goleveldb", "cometbft-1.0", "1.0"),
    ] {
        becomes(name, &["--for", release], form);
    }
}

#[test]
fn a_home_that_was_converted_can_be_converted_back() {
    let fixture = becomes("cometbft-1.0-v1-goleveldb", &["--for", "cometbft-0.38"], "0.38");
    let home = fixture.home();
    run(&["finalise", text(&home), "--execute"]).ok();
    // The state still names the software that began it: what counts is how its records are encoded now.
    assert!(run(&["inspect", text(&home)]).ok().out.contains("written by cometbft-0.38 (dialect v0_38)"));
    run(&["migrate", text(&home), "--for", "cometbft-1.0", "--execute"]).ok();
    assert!(run(&["inspect", text(&home)]).ok().out.contains("written by cometbft-1.0 (dialect v1_0)"));
    let genesis: serde_json::Value = serde_json::from_str(&fixture.read("config/genesis.json")).expect("JSON");
    assert_eq!(genesis["consensus_params"].get("abci"), None);
    run(&["verify", text(&home), "--live"]).ok();
}

#[test]
fn a_home_that_was_upgraded_in_place_is_of_the_later_release() {
    let fixture = Fixture::unpack("cometbft-0.37-to-0.38-goleveldb");
    run(&["plan", text(&fixture.home()), "--for", "cometbft-0.37"])
        .failed(8, "there is no conversion to dialect v0_37");
    let fixture = Fixture::unpack("cometbft-1.0-mixed-dialects-goleveldb");
    let inspected = run(&["inspect", text(&fixture.home())]).ok().out;
    assert!(inspected.contains("several releases wrote this store"), "{inspected}");
    // Its own release reads the older records only in part.
    let plan = run(&["plan", text(&fixture.home()), "--for", "cometbft-1.0"]).ok().out;
    assert!(plan.contains("rewritten"), "{plan}");
}

#[test]
fn a_layout_changes_with_the_engine_or_alone() {
    let fixture = becomes("cometbft-1.0-v2-goleveldb", &["--to", "pebbledb,layout=v1"], "v1");
    assert!(engines(&fixture.home()).values().all(|engine| engine == "pebbledb"));
    becomes("cometbft-1.0-v1-goleveldb", &["--to", "goleveldb,layout=v2"], "v2");
}

#[test]
fn a_rollback_gives_the_old_bytes_and_the_old_genesis_file_back() {
    let fixture = Fixture::unpack("cometbft-1.0-v2-goleveldb");
    let home = fixture.home();
    let before = tree(&home);
    let genesis = fixture.read("config/genesis.json");
    run(&["migrate", text(&home), "--for", "cometbft-0.38", "--execute"]).ok();
    let edited = fixture.read("config/genesis.json");
    assert!(edited.contains("\"abci\"") && !edited.contains("\"synchrony\""));
    let receipt = run(&["receipt", text(&home)]).ok().out;
    assert!(receipt.contains("goleveldb, layout v2") && receipt.contains("layout v1, dialect v0_38"), "{receipt}");
    run(&["rollback", text(&home), "--execute"]).ok();
    assert_eq!(fixture.read("config/genesis.json"), genesis);
    for (path, (size, _, _, content)) in &before {
        let now = fs::symlink_metadata(path).expect("is there");
        assert!(!now.is_file() || (now.len() == *size && fs::read(path).expect("reads") == *content), "{path:?}");
    }
}

#[test]
fn the_plan_shows_what_happens_to_every_class_and_changes_nothing() {
    let fixture = Fixture::unpack("cometbft-1.0-v2-goleveldb");
    let home = fixture.home();
    let before = tree(&home);
    let plan = run(&["plan", text(&home), "--for", "cometbft-0.38"]).ok().out;
    for words in [
        "0x86",
        "key respelled",
        "rewritten",
        "dropped by rule",
        "rebuilt",
        "belongs to the pruning of v1.0",
        "synchrony",
    ] {
        assert!(plan.contains(words), "{words}: {plan}");
    }
    assert!(tree(&home) == before);
}

#[test]
fn what_is_there_already_is_left_alone() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    let home = fixture.home();
    for words in [
        ["--for", "cometbft-0.40"],
        ["--for", "cometbft-0.38"],
        ["--to", "goleveldb,layout=v1"],
        ["--to", "goleveldb,dialect=v0_38"],
    ] {
        let plan = run(&[&["plan", text(&home)], &words[..]].concat()).ok().out;
        assert!(plan.contains("nothing to do"), "{words:?}: {plan}");
    }
    run(&["plan", text(&home), "--to", "goleveldb,layout=v2"]).failed(8, "layout v2 is opened by v1.0 only");
    run(&["plan", text(&home), "--for", "cometbft-0.37"]).failed(8, "there is no conversion to dialect v0_37");
    run(&["plan", text(&home), "--to", "pebbledb,dialect=v1_0", "--db", "state"]).failed(8, "name all three");
    run(&["repair", text(&home)]).failed(8, "nothing to repair");
}

#[test]
fn a_mislabelled_home_is_explained_and_repaired() {
    let fixture = Fixture::unpack("cometbft-1.0-mislabelled");
    let home = fixture.home();
    let before = digests(&home);
    assert!(run(&["inspect", text(&home)]).ok().out.contains("MISLABELLED"));
    run(&["plan", text(&home), "--for", "cometbft-0.38"]).failed(8, "its keys are of layout v1");
    run(&["repair", text(&home), "--execute"]).ok();
    run(&["verify", text(&home)]).ok();
    let after = digests(&home);
    for (dir, (keys, digest)) in &after {
        // The evidence store is empty: whatever its label says is true.
        let is_repaired = dir == "blockstore.db";
        assert_eq!(*keys, before[dir].0, "{dir}");
        assert_eq!(*digest != before[dir].1, is_repaired, "{dir}");
    }
    assert!(!run(&["inspect", text(&home)]).ok().out.contains("MISLABELLED"));
    run(&["finalise", text(&home), "--execute"]).ok();
    run(&["repair", text(&home)]).failed(8, "nothing to repair");
}
