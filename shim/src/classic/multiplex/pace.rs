//! How fast a connection may send: so many bytes a second, with bursts of a tenth of a second.

use std::time::{Duration, Instant};

/// Bytes a second that are allowed, and when the next may go.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    bytes_per_second: u64,
    /// When everything sent so far would have gone at exactly the rate.
    due: Option<Instant>,
}

/// How far sending may run ahead of the rate.
const BURST: Duration = Duration::from_millis(100);

impl Pace {
    /// At most so many bytes a second; 0 for no limit.
    #[must_use]
    pub const fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second, due: None }
    }

    /// Notes that `bytes` were sent, and says how long to wait before the next.
    pub fn sent(&mut self, bytes: usize, now: Instant) -> Duration {
        if self.bytes_per_second == 0 {
            return Duration::ZERO;
        }
        let nanos = (bytes as u128 * 1_000_000_000) / u128::from(self.bytes_per_second);
        let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        // Time in which nothing was sent is not saved up.
        let due = self.due.unwrap_or(now).max(now) + takes;
        self.due = Some(due);
        due.saturating_duration_since(now).saturating_sub(BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_flow_at_the_rate_after_a_burst() {
        let mut pace = Pace::new(1_000_000);
        let start = Instant::now();
        let mut now = start;
        for _ in 0..1_000 {
            now += pace.sent(10_000, now);
        }
        assert_eq!(now - start, Duration::from_millis(10_000 - 100));
        now += Duration::from_secs(3_600);
        assert_eq!(pace.sent(100_000, now), Duration::ZERO, "one burst after a pause");
        assert_eq!(pace.sent(10_000, now), Duration::from_millis(10), "and not more");
    }

    #[test]
    fn no_limit_never_waits() {
        assert_eq!(Pace::new(0).sent(usize::MAX, Instant::now()), Duration::ZERO);
    }
}
