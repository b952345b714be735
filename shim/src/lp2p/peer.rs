//! What is known of a connected peer, from its first connection until its last one is gone.
//!
//! A session begins only when both sides have introduced themselves. A node of v0.39 drops the first message of a peer whose
//! address it does not know yet, after it has receipted it, and learns the address from our introduction alone.

use std::sync::Arc;

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, StreamProtocol};

use super::channel::ChannelProtocol;
use super::link::Link;
use crate::peering::{Channel, Direction, Event, Peer};

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The introductions are not complete.
    Introducing,
    /// They are, and the peer is given a moment to take note of ours.
    Settling,
    /// The service knows, or is about to be told.
    Announced,
    /// It will never be a session of ours.
    Stranger,
}

/// A connected peer.
#[derive(Debug)]
pub(super) struct PeerState {
    pub(super) link: Arc<Link>,
    pub(super) stage: Stage,
    pub(super) connections: Vec<ConnectionId>,
    /// Why we are closing it.
    pub(super) closing: Option<String>,
    /// What it says of itself, once it has.
    pub(super) claims: Option<Claims>,
    /// It has asked who we are, and been told.
    pub(super) knows_us: bool,
    direction: Direction,
    address: Multiaddr,
}

/// What a peer says of itself.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    agent: Arc<str>,
    pub(super) channels: Vec<Channel>,
}

impl Claims {
    pub(super) fn new(agent: &str, protocols: &[StreamProtocol]) -> Self {
        // Both come from the peer: a line of the log holds no more than this of it.
        let agent: String = agent.chars().filter(|each| !each.is_control()).take(64).collect();
        let mut channels: Vec<_> = protocols
            .iter()
            .filter_map(|each| ChannelProtocol::parse(each.as_ref()))
            .map(|each| each.channel)
            .collect();
        channels.sort_unstable();
        channels.dedup();
        Self { agent: agent.into(), channels }
    }
}

impl PeerState {
    pub(super) fn new(link: Arc<Link>, direction: Direction, address: Multiaddr) -> Self {
        Self {
            link,
            stage: Stage::Introducing,
            connections: Vec::new(),
            closing: None,
            claims: None,
            knows_us: false,
            direction,
            address,
        }
    }

    /// Whether messages may be sent: who dialled us knows our address already.
    pub(super) fn is_introduced(&self) -> bool {
        self.claims.is_some() && (self.knows_us || self.direction == Direction::Inbound)
    }

    pub(super) fn direction(&self) -> Direction {
        self.direction
    }

    pub(super) fn address(&self) -> &Multiaddr {
        &self.address
    }

    /// The beginning of the session, for the service.
    pub(super) fn connected(&self, id: &str) -> Event {
        let claims = self.claims.clone().unwrap_or_else(|| Claims::new("", &[]));
        let peer = Peer {
            id: id.into(),
            address: self.address.to_string().into(),
            direction: self.direction,
            agent: claims.agent,
            channels: claims.channels,
        };
        Event::Connected { session: self.link.session(), peer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_bounded_and_in_order() {
        let protocols = [
            StreamProtocol::new("/p2p/cometbft/1.0.0/channel/0x40"),
            StreamProtocol::new("/ipfs/id/1.0.0"),
            StreamProtocol::new("/p2p/cometbft/1.0.0/channel/0x20"),
            StreamProtocol::new("/p2p/cometbft/1.0.0/channel/0x40"),
        ];
        let claims = Claims::new(&format!("comet\nbft{}", "x".repeat(100)), &protocols);
        assert_eq!(claims.channels, [Channel::STATE, Channel::BLOCKSYNC]);
        assert!(claims.agent.starts_with("cometbft") && claims.agent.len() == 64);
    }
}
