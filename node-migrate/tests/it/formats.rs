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
    let inspected = run(&["inspect", text(&home)]).ok().out;
    assert!(inspected.contains("MISLABELLED") && inspected.contains("WRONG LABEL"), "{inspected}");
    run(&["plan", text(&home), "--for", "cometbft-0.38"]).failed(8, "its keys are of layout v1");
    run(&["repair", text(&home), "--execute"]).ok();
    run(&["verify", text(&home)]).ok();
    let after = digests(&home);
    for (dir, (keys, digest)) in &after {
        // The evidence store is empty: its label is true, and would mislabel the first evidence of a node that knows no labels.
        let is_repaired = ["blockstore.db", "evidence.db"].contains(&dir.as_str());
        assert_eq!(*keys, before[dir].0, "{dir}");
        assert_eq!(*digest != before[dir].1, is_repaired, "{dir}");
    }
    let inspected = run(&["inspect", text(&home)]).ok().out;
    assert!(!inspected.contains("MISLABELLED") && !inspected.contains("WRONG LABEL"), "{inspected}");
    run(&["finalise", text(&home), "--execute"]).ok();
    run(&["repair", text(&home)]).failed(8, "nothing to repair");
}

#[test]
fn another_aim_than_that_under_way_is_refused_by_name() {
    let fixture = Fixture::unpack("cometbft-1.0-v2-goleveldb");
    let home = fixture.home();
    let other = fixture.home().join("other.toml");
    run(&["plan", text(&home), "--to", "pebbledb", "--out", text(&other)]).ok();
    let same = fixture.home().join("same.toml");
    run(&["plan", text(&home), "--for", "cometbft-0.38", "--out", text(&same)]).ok();
    run(&["run", text(&home), "--for", "cometbft-0.38", "--execute"]).ok();
    let under_way = "a migration to goleveldb, layout v1, dialect v0_38 is under way in this home, not";
    for (words, not) in [
        (vec!["--for", "cometbft-0.40"], "to goleveldb for cometbft-0.40"),
        (vec!["--to", "goleveldb"], "to goleveldb with keys and values as they are"),
        (vec!["--to", "goleveldb,layout=v1"], "to goleveldb, layout v1"),
        (vec!["--to", "goleveldb,layout=v1,dialect=v0_40"], "to goleveldb, layout v1, dialect v0_40"),
        (vec!["--to", "pebbledb,layout=v1,dialect=v0_38"], "to pebbledb"),
        (vec!["--db", "kvstore"], "of kvstore"),
        (vec!["--plan", text(&other)], "to pebbledb of blockstore, evidence, state, tx_index"),
    ] {
        let says = format!("{under_way} {not}");
        run(&[&["run", text(&home)], words.as_slice(), &["--execute"]].concat()).failed(8, &says);
    }
    // The same aim in other words is the same aim.
    for words in [
        vec![],
        vec!["--for", "cometbft-0.38"],
        vec!["--to", "goleveldb,layout=v1,dialect=v0_38"],
        vec!["--plan", text(&same)],
    ] {
        run(&[&["run", text(&home)], words.as_slice(), &["--execute"]].concat()).ok();
    }
    run(&["discard", text(&home), "--execute"]).ok();
    // A plan of an engine alone is that of formats which are there.
    run(&["run", text(&home), "--to", "pebbledb", "--execute"]).ok();
    run(&["run", text(&home), "--to", "pebbledb,layout=v2", "--execute"]).ok();
    run(&["run", text(&home), "--to", "pebbledb,layout=v1", "--execute"]).failed(8, "not to pebbledb, layout v1");
}

#[test]
fn the_plan_of_a_conversion_says_what_is_left_to_the_operator() {
    let fixture = Fixture::unpack("cometbft-1.0-v1-goleveldb");
    let plan = run(&["plan", text(&fixture.home()), "--for", "cometbft-0.38", "--json"]).ok().json();
    let warnings = plan["warnings"].as_array().expect("a list");
    for words in [
        "config.toml keeps the sections and values",
        "kvstore are the application's",
        "remove its folder before the start",
    ] {
        assert!(warnings.iter().any(|line| line.as_str().expect("text").contains(words)), "{words}: {warnings:?}");
    }
    let plan = run(&["plan", text(&fixture.home()), "--to", "pebbledb"]).ok().out;
    assert!(!plan.contains("config.toml keeps"), "{plan}");
}

#[test]
fn every_release_is_accepted_and_inspect_names_the_family_that_wrote_a_home() {
    for (name, family) in [
        ("cometbft-0.34-goleveldb", "cometbft-0.34 (dialect v0_34)"),
        ("cometbft-0.37-goleveldb", "cometbft-0.37 (dialect v0_37)"),
        ("cometbft-0.38-goleveldb", "cometbft-0.38 (dialect v0_38)"),
        ("cometbft-0.40-goleveldb", "cometbft-0.39 or cometbft-0.40 (dialect v0_40)"),
        ("cometbft-1.0-v1-goleveldb", "cometbft-1.0 (dialect v1_0)"),
    ] {
        let fixture = Fixture::unpack(name);
        let inspected = run(&["inspect", text(&fixture.home())]).ok().out;
        for words in
            [family, "validators in stateKey have the form of", "its parameters have that of", "began the state"]
        {
            assert!(inspected.contains(words), "{words}: {inspected}");
        }
        for release in
            ["cometbft-0.34", "cometbft-0.37", "cometbft-0.38", "cometbft-0.39", "cometbft-0.40", "cometbft-1.0"]
        {
            let ended = run(&["plan", text(&fixture.home()), "--for", release]);
            // What a release cannot open, and nothing is converted to, is refused as such.
            let is_refused = ended.err.contains("there is no conversion to dialect v0_3");
            assert!(
                ended.code == 0 || ended.code == 8 && is_refused,
                "{name} for {release}: {}{}",
                ended.out,
                ended.err
            );
        }
    }
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb-onelog");
    run(&["plan", text(&fixture.home()), "--for", "cometbft-2.0"]).failed(2, "known releases are cometbft-0.34,");
}

#[test]
fn what_a_crash_left_is_told_by_inspect_plan_and_verify() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb-killed-torn");
    let home = fixture.home();
    for words in [vec!["inspect"], vec!["plan", "--to", "pebbledb"], vec!["verify", "--live"]] {
        let arguments = |more: &[&'static str]| [&words[..1], &[text(&home)], &words[1..], more].concat();
        let shown = run(&arguments(&[])).ok().out;
        assert!(shown.contains("state: the records of ") && shown.contains("as a crash leaves it"), "{shown}");
        assert!(run(&arguments(&["--json"])).ok().out.contains("as a crash leaves it"), "{words:?}");
    }
    run(&["run", text(&home), "--to", "pebbledb", "--execute"]).ok();
    let verified = run(&["verify", text(&home)]).ok().out;
    assert!(verified.contains("state, as it was: the records of "), "{verified}");
}
