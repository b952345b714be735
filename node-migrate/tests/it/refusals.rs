//! What the program must not do, and what it says instead.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FlockOperation, fcntl_lock};

use crate::fixture::Fixture;
use crate::program::{digests, engines, let_the_blocks_grow, let_the_source_move, run, run_with_fault, text, tree};

const HOME: &str = "cometbft-0.38-goleveldb-onelog";

fn verified(to: &str) -> Fixture {
    let fixture = Fixture::unpack(HOME);
    run(&["run", text(&fixture.home()), "--to", to, "--execute"]).ok();
    run(&["verify", text(&fixture.home())]).ok();
    fixture
}

#[test]
fn a_running_node_is_left_alone() {
    for fcntl in [false, true] {
        let fixture = Fixture::unpack(HOME);
        let home = fixture.home();
        // Before the lock: closing any descriptor of a file lets this process's fcntl locks on it go.
        let before = tree(&home);
        let lock = OpenOptions::new().read(true).write(true).open(home.join("data/state.db/LOCK")).expect("opens");
        if fcntl {
            fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive).expect("locks");
        } else {
            lock.try_lock().expect("locks");
        }
        let path = text(&home);
        let process = std::process::id().to_string();
        for arguments in [
            vec!["plan", path, "--to", "pebbledb"],
            vec!["run", path, "--to", "pebbledb", "--execute"],
            vec!["migrate", path, "--to", "pebbledb", "--execute"],
            vec!["cutover", path, "--execute"],
            vec!["rollback", path, "--execute"],
            vec!["verify", path],
            vec!["digest", path],
        ] {
            run(&arguments).failed(4, &process);
        }
        run(&["inspect", path]).ok();
        assert!(tree(&home) == before && !home.join("data/.node-migrate").exists());
        drop(lock);
        run(&["digest", path]).ok();
    }
}

#[test]
fn what_is_no_home_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = text(folder.path());
    run(&["inspect", path]).failed(3, path);
    run(&["digest", "/nowhere/at/all"]).failed(3, "/nowhere/at/all");
    fs::create_dir(folder.path().join("data")).expect("creates");
    run(&["plan", path, "--to", "rocksdb"]).failed(3, "no databases");
    let fixture = Fixture::unpack(HOME);
    run(&["inspect", text(&fixture.home().join("data"))]).failed(3, text(&fixture.home()));
}

#[test]
fn a_foreign_engine_is_named() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    let evidence = home.join("data/evidence.db");
    fs::remove_dir_all(&evidence).expect("removes");
    let mut bolt = vec![0_u8; 4096];
    bolt[16..20].copy_from_slice(&0xED0C_DAED_u32.to_le_bytes());
    fs::write(&evidence, bolt).expect("writes");
    run(&["plan", text(&home), "--to", "pebbledb"]).failed(3, "BoltDB");
}

#[test]
fn a_broken_configuration_is_named_with_its_line() {
    let fixture = Fixture::unpack(HOME);
    let config = fixture.home().join("config/config.toml");
    let broken = fixture.read("config/config.toml").replacen("db_backend = ", "db_backend == ", 1);
    fs::write(config, broken).expect("writes");
    let line =
        fixture.read("config/config.toml").lines().position(|line| line.contains("db_backend ==")).expect("is there")
            + 1;
    run(&["plan", text(&fixture.home()), "--to", "pebbledb"]).failed(3, &line.to_string());
}

#[test]
fn nothing_changes_without_execute() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    let before = tree(&home);
    for command in ["run", "migrate", "plan"] {
        run(&[command, text(&home), "--to", "rocksdb"]).ok();
    }
    assert!(tree(&home) == before && !home.join("data/.node-migrate").exists());
}

#[test]
fn a_stale_copy_is_never_swapped_in() {
    let fixture = verified("pebbledb");
    let home = fixture.home();
    let expected = digests(&home);
    let_the_source_move(&home);
    run(&["cutover", text(&home), "--execute"]).failed(8, "changed since it was copied");
    assert_eq!(engines(&home)["blockstore.db"], "goleveldb");
    run(&["run", text(&home), "--to", "pebbledb", "--execute"]).ok();
    run(&["cutover", text(&home), "--execute"]).failed(8, "not verified");
    run(&["verify", text(&home)]).ok();
    run(&["cutover", text(&home), "--execute"]).ok();
    assert_eq!(digests(&home), expected);
}

#[test]
fn a_plan_of_another_state_is_refused() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    let plan = home.join("plan.toml");
    run(&["plan", text(&home), "--to", "pebbledb", "--out", text(&plan)]).ok();
    let_the_source_move(&home);
    run(&["run", text(&home), "--plan", text(&plan), "--execute"]).failed(8, "another state");
    fs::write(&plan, "version = 1\nnonsense").expect("writes");
    run(&["run", text(&home), "--plan", text(&plan), "--execute"]).failed(8, "cannot be read");
}

#[test]
fn a_changed_plan_in_the_workspace_is_refused() {
    let fixture = verified("pebbledb");
    let home = fixture.home();
    let workspaces = fs::read_dir(home.join("data/.node-migrate")).expect("lists");
    let workspace = workspaces.map(|entry| entry.expect("lists").path()).find(|path| path.is_dir()).expect("is there");
    let plan = workspace.join("plan.toml");
    let changed = fs::read_to_string(&plan).expect("reads").replace("pebbledb", "rocksdb");
    fs::write(&plan, changed).expect("writes");
    run(&["cutover", text(&home), "--execute"]).failed(5, "signed off");
}

#[test]
fn a_changed_target_is_never_swapped_in() {
    let fixture = verified("pebbledb");
    let home = fixture.home();
    let target = find(&home.join("data/.node-migrate"), "waiting");
    let table = fs::read_dir(&target).expect("lists").map(|entry| entry.expect("lists").path());
    let table =
        table.filter(|path| path.extension().is_some_and(|extension| extension == "sst")).min().expect("has a table");
    OpenOptions::new().append(true).open(table).expect("opens").write_all(b"x").expect("writes");
    run(&["cutover", text(&home), "--execute"]).failed(6, "changed since it was sealed");
    run(&["verify", text(&home)]).failed(6, "changed since it was sealed");
    assert_eq!(engines(&home)["blockstore.db"], "goleveldb");
}

/// The first folder of that name below another that holds tables.
fn find(root: &Path, name: &str) -> PathBuf {
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("lists") {
            let path = entry.expect("lists").path();
            let holds = || {
                fs::read_dir(&path)
                    .expect("lists")
                    .any(|entry| entry.expect("lists").path().extension().is_some_and(|e| e == "sst"))
            };
            if path.is_dir() && path.file_name().is_some_and(|found| found == name) && holds() {
                return path;
            }
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    panic!("no {name} with tables below {}", root.display())
}

#[test]
fn another_target_does_not_go_on_with_the_copy() {
    let fixture = verified("pebbledb");
    run(&["run", text(&fixture.home()), "--to", "rocksdb", "--execute"]).failed(8, "under way");
}

#[test]
fn two_runs_at_once_do_not_mix() {
    let fixture = verified("pebbledb");
    let home = fixture.home();
    let lock = File::options().write(true).open(home.join("data/.node-migrate/lock")).expect("opens");
    lock.try_lock().expect("locks");
    run(&["run", text(&home), "--to", "pebbledb", "--execute"]).failed(8, "another node-migrate");
    run(&["cutover", text(&home), "--execute"]).failed(8, "another node-migrate");
    run(&["status", text(&home)]).ok();
    drop(lock);
    run(&["cutover", text(&home), "--execute"]).ok();
}

#[test]
fn a_rollback_among_folders_from_a_backup_is_refused() {
    let fixture = verified("pebbledb");
    let home = fixture.home();
    run(&["cutover", text(&home), "--execute"]).ok();
    // The same names and bytes, and other folders than those the journal knows by their inodes.
    let backup = home.with_extension("backup");
    assert!(Command::new("cp").args(["-a", text(&home), text(&backup)]).status().expect("copies").success());
    fs::remove_dir_all(&home).expect("removes");
    fs::rename(&backup, &home).expect("renames");
    let before = tree(&home);
    run(&["rollback", text(&home), "--execute"]).failed(8, "is the folder that the journal names");
    assert_eq!(tree(&home), before);
}

#[test]
fn a_rollback_that_would_lose_blocks_is_refused() {
    let fixture = verified("pebbledb");
    let home = fixture.home();
    run(&["cutover", text(&home), "--execute"]).ok();
    let_the_blocks_grow(&home);
    run(&["rollback", text(&home), "--execute"]).failed(8, "blocks 1 to 240");
    assert_eq!(engines(&home)["blockstore.db"], "pebbledb");
    let config = fs::read_to_string(home.join("config/config.toml")).expect("reads");
    assert!(config.contains("db_backend = \"pebbledb\""));
}

#[test]
fn a_finalised_migration_cannot_be_rolled_back() {
    let fixture = verified("pebbledb");
    let home = fixture.home();
    run(&["finalise", text(&home), "--execute"]).failed(8, "verified");
    run(&["cutover", text(&home), "--execute"]).ok();
    run(&["finalise", text(&home)]).ok();
    run(&["finalise", text(&home), "--execute"]).ok();
    run(&["rollback", text(&home), "--execute"]).failed(8, "no cut-over to take back");
    assert_eq!(engines(&home)["blockstore.db"], "pebbledb");
}

#[test]
fn a_full_disk_at_any_step_loses_nothing() {
    let expected = digests(&Fixture::unpack(HOME).home());
    for at in (1..1000).step_by(23) {
        let fixture = Fixture::unpack(HOME);
        let home = fixture.home();
        let arguments = ["migrate", text(&home), "--to", "rocksdb", "--execute"];
        let full = run_with_fault(&format!("enospc@{at}"), &arguments);
        if full.code == 0 {
            assert!(at > 100, "a migration has more than {at} steps");
            return;
        }
        full.failed(7, "");
        assert_eq!(digests(&home), expected, "after a full disk at step {at}");
        let again = run(&arguments);
        if again.code == 8 {
            // Stopped inside the cut-over: that is finished by its own command.
            run(&["cutover", text(&home), "--execute"]).ok();
        } else {
            again.ok();
        }
        assert_eq!(digests(&home), expected, "finished after a full disk at step {at}");
        assert_eq!(engines(&home)["blockstore.db"], "rocksdb");
    }
    panic!("the migration never had enough disk");
}

#[test]
fn part_of_a_group_under_one_setting_is_refused() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    run(&["plan", text(&home), "--to", "pebbledb", "--db", "blockstore"]).failed(2, "state");
    run(&["plan", text(&home), "--to", "pebbledb", "--db", "nonsense"]).failed(2, "no database `nonsense`");
}

#[test]
fn an_ungoverned_database_moves_only_when_named() {
    let fixture = Fixture::unpack("cometbft-0.38-goleveldb");
    let home = fixture.home();
    let expected = digests(&home);
    run(&["migrate", text(&home), "--to", "pebbledb", "--db", "kvstore", "--execute"]).ok();
    let found = engines(&home);
    assert_eq!((found["kvstore.db"].as_str(), found["blockstore.db"].as_str()), ("pebbledb", "goleveldb"));
    assert_eq!(digests(&home), expected);
    assert!(fixture.read("config/config.toml").contains("db_backend = \"goleveldb\""));
}

#[test]
fn symlinked_folders_are_followed_and_stay() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    let expected = digests(&home);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let volume = elsewhere.path().join("volume");
    fs::rename(home.join("data"), &volume).or_else(|_| copy_tree(&home.join("data"), &volume)).expect("moves");
    std::os::unix::fs::symlink(&volume, home.join("data")).expect("links");
    run(&["migrate", text(&home), "--to", "rocksdb", "--execute"]).ok();
    assert!(home.join("data").symlink_metadata().expect("is there").is_symlink());
    assert_eq!(digests(&home), expected);
    assert_eq!(engines(&home)["state.db"], "rocksdb");
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    Command::new("cp").arg("-r").arg(from).arg(to).status()?;
    fs::remove_dir_all(from)
}

#[test]
fn new_files_belong_to_the_owner_of_the_old_ones() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    if chown(home.join("data"), Some(4711), Some(4711)).is_err() {
        eprintln!("SKIPPED: only root can give files to another user");
        return;
    }
    let owned = Command::new("chown").args(["-R", "4711:4711", text(&home)]).status().expect("runs");
    assert!(owned.success());
    run(&["migrate", text(&home), "--to", "pebbledb", "--execute"]).ok();
    for database in ["blockstore.db", "state.db"] {
        for entry in fs::read_dir(home.join("data").join(database)).expect("lists") {
            let meta = entry.expect("lists").metadata().expect("is there");
            assert_eq!((meta.uid(), meta.gid()), (4711, 4711));
        }
    }
    let config = fs::metadata(home.join("config/config.toml")).expect("is there");
    assert_eq!((config.uid(), config.gid()), (4711, 4711));
}

#[test]
fn missing_app_toml_is_not_claimed_to_be_changed() {
    let fixture = Fixture::unpack(HOME);
    let home = fixture.home();
    let ended = run(&["migrate", text(&home), "--to", "pebbledb", "--execute"]).ok();
    assert!(!ended.out.contains("app.toml") && !ended.err.contains("app.toml"));
    assert!(!home.join("config/app.toml").exists());
}
