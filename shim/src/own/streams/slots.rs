//! How many streams are served at a time, on a connection and in all.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::own::protocol::Protocol;

/// Streams that one connection has served at a time, for each block protocol.
const BLOCKS_PER_CONNECTION: usize = 4;

/// Streams that one connection has served at a time, for each of the others.
const SMALL_PER_CONNECTION: usize = 2;

/// Refusals that one connection is written at a time.
const REFUSALS_PER_CONNECTION: usize = 8;

/// Block streams that are served at a time in all; each holds a block and two frames.
const BLOCKS_IN_ALL: usize = 16;

/// Admits streams of all connections.
#[derive(Clone, Debug)]
pub struct Slots {
    blocks: Arc<Semaphore>,
}

/// The slots of one connection.
#[derive(Debug)]
pub(super) struct ConnectionSlots {
    blocks_in_all: Arc<Semaphore>,
    by_protocol: [Arc<Semaphore>; Protocol::ALL.len()],
    refusals: Arc<Semaphore>,
}

/// A place that is free again when this is dropped.
#[derive(Debug)]
pub struct Permit {
    _connection: OwnedSemaphorePermit,
    _in_all: Option<OwnedSemaphorePermit>,
}

impl Default for Slots {
    fn default() -> Self {
        Self { blocks: Arc::new(Semaphore::new(BLOCKS_IN_ALL)) }
    }
}

impl Slots {
    pub(super) fn of_connection(&self) -> ConnectionSlots {
        let slots = |protocol: Protocol| match protocol.version() {
            Some(_) => BLOCKS_PER_CONNECTION,
            None => SMALL_PER_CONNECTION,
        };
        ConnectionSlots {
            blocks_in_all: Arc::clone(&self.blocks),
            by_protocol: Protocol::ALL.map(|protocol| Arc::new(Semaphore::new(slots(protocol)))),
            refusals: Arc::new(Semaphore::new(REFUSALS_PER_CONNECTION)),
        }
    }
}

impl ConnectionSlots {
    /// A place to be served, where one is free.
    pub(super) fn admit(&self, protocol: Protocol) -> Option<Permit> {
        let place = Protocol::ALL.iter().position(|each| *each == protocol)?;
        let connection = Arc::clone(self.by_protocol.get(place)?).try_acquire_owned().ok()?;
        let in_all = match protocol.version() {
            Some(_) => Some(Arc::clone(&self.blocks_in_all).try_acquire_owned().ok()?),
            None => None,
        };
        Some(Permit { _connection: connection, _in_all: in_all })
    }

    /// A place to be refused in words, where one is free.
    pub(super) fn refuse(&self) -> Option<Permit> {
        let connection = Arc::clone(&self.refusals).try_acquire_owned().ok()?;
        Some(Permit { _connection: connection, _in_all: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_cannot_take_the_places_of_others_nor_all_more_than_there_are() {
        let slots = Slots::default();
        let connections: Vec<ConnectionSlots> = (0..5).map(|_| slots.of_connection()).collect();
        let take =
            |each: &ConnectionSlots| -> Vec<Permit> { (0..10).map_while(|_| each.admit(Protocol::Blocks2)).collect() };
        let taken: Vec<Vec<Permit>> = connections.iter().map(take).collect();
        assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 4, 4, 0]);
        assert!(connections[4].admit(Protocol::Hello).is_some());
        drop(taken);
        assert!(connections[4].admit(Protocol::Blocks1).is_some());
    }
}
