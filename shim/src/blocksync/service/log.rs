//! What the operator should hear of, without a word on how it is told.

use crate::peering::{Direction, Peer};

/// Hears what happens. Called from many tasks; must not block for long.
pub trait Log: Send + Sync {
    /// Something happened.
    fn note(&self, note: &Note<'_>);
}

/// What a session was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Blocks on request.
    pub blocks: u64,
    /// Bytes of these answers.
    pub bytes: u64,
    /// The highest height among them.
    pub highest: u64,
    /// Requests for heights that are not there.
    pub missing: u64,
    /// Heights that it was helped through by messages of consensus.
    pub caught_up: u64,
}

/// Something that happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Note<'a> {
    /// A session began.
    Connected {
        /// The transport.
        transport: &'static str,
        /// The peer.
        peer: &'a Peer,
    },
    /// A session ended.
    Closed {
        /// The transport.
        transport: &'static str,
        /// The peer.
        peer: &'a Peer,
        /// Why.
        reason: &'a str,
    },
    /// What a session was given, when it has ended.
    Served {
        /// The transport.
        transport: &'static str,
        /// The peer.
        peer: &'a Peer,
        /// What it was given.
        served: Served,
    },
    /// A connection did not become a session.
    Refused {
        /// The transport.
        transport: &'static str,
        /// Who dialled, or was dialled.
        address: &'a str,
        /// Who dialled.
        direction: Direction,
        /// Why.
        reason: &'a str,
    },
    /// A peer is let go.
    LetGo {
        /// The transport.
        transport: &'static str,
        /// The peer.
        peer: &'a Peer,
        /// Why.
        reason: &'a str,
    },
    /// A height of the offer could not be delivered: the store is damaged, or the peer waits for another block.
    Undelivered {
        /// The height.
        height: u64,
        /// What is wrong.
        reason: &'a str,
    },
}
