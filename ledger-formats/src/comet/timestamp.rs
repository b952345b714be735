//! Points in time as protobuf's `Timestamp`: seconds since 1970 and nanoseconds.
//!
//! The bounds are those of Go's protobuf, so that no time is accepted here that a node would refuse.

use proofs::commit::Timestamp;

use super::error::DecodeError;
use super::wire::{Decode, Reader, put_int};

/// Go's zero time, 0001-01-01T00:00:00Z, which stands in absent signatures; no earlier time is valid.
pub const GO_ZERO_TIME: Timestamp = Timestamp { seconds: -62_135_596_800, nanos: 0 };

/// First second that is not valid any more: 10000-01-01T00:00:00Z.
const SECONDS_END: i64 = 253_402_300_800;
const NANOS_PER_SECOND: i32 = 1_000_000_000;

/// Appends the fields of the message.
pub fn put_timestamp(out: &mut Vec<u8>, time: Timestamp) {
    put_int(out, 1, time.seconds);
    put_int(out, 2, i64::from(time.nanos));
}

impl<'a> Decode<'a> for Timestamp {
    const NAME: &'static str = "Timestamp";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut time = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => {
                    time.seconds = field.i64("seconds")?;
                    if !(GO_ZERO_TIME.seconds..SECONDS_END).contains(&time.seconds) {
                        return Err(field.range("seconds", "a second of the years 1 to 9999", time.seconds.into()));
                    }
                }
                2 => {
                    time.nanos = field.i32("nanos")?;
                    if !(0..NANOS_PER_SECOND).contains(&time.nanos) {
                        return Err(field.range("nanos", "0 to 999,999,999", time.nanos.into()));
                    }
                }
                _ => {}
            }
        }
        Ok(time)
    }
}
