//! Real homes go through every engine and come back with the bytes that upstream's libraries saw
//! (`scripts/all-homes.sh` does so with every home); and the source tree stays as it was until a cut-over.

use crate::fixture::{self, Fixture};
use crate::program::{digests, engines, expected, roots, run, text, tree};

/// Databases that no setting governs, so that a migration leaves them alone.
const UNGOVERNED: [&str; 1] = ["kvstore.db"];

fn migrate(home: &str, engine: &str) {
    run(&["migrate", home, "--to", engine, "--execute"]).ok();
    run(&["finalise", home, "--execute"]);
}

fn through_all_engines(name: &str) {
    let fixture = Fixture::unpack(name);
    let home = fixture.home();
    let expected = expected(&fixture.oracle());
    assert_eq!(digests(&home), expected, "{name} as it is");
    let root = roots(&home);
    for (to, called) in [
        ("rocksdb", "rocksdb"),
        ("pebble", "pebbledb"),
        ("leveldb", "goleveldb"),
        ("sled", "sled"),
        ("goleveldb", "goleveldb"),
    ] {
        migrate(text(&home), to);
        assert_eq!(digests(&home), expected, "{name} after the way to {to}");
        assert_eq!(roots(&home), root, "{name} in {to}");
        for (dir, engine) in engines(&home) {
            assert!(engine == called || UNGOVERNED.contains(&dir.as_str()), "{name}: {dir} is {engine}, not {called}");
        }
    }
}

#[test]
fn a_home_goes_through_every_engine_and_back() {
    through_all_engines("cometbft-0.38-rocksdb");
}

#[test]
fn a_home_that_mixes_engines_goes_through_every_engine_and_back() {
    through_all_engines("simapp-0.50-mixed-engines");
}

/// `roots` asserts it.
#[test]
fn every_row_of_every_home_is_understood() {
    for name in fixture::names() {
        assert!(roots(&Fixture::unpack(&name).home()).contains_key("all"), "{name}");
    }
}

#[test]
fn nothing_but_the_cut_over_touches_the_source() {
    for name in
        ["cometbft-0.38-goleveldb", "cometbft-0.38-rocksdb", "cometbft-0.38-pebble", "simapp-0.50-mixed-engines"]
    {
        let fixture = Fixture::unpack(name);
        let home = fixture.home();
        let before = tree(&home);
        let to = if name.ends_with("rocksdb") { "pebbledb" } else { "rocksdb" };
        let path = text(&home);
        for arguments in [
            vec!["inspect", path],
            vec!["digest", path],
            vec!["root", path],
            vec!["trace", path, "--height", "5"],
            vec!["verify", path],
            vec!["plan", path, "--to", to],
            vec!["run", path, "--to", to],
            vec!["run", path, "--to", to, "--execute"],
            vec!["verify", path],
            vec!["status", path],
            vec!["journal", path],
            vec!["cutover", path],
            vec!["discard", path],
            vec!["discard", path, "--execute"],
        ] {
            run(&arguments).ok();
            assert!(tree(&home) == before, "{name}: {arguments:?} changed the home");
        }
    }
}

#[test]
fn a_rollback_gives_the_old_bytes_back() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    let home = fixture.home();
    let before = tree(&home);
    run(&["migrate", text(&home), "--to", "pebbledb", "--execute"]).ok();
    assert_ne!(tree(&home).keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    run(&["rollback", text(&home), "--execute"]).ok();
    let after = tree(&home);
    for (path, (size, _, _, content)) in &before {
        let (now_size, _, _, now) = after.get(path).unwrap_or_else(|| panic!("{} is gone", path.display()));
        assert!(size == now_size && content == now, "{} changed", path.display());
    }
    assert_eq!(after.len(), before.len());
}
