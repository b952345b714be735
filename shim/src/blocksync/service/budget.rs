//! Memory for blocks on their way from the store to a peer.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The unit that is counted in.
const UNIT_BYTES: usize = 1_024;
/// Blocks that are read at once: each may pass the budget while its size is not known.
const READERS: usize = 2;

/// A budget of bytes.
#[derive(Debug)]
pub struct Budget {
    units: u32,
    bytes: Arc<Semaphore>,
    readers: Arc<Semaphore>,
}

/// Bytes of the budget, given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    _permit: OwnedSemaphorePermit,
}

impl Budget {
    /// A budget of so many bytes; a block that is larger takes all of it.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let units = u32::try_from((bytes / UNIT_BYTES).max(1)).unwrap_or(u32::MAX).min(1 << 28);
        let permits = usize::try_from(units).expect("at most 2^28");
        Self { units, bytes: Arc::new(Semaphore::new(permits)), readers: Arc::new(Semaphore::new(READERS)) }
    }

    /// Reads something by `read`, whose size `size` tells, and waits until there is memory to keep it.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
        size: impl FnOnce(&T) -> usize,
    ) -> Option<(T, Share)> {
        let _reader = self.readers.acquire().await.ok()?;
        let read = tokio::task::spawn_blocking(read).await.ok()?;
        let units = u32::try_from(size(&read).div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).min(self.units);
        let permit = Arc::clone(&self.bytes).acquire_many_owned(units).await.ok()?;
        Some((read, Share { _permit: permit }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_waits_until_something_is_given_back() {
        let budget = Budget::new(10 * UNIT_BYTES);
        let read = |bytes: usize| budget.read(move || vec![0_u8; bytes], Vec::len);
        let (_, first) = read(6 * UNIT_BYTES).await.expect("fits");
        let (_, second) = read(4 * UNIT_BYTES).await.expect("fits");
        assert!(timeout(Duration::from_millis(50), read(1)).await.is_err(), "all is taken");
        drop(first);
        let (_, third) = read(6 * UNIT_BYTES).await.expect("fits again");
        drop((second, third));
        let (large, _) = read(100 * UNIT_BYTES).await.expect("larger than all: takes all");
        assert_eq!(large.len(), 100 * UNIT_BYTES);
    }
}
