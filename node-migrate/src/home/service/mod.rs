//! Looks for flags and environment variables of the service that runs a node and would override its configuration files.
//!
//! A node that is started with `--db_backend goleveldb` opens its databases as goleveldb whatever `config.toml` says: the start guard
//! does not stop it, and after the cut-over it opens the new databases with the old engine. Nothing here fails: what cannot be read is
//! passed by, and what is found is for people to judge.

mod overrides;
mod processes;
mod units;

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Home;
use overrides::{Override, Runs};

/// The largest unit file, environment or command line that is looked at, in bytes.
const BYTES_MAX: u64 = 1 << 20;
/// The most entries of one folder that are looked at.
const ENTRIES_MAX: usize = 100_000;

/// Where to look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Folders of systemd units, the one that takes precedence first.
    pub unit_dirs: Vec<PathBuf>,
    /// The process file system, if processes are to be looked at.
    pub proc: Option<PathBuf>,
}

impl Places {
    /// The folders that systemd reads, the units of the user whose home folder is given among them, and `/proc`.
    #[must_use]
    pub fn of_system(user_home: Option<&Path>) -> Self {
        let system =
            ["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"];
        let user = ["/etc/systemd/user", "/usr/lib/systemd/user"];
        let own = user_home.map(|home| home.join(".config/systemd/user"));
        let unit_dirs = system.iter().map(PathBuf::from).chain(own).chain(user.iter().map(PathBuf::from)).collect();
        Self { unit_dirs, proc: Some(PathBuf::from("/proc")) }
    }
}

/// An override that was found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The unit file, environment file, or file of a process.
    pub file: PathBuf,
    /// The line in it, from 1, where it has lines.
    pub line: Option<usize>,
    /// What is there and what it does, a sentence without its full stop.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        self.line.iter().try_for_each(|line| write!(f, ":{line}"))?;
        write!(f, ": {}", self.text)
    }
}

/// Looks for overrides in unit files and in running processes that run `home`, or may do so.
#[must_use]
pub fn find_overrides(home: &Home, places: &Places) -> Vec<Finding> {
    let mut findings = units::find(&home.root, &places.unit_dirs);
    if let Some(proc) = &places.proc {
        findings.extend(processes::find(&home.root, proc));
    }
    findings
}

fn finding(file: &Path, line: Option<usize>, who: &str, runs: Runs, found: &Override) -> Finding {
    let condition = if runs == Runs::This { "" } else { ", if it runs this home" };
    Finding { file: file.to_path_buf(), line, text: format!("{who} {found}{condition}") }
}

/// The file's text, or nothing when it cannot be read or is too large.
fn text_of(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(BYTES_MAX + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= BYTES_MAX).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// The names in a folder, sorted; none when it cannot be listed.
fn names_in(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.take(ENTRIES_MAX).flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}
