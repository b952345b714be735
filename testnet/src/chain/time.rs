//! Points in time, in nanoseconds since 1970: what votes and headers carry.

use std::time::Duration;

use proofs::commit::Timestamp;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A point in time. Good for the years 1678 to 2262, far beyond any testnet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(
    /// Nanoseconds since 1970, negative before.
    pub i64,
);

impl Time {
    /// The form in which the chain writes it.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        let nanos = i32::try_from(self.0.rem_euclid(NANOS_PER_SECOND)).expect("less than a second");
        Timestamp { seconds: self.0.div_euclid(NANOS_PER_SECOND), nanos }
    }

    /// The time that the chain wrote; `None` outside of the years that fit.
    #[must_use]
    pub fn from_timestamp(timestamp: Timestamp) -> Option<Self> {
        let nanos = timestamp.seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(timestamp.nanos.into())?;
        Some(Self(nanos))
    }

    /// So much later, or the last time that fits.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; nothing if it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl std::fmt::Display for Time {
    /// RFC 3339 in UTC with all nine digits of the fraction.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Timestamp { seconds, nanos } = self.timestamp();
        let (year, month, day) = civil(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. Years are counted from March, so
/// that the leap day is the last of its year.
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_come_back_and_are_written_in_utc() {
        for (nanos, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (1_767_225_599_500_000_000, "2025-12-31T23:59:59.500000000Z"),
        ] {
            assert_eq!(Time(nanos).to_string(), text);
            assert_eq!(Time::from_timestamp(Time(nanos).timestamp()), Some(Time(nanos)));
        }
        assert_eq!(Time::from_timestamp(Timestamp { seconds: i64::MAX / 2, nanos: 0 }), None);
    }
}
