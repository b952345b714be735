//! What the commands take from the world: clock, cores, signals, the terminal. Nothing below knows them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use node_migrate::context::Context;
use node_migrate::home::{self, Home};

use crate::cli::Global;
use crate::error::{AppError, Kind};
use crate::output::{Output, Progress};

/// The world as one command sees it.
pub(crate) struct Surroundings {
    pub(crate) output: Output,
    workers: usize,
    memory_bytes: u64,
    stop: Arc<AtomicBool>,
    progress: Progress,
}

impl Surroundings {
    /// Reads the world and begins to listen for signals.
    pub(crate) fn of(global: &Global, output: Output) -> Result<Self, AppError> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let stop = Arc::new(AtomicBool::new(false));
        listen(&stop)?;
        let workers = global.workers.map_or(cores, usize::from);
        // What is looked through before there is a context: the survey of a plan.
        rayon::ThreadPoolBuilder::new()
            .num_threads(workers)
            .build_global()
            .map_err(|error| AppError::new(Kind::System, format!("cannot start {workers} worker threads: {error}")))?;
        Ok(Self { output, workers, memory_bytes: global.memory << 20, stop, progress: output.progress() })
    }

    /// What the library gets of it.
    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            now: || jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            workers: self.workers,
            memory_bytes: self.memory_bytes,
            stop: &self.stop,
            listener: &self.progress,
        }
    }

    /// The wish to stop, for those who outlive a borrow.
    pub(crate) fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Where scratch copies go when none can be made beside a database.
    pub(crate) fn temporary(&self) -> PathBuf {
        std::env::temp_dir()
    }

    /// Opens a home.
    pub(crate) fn home(&self, path: &Path) -> Result<Home, AppError> {
        Ok(Home::open(path)?)
    }

    /// Opens a home whose node must not be running.
    pub(crate) fn stopped_home(&self, path: &Path) -> Result<Home, AppError> {
        let home = self.home(path)?;
        let running = home::node_process::running(&home);
        let Some(first) = running.first() else { return Ok(home) };
        let mut message = format!("the node is running: {first}");
        for other in running.iter().skip(1) {
            message.push_str(&format!("\n       {other}"));
        }
        Err(AppError::new(Kind::Running, message)
            .hint("stop it (and its service manager's restart), then give the command again"))
    }
}

/// The first signal asks for a stop at the next safe point; the second ends at once, which is safe
/// too, but repeats the work in hand.
fn listen(stop: &Arc<AtomicBool>) -> Result<(), AppError> {
    let flag = Arc::clone(stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .map_err(|error| AppError::new(Kind::System, format!("cannot listen for signals: {error}")))
}
