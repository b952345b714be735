//! The process is killed before every single durable step of run, cut-over and rollback; the same
//! command then finishes the work, and the bytes are right. docs/safety.md has the table this proves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::fixture::Fixture;
use crate::program::{digests, engines, let_the_blocks_grow, let_the_source_move, run, run_with_fault, text};

/// A small home whose databases are of two engines and that has a log tail.
const HOME: &str = "cometbft-0.38-goleveldb-onelog";
const TO: &str = "pebbledb";

/// Copies a prepared home, so that each crash begins from the same state. The copy gets its own
/// path, so journals that name paths are made in place: `prepare` runs on the copy.
fn fresh(prepare: &dyn Fn(&Path)) -> Fixture {
    let fixture = Fixture::unpack(HOME);
    prepare(&fixture.home());
    fixture
}

/// Counts the durable steps of a command on a fresh home.
fn steps(prepare: &dyn Fn(&Path), command: &[&str]) -> u64 {
    let fixture = fresh(prepare);
    let home = fixture.home();
    let count = home.join("steps");
    run_with_fault(&format!("count@{}", count.display()), &with_home(command, &home)).ok();
    fs::read_to_string(count).expect("counted").parse().expect("a number")
}

fn with_home<'a>(command: &[&'a str], home: &'a Path) -> Vec<&'a str> {
    command.iter().map(|word| if *word == "HOME" { text(home) } else { word }).collect()
}

/// Kills `command` before each of its steps, repeats it, and lets `judge` look at the home.
fn crash_everywhere(prepare: &(dyn Fn(&Path) + Sync), command: &[&str], judge: &(dyn Fn(&Path, u64) + Sync)) {
    let steps = steps(prepare, command);
    assert!(steps > 4, "{command:?} takes only {steps} steps");
    std::thread::scope(|scope| {
        for worker in 0..2 {
            scope.spawn(move || {
                for at in (1..=steps).filter(|at| at % 2 == worker) {
                    let fixture = fresh(prepare);
                    let home = fixture.home();
                    let crashed = run_with_fault(&format!("crash@{at}"), &with_home(command, &home));
                    assert_eq!(
                        crashed.code, -1,
                        "step {at} of {command:?} did not crash: {}{}",
                        crashed.out, crashed.err
                    );
                    let resumed = run(&with_home(command, &home));
                    assert_eq!(resumed.code, 0, "after a crash at step {at}: {}{}", resumed.out, resumed.err);
                    judge(&home, at);
                }
            });
        }
    });
}

fn original() -> BTreeMap<String, (u64, String)> {
    digests(&Fixture::unpack(HOME).home())
}

fn engine_of_blocks(home: &Path) -> String {
    engines(home)["blockstore.db"].clone()
}

#[test]
fn run_goes_on_after_a_crash_at_every_step() {
    let expected = original();
    crash_everywhere(&|_| {}, &["run", "HOME", "--to", TO, "--execute"], &|home, at| {
        assert_eq!(digests(home), expected, "the source, after a crash at step {at}");
        run(&["verify", text(home)]).ok();
        run(&["cutover", text(home), "--execute"]).ok();
        assert_eq!(engine_of_blocks(home), TO);
        assert_eq!(digests(home), expected, "the target, after a crash at step {at}");
    });
}

#[test]
fn a_verification_goes_on_after_a_crash_at_every_step() {
    let copied = |home: &Path| {
        run(&["run", text(home), "--to", TO, "--execute"]).ok();
    };
    crash_everywhere(&copied, &["verify", "HOME"], &|home, at| {
        run(&["cutover", text(home), "--execute"]).ok();
        assert_eq!(engine_of_blocks(home), TO, "after a crash at step {at}");
    });
}

fn verified(home: &Path) {
    run(&["run", text(home), "--to", TO, "--execute"]).ok();
    run(&["verify", text(home)]).ok();
}

#[test]
fn a_cut_over_goes_on_after_a_crash_at_every_step() {
    let expected = original();
    crash_everywhere(&verified, &["cutover", "HOME", "--execute"], &|home, at| {
        assert_eq!(engine_of_blocks(home), TO, "after a crash at step {at}");
        assert_eq!(digests(home), expected, "after a crash at step {at}");
        let config = fs::read_to_string(home.join("config/config.toml")).expect("reads");
        assert!(config.contains("db_backend = \"pebbledb\""), "after a crash at step {at}");
    });
}

#[test]
fn a_crashed_cut_over_can_be_taken_back_from_every_step() {
    let expected = original();
    let config = |home: &Path| fs::read_to_string(home.join("config/config.toml")).expect("reads");
    let before = config(&Fixture::unpack(HOME).home());
    let command = ["cutover", "HOME", "--execute"];
    let steps = steps(&verified, &command);
    for at in 1..=steps {
        let fixture = fresh(&verified);
        let home = fixture.home();
        run_with_fault(&format!("crash@{at}"), &with_home(&command, &home));
        let back = run(&["rollback", text(&home), "--execute"]);
        // Before the switch is recorded there is nothing to take back.
        assert!(back.code == 0 || back.code == 8, "after a crash at step {at}: {}{}", back.out, back.err);
        assert_eq!(engine_of_blocks(&home), "goleveldb", "after a crash at step {at}");
        assert_eq!(digests(&home), expected, "after a crash at step {at}");
        assert_eq!(config(&home), before, "after a crash at step {at}");
    }
}

/// Whether a node could be started on the home as it is.
fn is_startable(home: &Path) -> bool {
    !fs::read_to_string(home.join("config/config.toml")).expect("reads").contains("node-migrate-cut-over-in-progress")
}

#[test]
fn blocks_of_a_node_that_was_started_between_a_crash_and_its_resumption_are_not_lost() {
    let expected = original();
    let command = ["cutover", "HOME", "--execute"];
    let mut ran = 0;
    for at in 1..=steps(&verified, &command) {
        let fixture = fresh(&verified);
        let home = fixture.home();
        run_with_fault(&format!("crash@{at}"), &with_home(&command, &home));
        if !is_startable(&home) || engine_of_blocks(&home) == TO {
            continue;
        }
        ran += 1;
        let_the_source_move(&home);
        run(&with_home(&command, &home)).failed(8, "changed since it was copied");
        assert_eq!(engine_of_blocks(&home), "goleveldb", "after a crash at step {at}");
        run(&["run", text(&home), "--to", TO, "--execute"]).ok();
        run(&["verify", text(&home)]).ok();
        run(&with_home(&command, &home)).ok();
        assert_eq!(digests(&home), expected, "after a crash at step {at}");
    }
    assert!(ran > 3, "a node could be started after only {ran} crashes");
}

#[test]
fn blocks_made_between_a_crashed_rollback_and_its_resumption_are_not_lost() {
    let cut_over = |home: &Path| {
        verified(home);
        run(&["cutover", text(home), "--execute"]).ok();
    };
    let command = ["rollback", "HOME", "--execute"];
    let mut ran = 0;
    for at in 1..=steps(&cut_over, &command) {
        let fixture = fresh(&cut_over);
        let home = fixture.home();
        run_with_fault(&format!("crash@{at}"), &with_home(&command, &home));
        if !is_startable(&home) || engine_of_blocks(&home) != TO {
            continue;
        }
        ran += 1;
        let_the_blocks_grow(&home);
        run(&with_home(&command, &home)).failed(8, "blocks 1 to 240");
        assert_eq!(engine_of_blocks(&home), TO, "after a crash at step {at}");
        assert!(is_startable(&home), "after a crash at step {at}");
    }
    assert!(ran > 3, "a node could be started after only {ran} crashes");
}

#[test]
fn a_rollback_goes_on_after_a_crash_at_every_step() {
    let expected = original();
    let cut_over = |home: &Path| {
        verified(home);
        run(&["cutover", text(home), "--execute"]).ok();
    };
    crash_everywhere(&cut_over, &["rollback", "HOME", "--execute"], &|home, at| {
        assert_eq!(engine_of_blocks(home), "goleveldb", "after a crash at step {at}");
        assert_eq!(digests(home), expected, "after a crash at step {at}");
    });
}

#[test]
fn while_a_switch_is_half_done_the_configuration_names_no_engine_a_node_knows() {
    let command = ["cutover", "HOME", "--execute"];
    let steps = steps(&verified, &command);
    let mut guarded = 0;
    for at in 1..=steps {
        let fixture = fresh(&verified);
        let home = fixture.home();
        run_with_fault(&format!("crash@{at}"), &with_home(&command, &home));
        let found = engines(&home);
        let governed = ["blockstore.db", "state.db", "evidence.db", "tx_index.db"].map(|dir| found[dir].clone());
        let config = fs::read_to_string(home.join("config/config.toml")).expect("reads");
        let engine =
            config.lines().find_map(|line| line.strip_prefix("db_backend = ")).expect("has the key").trim_matches('"');
        if engine == "node-migrate-cut-over-in-progress" {
            guarded += 1;
        } else {
            assert!(
                governed.iter().all(|found| found == engine),
                "crash at step {at}: config says {engine}, databases are {governed:?}"
            );
        }
    }
    assert!(guarded > 5, "the guard was seen only {guarded} times");
}
