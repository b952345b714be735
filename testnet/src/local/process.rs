//! A node's process, started and stopped as a service manager does it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ledger_formats::durable::{self, DurableError};
use rustix::process::{Pid, Signal, kill_process};

use super::layout::Layout;

/// Between two looks at a process that is to end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long a process may take to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// Of a log so much is told.
const WORDS_BYTES: u64 = 400;

/// Why a process could not be started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// It cannot be started.
    #[error("cannot start {}: {source}", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Its number cannot be kept.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// It ended at once.
    #[error("{node} ended at its start, {status}: {words}")]
    Ended {
        /// Whose.
        node: String,
        /// How.
        status: ExitStatus,
        /// The end of its log.
        words: String,
    },
    /// It runs and does not come up.
    #[error("{node} is not up after {PATIENCE:?}; its log may say why")]
    Silent {
        /// Whose.
        node: String,
    },
    /// It does not end.
    #[error("process {pid} of {node} does not end")]
    Endless {
        /// Its number.
        pid: i32,
        /// Whose.
        node: String,
    },
}

/// Starts a node by `program`, this very one, and waits until it is up. It is in a process group of its own, so that no signal to
/// whoever started it ends the node.
///
/// # Errors
/// [`ProcessError`].
pub fn start(layout: &Layout, node: &str, program: &Path) -> Result<(), ProcessError> {
    let failed = |source| ProcessError::Start { program: program.to_owned(), source };
    let log = File::options().create(true).append(true).open(layout.log(node)).map_err(failed)?;
    let mut child = Command::new(program)
        .arg("validator")
        .arg(&layout.folder)
        .arg(node)
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    durable::write_file(&layout.pid(node), child.id().to_string().as_bytes())?;
    // As a service manager that is told when the service is up: one that ends at once was not started.
    let place = layout.scenario.node(node).map_or(0, |(place, _)| place);
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(layout.rpc(place)).is_err() {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Err(ProcessError::Ended { node: node.to_owned(), status, words: last_words(&layout.log(node)) });
        }
        if Instant::now() >= end {
            return Err(ProcessError::Silent { node: node.to_owned() });
        }
        sleep(LOOK_EVERY);
    }
    Ok(())
}

/// The last lines of a log.
fn last_words(log: &Path) -> String {
    let read = || {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(WORDS_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map(|_| String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    read().unwrap_or_else(|error: std::io::Error| format!("its log cannot be read: {error}"))
}

/// Asks a node to end, and waits until it has.
///
/// # Errors
/// [`ProcessError`].
pub fn stop(layout: &Layout, node: &str) -> Result<(), ProcessError> {
    let end = Instant::now() + PATIENCE;
    let Some(pid) = running(layout, node) else { return Ok(()) };
    // One that has ended by now is what was asked for.
    let _ = kill_process(pid, Signal::TERM);
    while running(layout, node).is_some() {
        if Instant::now() >= end {
            return Err(ProcessError::Endless { pid: pid.as_raw_nonzero().get(), node: node.to_owned() });
        }
        sleep(LOOK_EVERY);
    }
    Ok(())
}

/// The process of a node: one that is there, is no zombie, and was started for this network.
fn running(layout: &Layout, node: &str) -> Option<Pid> {
    let number: i32 = std::fs::read_to_string(layout.pid(node)).ok()?.trim().parse().ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // Behind the name in parentheses, which may hold anything.
    let state = stat.rsplit_once(") ")?.1.chars().next()?;
    let words = std::fs::read(format!("/proc/{number}/cmdline")).ok()?;
    let mut words = words.split(|byte| *byte == 0).skip(2);
    let folder = layout.folder.as_os_str().as_encoded_bytes();
    let is_it = words.next() == Some(folder) && words.next() == Some(node.as_bytes());
    (state != 'Z' && is_it).then(|| Pid::from_raw(number)).flatten()
}
