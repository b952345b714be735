//! Runs the program as an operator does, and looks at homes from outside.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; -1 when killed by a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ended {
    /// The command must have ended well.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    /// The command must have ended with this code, and say this.
    pub fn failed(self, code: i32, says: &str) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        assert!(self.err.contains(says) || self.out.contains(says), "does not say {says:?}: {}{}", self.out, self.err);
        self
    }

    /// The whole output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// The program with arguments.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_node-migrate"));
    command.args(arguments).env_remove("NODE_MIGRATE_FAULT");
    command
}

/// Runs the program.
pub fn run(arguments: &[&str]) -> Ended {
    ended(&command(arguments).output().expect("the program runs"))
}

/// Runs the program with a fault installed.
pub fn run_with_fault(fault: &str, arguments: &[&str]) -> Ended {
    ended(&command(arguments).env("NODE_MIGRATE_FAULT", fault).output().expect("the program runs"))
}

fn ended(output: &Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Writes a script that can be run at once. Another process writes it: were the file open here, a child that
/// another test is just starting would have it open too, and a file open for writing cannot be run.
pub fn executable(path: &Path, script: &str) {
    let mut install = Command::new("install");
    let mut install =
        install.args(["-m", "755", "/dev/stdin", text(path)]).stdin(Stdio::piped()).spawn().expect("runs");
    install.stdin.take().expect("piped").write_all(script.as_bytes()).expect("takes the script");
    assert!(install.wait().expect("ends").success(), "{}", path.display());
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

/// Keys and digest of every database by folder name, from the program.
pub fn digests(home: &Path) -> BTreeMap<String, (u64, String)> {
    let value = run(&["digest", text(home), "--json"]).ok().json();
    let databases = value["databases"].as_array().expect("a list").iter();
    databases
        .map(|found| {
            let field = |name: &str| found[name].as_str().expect("a string").to_owned();
            (field("dir"), (found["keys"].as_u64().expect("a number"), field("sha256")))
        })
        .collect()
}

/// The store root of every database by name, and that of the home, from the program.
pub fn roots(home: &Path) -> BTreeMap<String, Value> {
    let value = run(&["root", text(home), "--json"]).ok().json();
    let databases = value["databases"].as_array().expect("a list").iter();
    let by_name = databases.map(|found| {
        assert_eq!(found["not_understood_total"], 0, "{found}");
        (found["name"].as_str().expect("a string").to_owned(), found["root"].clone())
    });
    by_name.chain([("all".to_owned(), value["root"].clone())]).collect()
}

/// Keys and digest of every database by folder name, from upstream's own libraries.
pub fn expected(oracle: &Value) -> BTreeMap<String, (u64, String)> {
    let entry = |dir: &str, found: &Value, digest: &str| {
        (
            dir.to_owned(),
            (found["keys"].as_u64().expect("a number"), found[digest].as_str().expect("a digest").to_owned()),
        )
    };
    match &oracle["databases"] {
        Value::Array(list) => {
            list.iter().map(|found| entry(found["dir"].as_str().expect("a name"), found, "sha256")).collect()
        }
        Value::Object(map) => map.iter().map(|(dir, found)| entry(dir, found, "stream_sha256")).collect(),
        other => panic!("not an oracle: {other}"),
    }
}

/// Engines of the databases by folder name, from the program.
pub fn engines(home: &Path) -> BTreeMap<String, String> {
    let value = run(&["inspect", text(home), "--json"]).ok().json();
    let databases = value["databases"].as_array().expect("a list").iter();
    databases
        .map(|found| {
            let field = |name: &str| found[name].as_str().expect("a string").to_owned();
            (field("dir"), field("engine"))
        })
        .collect()
}

/// Everything below a folder that a change would show in: names, kinds, sizes, times, content.
/// The tool's own workspace is left out.
pub fn tree(root: &Path) -> BTreeMap<PathBuf, (u64, i64, i64, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("lists") {
            let path = entry.expect("lists").path();
            if path.file_name().is_some_and(|name| name == ".node-migrate") {
                continue;
            }
            let meta = path.symlink_metadata().expect("is there");
            let content = if meta.is_file() { fs::read(&path).expect("reads") } else { Vec::new() };
            let size = if meta.is_file() { meta.len() } else { 0 };
            found.insert(path.clone(), (size, meta.mtime(), meta.mtime_nsec(), content));
            if meta.is_dir() {
                open.push(path);
            }
        }
    }
    found
}

fn log_of(database: &Path) -> PathBuf {
    let logs = fs::read_dir(database).expect("lists").map(|entry| entry.expect("lists").path());
    logs.filter(|path| path.extension().is_some_and(|extension| extension == "log")).max().expect("has a log")
}

/// Changes a stopped source as a node does that runs and stops: its log grows.
pub fn let_the_source_move(home: &Path) {
    let log = log_of(&home.join("data/blockstore.db"));
    OpenOptions::new().append(true).open(log).expect("opens").write_all(&[0; 64]).expect("writes");
}

/// Puts a Pebble block store with more heights into the live folder, as a node leaves it that went on
/// after the cut-over (it is another home's store, which serves for a comparison of heights).
pub fn let_the_blocks_grow(home: &Path) {
    let ahead = crate::fixture::Fixture::unpack("cometbft-0.38-pebble");
    let live = home.join("data/blockstore.db");
    for entry in fs::read_dir(&live).expect("lists") {
        fs::remove_file(entry.expect("lists").path()).expect("removes");
    }
    for entry in fs::read_dir(ahead.home().join("data/blockstore.db")).expect("lists") {
        let entry = entry.expect("lists");
        fs::copy(entry.path(), live.join(entry.file_name())).expect("copies");
    }
}
