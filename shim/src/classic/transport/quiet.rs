//! At most a few refusals a second are told one by one; the rest are counted and told with the next.
//!
//! Anybody can make refusals by the thousand: they must not fill the log, nor the queue of the service.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Told one by one within [`WINDOW`].
const TOLD_MAX: u32 = 10;
const WINDOW: Duration = Duration::from_secs(1);

/// Counts what was told lately.
#[derive(Debug, Default)]
pub struct Quiet {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    window: Option<Instant>,
    told: u32,
    untold: u64,
}

impl Quiet {
    /// What to tell now: `reason`, with the number of refusals before it that were not told; `None` for nothing.
    pub fn tell(&self, reason: &str, now: Instant) -> Option<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.window.is_none_or(|begin| now.saturating_duration_since(begin) >= WINDOW) {
            state.window = Some(now);
            state.told = 0;
        }
        if state.told >= TOLD_MAX {
            state.untold = state.untold.saturating_add(1);
            return None;
        }
        state.told += 1;
        match std::mem::take(&mut state.untold) {
            0 => Some(reason.to_owned()),
            untold => Some(format!("{reason} (and {untold} refusals before it that were not told one by one)")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_told_by_number() {
        let (quiet, start) = (Quiet::default(), Instant::now());
        let told = (0..1_000).filter_map(|_| quiet.tell("full", start)).collect::<Vec<_>>();
        assert_eq!(told, ["full"; 10]);
        let later = quiet.tell("full", start + WINDOW).expect("told");
        assert_eq!(later, "full (and 990 refusals before it that were not told one by one)");
        assert_eq!(quiet.tell("full", start + WINDOW).as_deref(), Some("full"));
    }
}
