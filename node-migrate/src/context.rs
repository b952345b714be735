//! What the world lends to a run: the clock, the limits, the wish to stop, somebody who listens.
//!
//! Libraries take these as arguments, so that they can be tested without a terminal or a clock.

use std::sync::atomic::{AtomicBool, Ordering};

/// Listens to progress. Implementations may print; nobody else does.
pub trait Listener: Sync {
    /// A phase begins, with the bytes it will go through (0 = not known).
    fn begin(&self, phase: &str, bytes: u64);
    /// So many more bytes and rows are through.
    fn advance(&self, bytes: u64, rows: u64);
    /// The phase is over.
    fn end(&self);
    /// Something a person should read now.
    fn say(&self, text: &str);
}

/// Listens to nothing.
#[derive(Debug)]
pub struct Silence;

impl Listener for Silence {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64, _: u64) {}
    fn end(&self) {}
    fn say(&self, _: &str) {}
}

/// Limits and surroundings of a run.
pub struct Context<'a> {
    /// The time, RFC 3339 in UTC, for the journal.
    pub now: fn() -> String,
    /// Worker threads.
    pub workers: usize,
    /// Bytes of memory for the whole process.
    pub memory_bytes: u64,
    /// Set when the user asked to stop: work ends at the next safe point.
    pub stop: &'a AtomicBool,
    /// Who hears about progress.
    pub listener: &'a dyn Listener,
}

/// The user asked to stop, and the work stands at a safe point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped on request; all finished work is kept")]
pub struct Interrupted;

impl Context<'_> {
    /// Goes on unless the user asked to stop.
    ///
    /// # Errors
    /// [`Interrupted`] when so asked.
    pub fn go_on(&self) -> Result<(), Interrupted> {
        if self.stop.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }

    /// Bytes that one open database may use for caching blocks.
    #[must_use]
    pub fn cache_bytes(&self) -> u64 {
        (self.memory_bytes / 16).max(1 << 20)
    }

    /// Workers that fit the memory: each needs up to 48 MiB for its tables in hand.
    #[must_use]
    pub fn workers_in_memory(&self) -> usize {
        let fit = usize::try_from(self.memory_bytes / (48 << 20)).unwrap_or(usize::MAX);
        self.workers.clamp(1, fit.max(1))
    }
}
