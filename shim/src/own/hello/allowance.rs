//! How much a peer may ask for: so many at once, and one more each time an interval has passed.

use std::time::Duration;

/// A bucket of tokens.
#[derive(Clone, Debug)]
pub struct Allowance {
    burst: u32,
    interval: Duration,
    left: u32,
    since: Duration,
}

impl Allowance {
    /// `burst` at once, and one each `interval`, which is not zero.
    #[must_use]
    pub const fn new(burst: u32, interval: Duration, now: Duration) -> Self {
        Self { burst, interval, left: burst, since: now }
    }

    /// Takes one, where there is one.
    pub fn take(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.since);
        let earned = passed.as_nanos() / self.interval.as_nanos().max(1);
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(u32::MAX);
            self.left = self.burst.min(self.left.saturating_add(earned));
            self.since = if self.left == self.burst { now } else { self.since + self.interval * earned };
        }
        let has_one = self.left > 0;
        self.left -= u32::from(has_one);
        has_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_an_interval() {
        let seconds = Duration::from_secs;
        let mut allowance = Allowance::new(3, seconds(2), seconds(10));
        let mut taken = |now| allowance.take(seconds(now));
        assert_eq!([taken(10), taken(10), taken(10), taken(10)], [true, true, true, false]);
        assert_eq!([taken(11), taken(12), taken(13), taken(14)], [false, true, false, true]);
        assert_eq!([taken(1_000), taken(1_000), taken(1_000), taken(1_000)], [true, true, true, false]);
        assert!(!taken(0));
    }
}
