//! Nodes of a network of processes: made, run, started, stopped, looked at, damaged.
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a program's log and output")]

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use testnet::chain::Time;
use testnet::local::{self, Layout, Stage};
use testnet::node::{Level, run};
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::cli::{LocalArguments, NodeArguments};

/// What a command comes to.
pub(crate) type Done = Result<(), Box<dyn Error>>;

/// Time for what is under way to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Exit code of a command that a signal ended.
const INTERRUPTED: i32 = 130;

/// Says what went wrong, and gives the exit code.
pub(crate) fn end(done: Done) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(Level::Error, &error.to_string());
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn local(arguments: &LocalArguments) -> Done {
    let file = &arguments.scenario;
    let scenario = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let begin = Instant::now();
    let absolute = |path: &Path| std::path::absolute(path);
    let (folder, report) = (absolute(&arguments.folder)?, absolute(&arguments.report)?);
    let networks = folder.clone();
    ctrlc::set_handler(move || {
        local::end_all(&networks);
        std::process::exit(INTERRUPTED);
    })?;
    local::play(&Stage {
        scenario: &scenario,
        folder: &folder,
        report: &report,
        program: &std::env::current_exe()?,
        node_migrate: &absolute(&arguments.node_migrate)?,
        now,
        tell: |line| println!("{line}"),
    })?;
    println!("ok: all scenes in {} s; reviews and comparison are in {}", begin.elapsed().as_secs(), report.display());
    Ok(())
}

pub(crate) fn make(scenario: &Path, folder: &Path) -> Done {
    let text = std::fs::read_to_string(scenario).map_err(|error| format!("{}: {error}", scenario.display()))?;
    Layout::create(folder, &text, now())?;
    Ok(())
}

pub(crate) fn validator(arguments: &NodeArguments) -> Done {
    let given = Layout::open(&arguments.folder)?.given(&arguments.node, now, tell)?;
    let (stop, stopped) = watch::channel(false);
    ctrlc::set_handler(move || {
        stop.send_replace(true);
    })?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(async { tokio::spawn(run(given, stopped)).await });
    runtime.shutdown_timeout(FAREWELL);
    Ok(done??)
}

pub(crate) fn start(arguments: &NodeArguments) -> Done {
    let layout = Layout::open(&arguments.folder)?;
    Ok(local::start(&layout, &arguments.node, &std::env::current_exe()?)?)
}

pub(crate) fn stop(arguments: &NodeArguments) -> Done {
    Ok(local::stop(&Layout::open(&arguments.folder)?, &arguments.node)?)
}

pub(crate) fn damage(arguments: &NodeArguments) -> Done {
    local::damage_once(&Layout::open(&arguments.folder)?.home(&arguments.node))?;
    Ok(())
}

/// What the chain writes for now.
fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// A line of the log, marked as a node of CometBFT marks it.
fn tell(level: Level, line: &str) {
    let mark = match level {
        Level::Info => 'I',
        Level::Error => 'E',
    };
    eprintln!("{mark}[{}] {line}", now());
}
