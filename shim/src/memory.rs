//! Memory that payloads may take until their service has let go of them, however long that takes.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A number of bytes; cheap to clone.
#[derive(Clone, Debug)]
pub struct Memory {
    free: Arc<Semaphore>,
    total: usize,
}

struct Held {
    payload: Bytes,
    _share: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.payload
    }
}

impl Memory {
    /// So many bytes, all free.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let total = bytes.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        Self { free: Arc::new(Semaphore::new(total)), total }
    }

    /// Waits until there is room for a payload, and returns it so that its room is free again when its last clone is gone. A payload
    /// that is larger than all of it waits until everything is free.
    pub async fn hold(&self, payload: Bytes) -> Bytes {
        let share = u32::try_from(payload.len().min(self.total)).unwrap_or(u32::MAX);
        match Arc::clone(&self.free).acquire_many_owned(share).await {
            Ok(share) => Bytes::from_owner(Held { payload, _share: share }),
            // Never closed.
            Err(_) => payload,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_payload_waits_for_room_until_another_is_gone() {
        let memory = Memory::new(100);
        let first = memory.hold(vec![1; 60].into()).await;
        let part = first.slice(10..20);
        drop(first);
        let waiting = tokio::spawn({
            let memory = memory.clone();
            async move { memory.hold(vec![2; 1000].into()).await.len() }
        });
        assert!(timeout(Duration::from_millis(50), memory.hold(vec![3; 50].into())).await.is_err());
        assert!(!waiting.is_finished());
        drop(part);
        assert_eq!(waiting.await.unwrap(), 1000);
        assert_eq!(memory.free.available_permits(), 100);
    }
}
