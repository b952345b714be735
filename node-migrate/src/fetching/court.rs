//! Blocks on their way from the network's threads to the caller who proves them, and the verdicts back.
//!
//! The caller's `take` belongs to its thread; the network has threads of its own. One block at a time goes over, with
//! a way back for the verdict, so that whoever brought it waits and nothing piles up.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::mending::{Fetched, NotTaken, Wanted};

/// How often the caller looks whether it should stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Blocks and words that may wait for the caller.
const WAITING_MAX: usize = 16;

/// What the caller hears.
pub(super) enum Said {
    /// A block, and who waits for its verdict.
    Block { fetched: Box<Fetched>, verdict: SyncSender<Result<(), NotTaken>> },
    /// Something that a person should read.
    Words(String),
    /// Nothing for a moment.
    Nothing,
}

/// The network's side.
#[derive(Clone)]
pub(super) struct Court {
    said: SyncSender<Said>,
    left: Arc<Mutex<Wanted>>,
}

/// The caller's side.
pub(super) struct Bench {
    heard: Receiver<Said>,
    left: Arc<Mutex<Wanted>>,
}

/// Both sides.
pub(super) fn open(wanted: Wanted) -> (Court, Bench) {
    let (said, heard) = sync_channel(WAITING_MAX);
    let left = Arc::new(Mutex::new(wanted));
    (Court { said, left: Arc::clone(&left) }, Bench { heard, left })
}

impl Court {
    /// Has a block judged. Blocks the thread.
    pub(super) fn judge(&self, fetched: Fetched) -> Result<(), NotTaken> {
        let height = fetched.height;
        let (verdict, judged) = sync_channel(1);
        let said = self.said.send(Said::Block { fetched: Box::new(fetched), verdict });
        // A caller that is gone takes nothing; nobody is to blame for that.
        said.ok().and_then(|()| judged.recv().ok()).unwrap_or(Err(NotTaken::TooEarly { height }))
    }

    /// Tells the caller something. Words that find no room are lost, for nobody may wait here.
    pub(super) fn say(&self, words: String) {
        let _ = self.said.try_send(Said::Words(words));
    }

    /// What is still wanted.
    pub(super) fn left(&self) -> MutexGuard<'_, Wanted> {
        lock(&self.left)
    }

    /// Whether everything was taken.
    pub(super) fn is_done(&self) -> bool {
        self.left().heights.is_empty()
    }
}

impl Bench {
    /// What comes next; `None` when nobody is left to say anything.
    pub(super) fn next(&self) -> Option<Said> {
        match self.heard.recv_timeout(LOOK_EVERY) {
            Ok(said) => Some(said),
            Err(RecvTimeoutError::Timeout) => Some(Said::Nothing),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Notes that a height was taken.
    pub(super) fn taken(&self, height: u64) {
        lock(&self.left).remove(height);
    }
}

fn lock(left: &Mutex<Wanted>) -> MutexGuard<'_, Wanted> {
    // Heights are only ever removed, one by one: nothing is left half-done by a panic.
    left.lock().unwrap_or_else(PoisonError::into_inner)
}
