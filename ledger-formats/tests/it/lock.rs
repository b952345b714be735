//! Locks between processes: this test binary, started a second time, is the other one.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use ledger_formats::engine::lock::{LockError, LockKind, holders, lock_exclusive};

/// Names the folder that the second process locks.
const FOLDER: &str = "NODE_MIGRATE_TEST_LOCK";

/// The second process: holds the lock until it is killed. In the first one it does nothing.
#[test]
fn second_process() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let held = lock_exclusive(folder.as_ref()).expect("lock").expect("a lock file");
    assert!(held.path().ends_with("LOCK"));
    std::io::stdout().write_all(b"\nlocked\n").expect("told");
    std::thread::sleep(std::time::Duration::from_secs(600));
}

fn start(folder: &std::path::Path) -> Child {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["lock::second_process", "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a second process");
    let lines = BufReader::new(child.stdout.as_mut().expect("its output")).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "locked"), "the second process has the lock");
    child
}

#[test]
fn the_holder_is_named_and_keeps_us_out_until_it_is_gone() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("LOCK"), b"").expect("LOCK");
    let mut child = start(dir.path());
    let pid = i32::try_from(child.id()).expect("a pid");
    let found = holders(dir.path()).expect("holders");
    let mut kinds: Vec<_> = found.iter().map(|holder| (holder.kind == LockKind::Fcntl, holder.pid)).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [(false, Some(pid)), (true, Some(pid))], "{found:?}");
    assert!(found[0].to_string().contains("lock::second_process"), "{}", found[0]);
    let refused = lock_exclusive(dir.path()).expect_err("held");
    assert!(matches!(&refused, LockError::Held { holders, .. } if holders[0].pid == Some(pid)), "{refused}");
    child.kill().expect("kill");
    child.wait().expect("gone");
    assert_eq!(holders(dir.path()).expect("holders"), []);
    assert!(lock_exclusive(dir.path()).expect("free").is_some());
}
