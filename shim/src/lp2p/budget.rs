//! How much memory and time messages may take.
//!
//! Bytes are counted from their arrival until the service above has let go of the payload, so that a slow service makes
//! its peers wait instead of filling the memory.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

/// What every message may take, whatever its size, unless the options say otherwise. Nodes of Go give a stream as long.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The slowest sender that is put up with, in bytes a second.
const BYTES_A_SECOND_MIN: u32 = 64 << 10;

/// How long it may take until `bytes` have moved.
pub(super) fn allowance(patience: Duration, bytes: usize) -> Duration {
    patience + Duration::from_secs(1) * u32::try_from(bytes).unwrap_or(u32::MAX) / BYTES_A_SECOND_MIN
}

/// Memory for the messages of all peers together.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicUsize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(bytes) })
    }

    fn take(&self, bytes: usize) -> bool {
        self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(bytes)).is_ok()
    }
}

/// Memory taken from a [`Budget`], given back when dropped.
#[derive(Debug)]
pub(super) struct Charge {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Charge {
    pub(super) fn none(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget), bytes: 0 }
    }

    /// Takes more until it holds `bytes`; false, and unchanged, when there is not so much.
    pub(super) fn raise(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let taken = self.budget.take(more);
        if taken {
            self.bytes += more;
        }
        taken
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.bytes, Ordering::AcqRel);
    }
}

/// A payload together with what it holds of the budgets of its connection and of all of them.
struct Charged {
    buffer: Vec<u8>,
    payload: Range<usize>,
    _charge: Charge,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        self.buffer.get(self.payload.clone()).unwrap_or_default()
    }
}

/// The payload of a message; the budgets have their bytes back when the last clone of it is gone.
pub(super) fn charged(buffer: Vec<u8>, payload: Range<usize>, charge: Charge, room: OwnedSemaphorePermit) -> Bytes {
    Bytes::from_owner(Charged { buffer, payload, _charge: charge, _room: room })
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    #[test]
    fn a_payload_gives_its_bytes_back_when_the_last_clone_is_gone() {
        let budget = Budget::new(100);
        let semaphore = Arc::new(Semaphore::new(10));
        let mut charge = Charge::none(&budget);
        assert!(charge.raise(60) && charge.raise(90) && !charge.raise(101));
        let room = Arc::clone(&semaphore).try_acquire_many_owned(10).unwrap();
        let payload = charged(vec![1, 2, 3], 1..3, charge, room);
        let part = payload.slice(1..);
        drop(payload);
        assert_eq!((&part[..], budget.left.load(Ordering::Relaxed), semaphore.available_permits()), (&[3][..], 10, 0));
        drop(part);
        assert_eq!((budget.left.load(Ordering::Relaxed), semaphore.available_permits()), (100, 10));
    }

    #[test]
    fn large_messages_may_take_longer() {
        assert_eq!(allowance(PATIENCE, 0), PATIENCE);
        assert_eq!(allowance(PATIENCE, 64 << 20), PATIENCE + Duration::from_secs(1024));
    }
}
