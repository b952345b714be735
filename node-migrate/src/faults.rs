//! Crash and fault tests of the shipped program: `NODE_MIGRATE_FAULT=crash@N` ends the process without
//! warning before its N-th durable step (from 1), `enospc@N` lets that step and all later ones find the
//! disk full, `count@PATH` writes to PATH how many steps there were. Without the variable nothing here runs.
//!
//! It is in the program itself, not in a test build: what is proven safe is what operators run.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use ledger_formats::durable;

/// The variable that asks for a fault.
const VARIABLE: &str = "NODE_MIGRATE_FAULT";

static STEPS: AtomicU64 = AtomicU64::new(0);

/// Installs the fault that the environment asks for, if any.
///
/// # Errors
/// When the variable cannot be understood.
pub(crate) fn install() -> Result<(), String> {
    let Some(text) = std::env::var_os(VARIABLE) else { return Ok(()) };
    let text = text.to_string_lossy().into_owned();
    let wrong = || format!("{VARIABLE}={text} is not crash@N, enospc@N or count@PATH");
    let (kind, value) = text.split_once('@').ok_or_else(wrong)?;
    let number = || value.parse::<u64>().map_err(|_| wrong());
    match kind {
        "crash" => {
            let at = number()?;
            durable::observe(Box::new(move |_, _| if next() == at { die() } else { Ok(()) }));
        }
        "enospc" => {
            let at = number()?;
            durable::observe(Box::new(move |name, _| {
                let frees = name.starts_with("remove");
                if next() >= at && !frees { Err(io::Error::from_raw_os_error(28)) } else { Ok(()) }
            }));
        }
        "count" => {
            let path = PathBuf::from(value);
            durable::observe(Box::new(move |_, _| std::fs::write(&path, next().to_string())));
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

fn next() -> u64 {
    STEPS.fetch_add(1, Ordering::SeqCst) + 1
}

/// Ends the process as a power cut would: no destructor, no flush, no message.
fn die() -> io::Result<()> {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    // SIGKILL cannot be handled: nothing runs after it.
    loop {
        std::thread::park();
    }
}
