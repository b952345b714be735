//! Timers that are running, each kind at most once.

use mbft_types::Timeout;

use super::output::TimerId;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Armed {
    /// A timeout of the engine.
    Engine(Timeout),
    /// The wait for late votes.
    Commit,
    /// The look whether a decision is overdue.
    CatchUp,
}

/// The running timers.
#[derive(Debug, Default)]
pub(super) struct Timers {
    last: u64,
    running: Vec<(TimerId, Armed)>,
}

impl Timers {
    /// Sets a timer; one that runs for the same is replaced.
    pub(super) fn set(&mut self, armed: Armed) -> TimerId {
        self.cancel(|running| *running == armed);
        self.last += 1;
        let timer = TimerId(self.last);
        self.running.push((timer, armed));
        timer
    }

    /// What a timer that fired was for; `None` if it does not run any more.
    pub(super) fn fired(&mut self, timer: TimerId) -> Option<Armed> {
        let place = self.running.iter().position(|(running, _)| *running == timer)?;
        Some(self.running.remove(place).1)
    }

    /// Stops the timers that `which` picks.
    pub(super) fn cancel(&mut self, which: impl Fn(&Armed) -> bool) {
        self.running.retain(|(_, armed)| !which(armed));
    }
}

#[cfg(test)]
mod tests {
    use mbft_types::Round;

    use super::*;

    #[test]
    fn only_the_last_setting_of_a_timer_fires_and_only_once() {
        let mut timers = Timers::default();
        let propose = Armed::Engine(Timeout::propose(Round::new(0)));
        let (first, second, commit) = (timers.set(propose), timers.set(propose), timers.set(Armed::Commit));
        assert_eq!(timers.fired(first), None);
        assert_eq!(timers.fired(second), Some(propose));
        assert_eq!(timers.fired(second), None);
        timers.cancel(|armed| *armed == Armed::Commit);
        assert_eq!(timers.fired(commit), None);
    }
}
