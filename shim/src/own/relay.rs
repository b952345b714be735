//! Messages of the program above, opaque to this one: what came, and what waits for its stream.
//!
//! A queue never grows beyond its bounds and never makes its owner wait: the oldest messages are given up first, since what they
//! say is the first to be out of date. Whoever needs a message to arrive says it again.

use std::collections::VecDeque;

use bytes::Bytes;
use libp2p::PeerId;
use proto::hello::Version;

use super::limits::{RELAY_WAITING_BYTES_MAX, RELAY_WAITING_MAX};

/// A message that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// From whom, by the connection.
    pub peer: PeerId,
    /// The version in which the peer speaks to this node.
    pub version: Version,
    /// The message. Its room is free again when the last clone is gone.
    pub message: Bytes,
}

/// Messages that wait for one peer, oldest first.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Bytes>,
    bytes: usize,
}

impl Outbox {
    /// Adds a message; returns how many older ones were given up for it.
    pub fn push(&mut self, message: Bytes) -> u64 {
        let mut given_up = 0;
        while self.waiting.len() >= RELAY_WAITING_MAX || self.bytes + message.len() > RELAY_WAITING_BYTES_MAX {
            if self.pop().is_none() {
                break;
            }
            given_up += 1;
        }
        self.bytes += message.len();
        self.waiting.push_back(message);
        given_up
    }

    /// Takes the oldest message.
    pub fn pop(&mut self) -> Option<Bytes> {
        let message = self.waiting.pop_front()?;
        self.bytes -= message.len();
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own::limits::RELAY_BYTES_MAX;

    #[test]
    fn the_oldest_of_too_many_are_given_up() {
        let mut outbox = Outbox::default();
        let message = |number: usize| Bytes::from(number.to_be_bytes().to_vec());
        let given_up: u64 = (0..RELAY_WAITING_MAX + 3).map(|number| outbox.push(message(number))).sum();
        assert_eq!(given_up, 3);
        let left: Vec<Bytes> = std::iter::from_fn(|| outbox.pop()).collect();
        assert_eq!(left, (3..RELAY_WAITING_MAX + 3).map(message).collect::<Vec<_>>());
        assert_eq!(outbox.bytes, 0);
    }

    #[test]
    fn so_are_the_oldest_of_too_many_bytes() {
        let mut outbox = Outbox::default();
        let large = Bytes::from(vec![0; RELAY_BYTES_MAX]);
        let given_up = [large.clone(), large.clone(), Bytes::from_static(b"a"), large].map(|it| outbox.push(it));
        assert_eq!(given_up, [0, 0, 1, 1]);
        assert_eq!(std::iter::from_fn(|| outbox.pop()).map(|it| it.len()).collect::<Vec<_>>(), [1, RELAY_BYTES_MAX]);
    }
}
