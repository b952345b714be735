//! Four nodes on shipped homes: `val0` to `val3` in one folder, with a service manager and stand-ins for their RPC.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use crate::fixture::Fixture;
use crate::program::executable;
use crate::stand_in::StandIn;

const HOME: &str = "cometbft-0.38-goleveldb-onelog";

/// A node runs while its file is there. It is never started twice, and a broken one does not start on Pebble.
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "$1" >>"$2.calls"
case $1 in
    start)
        [ ! -e "$2.up" ] || { echo "$2 runs already" >&2; exit 1; }
        if [ -e "$2.broken" ] && grep -q '^db_backend = "pebbledb"' "$2/config/config.toml"; then exit 1; fi
        : >"$2.up"
        ;;
    stop) rm -f "$2.up" ;;
    is-active) [ -e "$2.up" ] ;;
esac
"#;

/// The nodes, all running.
pub struct Fleet {
    folder: tempfile::TempDir,
    _homes: Vec<Fixture>,
    _network: StandIn,
}

impl Fleet {
    /// The nodes' RPC is at port 26657 of 127.0.`net`.1 to .4.
    pub fn new(net: u8) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let homes: Vec<Fixture> = (0..4).map(|_| Fixture::unpack(HOME)).collect();
        let mut nodes = Vec::new();
        for (number, fixture) in homes.iter().enumerate() {
            symlink(fixture.home(), at(&format!("val{number}"))).expect("links");
            fs::write(at(&format!("val{number}.up")), "").expect("writes");
            nodes.push((format!("127.0.{net}.{}:26657", number + 1), at(&format!("val{number}.up"))));
        }
        fs::create_dir(at("bin")).expect("a folder");
        executable(&at("bin/systemctl"), SYSTEMCTL);
        symlink(env!("CARGO_BIN_EXE_node-migrate"), at("bin/node-migrate")).expect("links");
        Self { _network: StandIn::start(&nodes), _homes: homes, folder }
    }

    /// A file or home of the fleet.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The text of a file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A command with the program and the service manager on its path.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let path = format!("{}:{}", self.at("bin").display(), std::env::var("PATH").expect("a path"));
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).env("PATH", path).env_remove("NODE_MIGRATE_FAULT");
        command
    }
}
