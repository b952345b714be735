//! What published migrators were seen to do wrong, each as a test of this one. What is tested elsewhere
//! is named here, so that the list is whole:
//!
//! | seen | here |
//! |---|---|
//! | a byte of a block part changed under valid checksums: exit 0, swapped in | [`a_changed_block_with_valid_checksums_never_reaches_the_cut_over`] |
//! | a damaged block in a source table: 60 % of the rows, "Done!" | `damage::a_damaged_block_stops_the_run_with_file_offset_and_heights` |
//! | the node ran on after the copy: the stale copy is swapped in | `refusals::a_stale_copy_is_never_swapped_in` |
//! | killed between two renames, node started, run again: an empty "backup" | `crash::a_crashed_cut_over_can_be_taken_back_from_every_step`, `crash::while_a_switch_is_half_done_the_configuration_names_no_engine_a_node_knows` |
//! | half done, then a node start: empty databases | the same, and `scripts/real-nodes.sh` with a real node |
//! | disk full: spins for ever, ignores SIGTERM | `refusals::a_full_disk_at_any_step_loses_nothing`, [`a_signal_ends_the_run_resumable`] |
//! | one source locked: the others are deleted by then | `refusals::a_running_node_is_left_alone` |
//! | missing app.toml: claims to have changed it | `refusals::missing_app_toml_is_not_claimed_to_be_changed` |
//! | a "read-only" source is rewritten | `round_trip::nothing_but_the_cut_over_touches_the_source` |

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ledger_formats::engine::{self, EngineKind};
use ledger_formats::store::KeyRange;
use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::Fixture;
use crate::program::{command, digests, engines, run, text};

/// Writes a LevelDB folder anew with every row as `change` wants it: all checksums are valid.
fn rewrite(folder: &Path, change: impl Fn(&[u8], &[u8]) -> Vec<u8>) {
    let beside = |name: &str| folder.with_extension(name);
    {
        let store = engine::open_in_place(folder, EngineKind::LevelDb, 1 << 20).expect("opens").expect("is readable");
        let writer =
            engine::writer("goleveldb".parse().expect("a target"), &beside("parts"), &beside("new")).expect("writes");
        let mut shard = writer.shard(0).expect("writes");
        let mut cursor = store.scan(&KeyRange::all()).expect("scans");
        while let Some((key, value)) = cursor.next().expect("scans") {
            shard.put(key, &change(key, value)).expect("writes");
        }
        writer.seal(&[shard.finish().expect("writes")]).expect("seals");
    }
    fs::remove_dir_all(folder).expect("removes");
    fs::rename(beside("new"), folder).expect("renames");
    let _ = fs::remove_dir_all(beside("parts"));
}

#[test]
fn a_changed_block_with_valid_checksums_never_reaches_the_cut_over() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb-onelog");
    let home = fixture.home();
    rewrite(&home.join("data/blockstore.db"), |key, value| {
        let mut value = value.to_vec();
        if key == b"P:37:0" {
            value[200] ^= 0x04;
        }
        value
    });
    run(&["verify", text(&home)]).failed(6, "height 37");
    run(&["migrate", text(&home), "--to", "rocksdb", "--execute"]).failed(6, "height 37");
    assert_eq!(engines(&home)["blockstore.db"], "goleveldb");
    run(&["cutover", text(&home), "--execute"]).failed(6, "no cut-over");
    run(&["status", text(&home)]).ok().out.contains("verification failed").then_some(()).expect("status says so");
    run(&["discard", text(&home), "--execute"]).ok();
}

#[test]
fn a_signal_ends_the_run_resumable() {
    const ROWS: u32 = 60_000;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("creates");
    fill(&data.join("application.db"), ROWS);
    let expected = digests(folder.path());
    let arguments = ["run", text(folder.path()), "--to", "pebbledb", "--workers", "1", "--execute"];
    let mut child = command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs");
    wait_for_a_shard(&data);
    kill_process(Pid::from_child(&child), Signal::TERM).expect("signals");
    let status = child.wait().expect("ends");
    assert_eq!(status.code(), Some(130), "a signal ends the run between two shards");
    run(&["cutover", text(folder.path()), "--execute"]).failed(8, "not complete");
    let kept = shards_copied(&data);
    assert!(kept > 0);
    run(&arguments).ok();
    assert!(shards_copied(&data) > kept, "the second run only adds");
    run(&["verify", text(folder.path())]).ok();
    run(&["cutover", text(folder.path()), "--execute"]).ok();
    assert_eq!(digests(folder.path()), expected);
}

/// A LevelDB database of `rows` rows of 8 KiB that do not compress.
fn fill(folder: &Path, rows: u32) {
    let parts = folder.with_extension("parts");
    let writer = engine::writer("goleveldb".parse().expect("a target"), &parts, folder).expect("writes");
    let mut shard = writer.shard(0).expect("writes");
    let mut value = vec![0_u8; 8 << 10];
    let mut state = 1_u64;
    for row in 0..rows {
        for word in value.chunks_exact_mut(8) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            word.copy_from_slice(&(state ^ (state >> 29)).to_le_bytes());
        }
        shard.put(&row.to_be_bytes(), &value).expect("writes");
    }
    writer.seal(&[shard.finish().expect("writes")]).expect("seals");
    let _ = fs::remove_dir_all(parts);
}

fn shards_copied(data: &Path) -> usize {
    let home = data.parent().expect("has a parent");
    let journal = run(&["journal", text(home)]).ok().out;
    journal.lines().filter(|line| line.contains("shard_copied")).count()
}

fn wait_for_a_shard(data: &Path) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while shards_copied(data) == 0 {
        assert!(Instant::now() < deadline, "no shard was ever copied");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_read_only_home_is_refused_by_name() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb-onelog");
    let home = fixture.home();
    let before = digests(&home);
    let mounted = std::process::Command::new("mount")
        .args(["--bind", "-o", "ro", text(&home), text(&home)])
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no right to mount a home read-only");
        return;
    }
    let ended = run(&["run", text(&home), "--to", "pebbledb", "--execute"]);
    let seen = digests(&home);
    let unmounted = std::process::Command::new("umount").arg(&home).status().expect("runs");
    assert!(unmounted.success());
    ended.failed(7, "read-only");
    assert_eq!(seen, before);
}
