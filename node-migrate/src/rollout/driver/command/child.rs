//! Commands as children: in a process group of their own, with a deadline, their words kept in a file.
//!
//! # Correctness
//! A child's number and start time stand in a file while it runs. A controller that finds such a child of
//! a dead one still at work waits for it, instead of beginning the same a second time beside it. No child
//! begins before that file is durable: it waits for a word from its controller, and ends when that dies first.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ledger_formats::durable::{self, DurableError};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::rollout::plan::NodeName;

/// Waits for a line from the controller and becomes the command, which then reads nothing.
const WHEN_TOLD: &str = r#"read -r _ && exec "$@" </dev/null"#;

/// Between two looks at a child.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Between two looks for an answer.
const ANSWER_EVERY: Duration = Duration::from_millis(5);

/// From the polite signal to the other one.
const POLITE: Duration = Duration::from_secs(10);

/// Longest answer to a question.
const QUESTION: Duration = Duration::from_secs(5);

/// Of what a child said, so much goes to the log.
const TAIL_BYTES: u64 = 2000;

/// Runs commands.
#[derive(Debug)]
pub(super) struct Children {
    pub(super) program: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) stop: Arc<AtomicBool>,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// `None` when it was killed.
    pub(super) code: Option<i32>,
    /// In words.
    pub(super) how: String,
    /// The end of what it said.
    pub(super) said: String,
}

impl Ended {
    pub(super) fn is_ok(&self) -> bool {
        self.code == Some(0)
    }
}

/// Why a command could not be run.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChildError {
    #[error("cannot run {program}: {source}")]
    Run { program: String, source: io::Error },
    #[error(transparent)]
    Durable(#[from] DurableError),
}

impl Children {
    /// Runs this program.
    pub(super) fn program(&self, node: &NodeName, arguments: &[&str], end: Instant) -> Result<Ended, ChildError> {
        let mut command = when_told(&self.program);
        command.args(arguments);
        self.run(node, command, end, true)
    }

    /// Runs a line of shell.
    pub(super) fn shell(&self, node: &NodeName, line: &str, end: Instant) -> Result<Ended, ChildError> {
        let mut command = when_told(Path::new("sh"));
        command.arg("-c").arg(line);
        self.run(node, command, end, false)
    }

    fn run(&self, node: &NodeName, mut command: Command, end: Instant, stoppable: bool) -> Result<Ended, ChildError> {
        durable::create_dir_all(&self.folder)?;
        let path = self.folder.join(format!("{node}.out"));
        let run = |source| ChildError::Run { program: command_name(&command), source };
        let output = File::options().create(true).read(true).append(true).open(&path).map_err(run)?;
        let begin = output.metadata().map_err(run)?.len();
        let (out, err) = (output.try_clone().map_err(run)?, output.try_clone().map_err(run)?);
        command.stdin(Stdio::piped()).stdout(out).stderr(err).process_group(0);
        let mut child =
            command.spawn().map_err(|source| ChildError::Run { program: command_name(&command), source })?;
        let mark = self.mark(node);
        durable::write_file(&mark, identity(child.id()).as_bytes())?;
        // One that does not listen has ended, which is seen below.
        let _ = child.stdin.take().map(|mut told| told.write_all(b"\n"));
        let waited = self.wait(&mut child, end, stoppable);
        durable::remove_file(&mark)?;
        let (status, how) = waited.map_err(|source| ChildError::Run { program: command_name(&command), source })?;
        Ok(Ended { code: status.code(), how, said: tail(output, begin) })
    }

    fn wait(&self, child: &mut Child, end: Instant, stoppable: bool) -> io::Result<(ExitStatus, String)> {
        let mut asked: Option<(Instant, &str)> = None;
        loop {
            if let Some(status) = child.try_wait()? {
                let why = asked.map(|(_, why)| format!(", {why}")).unwrap_or_default();
                return Ok((status, format!("{status}{why}")));
            }
            let now = Instant::now();
            match asked {
                None if now >= end => asked = Some((now, "ended because its time was over")),
                None if stoppable && self.stop.load(Ordering::SeqCst) => asked = Some((now, "ended on request")),
                Some((since, _)) if now.duration_since(since) >= POLITE => signal(child, Signal::KILL),
                _ => {}
            }
            if asked.is_some_and(|(since, _)| since == now) {
                signal(child, Signal::TERM);
            }
            sleep(LOOK_EVERY);
        }
    }

    /// A child of an earlier controller that still runs, in words.
    pub(super) fn still_at_work(&self, node: &NodeName) -> Option<String> {
        let mark = fs::read_to_string(self.mark(node)).ok()?;
        let (pid, _) = mark.split_once(' ')?;
        let pid: u32 = pid.parse().ok()?;
        (identity(pid) == mark)
            .then(|| format!("a command that an earlier controller began is still at work (pid {pid})"))
    }

    fn mark(&self, node: &NodeName) -> PathBuf {
        self.folder.join(format!("{node}.child"))
    }
}

/// Whether a line of shell succeeds; `None` when it cannot be run or does not answer in time.
pub(super) fn ask(line: &str) -> Option<bool> {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().ok()?;
    let end = Instant::now() + QUESTION;
    loop {
        if let Some(status) = child.try_wait().ok()? {
            return Some(status.success());
        }
        if Instant::now() >= end {
            signal(&child, Signal::KILL);
            child.wait().ok()?;
            return None;
        }
        sleep(ANSWER_EVERY);
    }
}

fn when_told(program: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", WHEN_TOLD, "sh"]).arg(program);
    command
}

fn command_name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// A process by its number and its start, in clock ticks since boot (proc(5), field 22): a number alone
/// may have been given again.
fn identity(pid: u32) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, after)| after);
    // A zombie has ended; only its parent has not heard yet.
    let ended = after_name.trim_start().starts_with('Z');
    let start = after_name.split_whitespace().nth(19).filter(|_| !ended).unwrap_or("gone");
    format!("{pid} {start}")
}

fn signal(child: &Child, signal: Signal) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // One that has just ended needs no signal.
        let _ = kill_process_group(group, signal);
    }
}

/// The end of what was written from `begin` on.
fn tail(mut output: File, begin: u64) -> String {
    let mut bytes = Vec::new();
    let from = output.metadata().map_or(begin, |meta| meta.len().saturating_sub(TAIL_BYTES).max(begin));
    let read = output.seek(SeekFrom::Start(from)).and_then(|_| output.take(TAIL_BYTES).read_to_end(&mut bytes));
    match read {
        Ok(_) => {
            let text = String::from_utf8_lossy(&bytes);
            // A line whose beginning is cut off says nothing.
            let whole = if from > begin { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
            whole.trim().to_owned()
        }
        Err(error) => format!("(what it said cannot be read: {error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn children(dir: &tempfile::TempDir) -> Children {
        let folder = dir.path().join("out");
        Children { program: PathBuf::from("true"), folder, stop: Arc::default() }
    }

    fn node() -> NodeName {
        NodeName::try_from("val0".to_owned()).expect("a name")
    }

    fn in_ms(ms: u64) -> Instant {
        Instant::now() + Duration::from_millis(ms)
    }

    #[test]
    fn a_command_ends_with_its_code_and_its_words() {
        let dir = tempfile::tempdir().expect("a folder");
        let children = children(&dir);
        children.shell(&node(), "echo before", in_ms(60_000)).expect("runs");
        let ended = children.shell(&node(), "echo out; echo err >&2; exit 3", in_ms(60_000)).expect("runs");
        assert_eq!((ended.code, ended.said.as_str()), (Some(3), "out\nerr"));
        assert_eq!(children.still_at_work(&node()), None);
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended_with_all_that_it_began() {
        let dir = tempfile::tempdir().expect("a folder");
        let ended = children(&dir).shell(&node(), "sleep 600 & wait", in_ms(100)).expect("runs");
        assert_eq!(ended.code, None);
        assert!(ended.how.contains("time was over"), "{}", ended.how);
    }

    #[test]
    fn a_question_is_answered_or_given_up() {
        assert_eq!((ask("true"), ask("exit 3"), ask("kill -9 $$")), (Some(true), Some(false), Some(false)));
        assert_eq!(ask("sleep 600"), None);
    }

    #[test]
    fn a_child_whose_controller_dies_before_its_word_does_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("done");
        let untold = when_told(Path::new("touch")).arg(&file).stdin(Stdio::null()).status().expect("runs");
        assert!(!untold.success() && !file.exists());
        let mut told = when_told(Path::new("touch")).arg(&file).stdin(Stdio::piped()).spawn().expect("runs");
        told.stdin.take().expect("piped").write_all(b"\n").expect("listens");
        assert!(told.wait().expect("ends").success() && file.exists());
    }

    #[test]
    fn a_child_that_outlives_its_controller_is_seen() {
        let dir = tempfile::tempdir().expect("a folder");
        let children = children(&dir);
        fs::create_dir_all(&children.folder).expect("a folder");
        let mut orphan = Command::new("sleep").arg("600").spawn().expect("runs");
        fs::write(children.mark(&node()), identity(orphan.id())).expect("writes");
        assert!(children.still_at_work(&node()).expect("at work").contains(&orphan.id().to_string()));
        orphan.kill().expect("ends");
        // A zombie works no more, although its number is still taken.
        while children.still_at_work(&node()).is_some() {
            std::thread::yield_now();
        }
        orphan.wait().expect("ends");
        assert_eq!(children.still_at_work(&node()), None);
    }
}
