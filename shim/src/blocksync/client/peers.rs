//! What is known of the peers of a fetch: claims, requests, speed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message;
use proto::cometbft::types::Block;

use super::Patience;
use crate::peering::Session;
use crate::source::Offer;

/// How often a peer is asked for its heights.
const STATUS_EVERY: Duration = Duration::from_secs(10);
/// Heights that a peer is remembered to lack; it lies about all when it lies about so many.
const LACKS_MAX: usize = 256;

/// The peers of a fetch.
#[derive(Default)]
pub(super) struct Peers {
    peers: BTreeMap<Session, Peer>,
}

#[derive(Default)]
struct Peer {
    offer: Option<Offer>,
    lacks: BTreeSet<u64>,
    in_flight: usize,
    unasked: u32,
    /// When it was last asked for its heights.
    status: Option<Instant>,
    /// Since when its speed is measured, and what came since; requests are open all the time.
    busy: Option<Instant>,
    bytes: u64,
    blocks: u64,
}

/// The only field of a header that matters here.
#[derive(Clone, PartialEq, Message)]
struct HeaderHeight {
    #[prost(int64, tag = "3")]
    height: i64,
}

/// The height that a block claims.
pub(super) fn height_of(block: &Bytes) -> Option<u64> {
    let header = Block::decode(block.clone()).ok()?.header?;
    u64::try_from(HeaderHeight::decode(header).ok()?.height).ok()
}

impl Peer {
    fn may_have(&self, height: u64) -> bool {
        self.offer.is_some_and(|offer| (offer.base..=offer.top).contains(&height)) && !self.lacks.contains(&height)
    }
}

impl Peers {
    pub(super) fn add(&mut self, session: Session) {
        self.peers.insert(session, Peer::default());
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, session: Session) -> bool {
        self.peers.remove(&session).is_some()
    }

    pub(super) fn knows(&self, session: Session) -> bool {
        self.peers.contains_key(&session)
    }

    /// Takes what a peer says that it has. Lower heights than before are no crime, but nothing is asked above them.
    pub(super) fn claims(&mut self, session: Session, offer: Option<Offer>) {
        if let Some(peer) = self.peers.get_mut(&session) {
            peer.offer = offer;
        }
    }

    pub(super) fn lacks(&mut self, session: Session, height: u64) {
        if let Some(peer) = self.peers.get_mut(&session) {
            peer.lacks.insert(height);
            if peer.lacks.len() > LACKS_MAX {
                peer.offer = None;
                peer.lacks.clear();
            }
        }
    }

    /// Whether a peer may have a height.
    pub(super) fn may_have(&self, height: u64) -> bool {
        self.peers.values().any(|peer| peer.may_have(height))
    }

    /// The peer to ask for a height: the one with the fewest open requests that may have it and has room.
    pub(super) fn best_for(&self, height: u64, in_flight_max: usize) -> Option<Session> {
        let able = self.peers.iter().filter(|(_, peer)| peer.in_flight < in_flight_max && peer.may_have(height));
        able.min_by_key(|(_, peer)| peer.in_flight).map(|(session, _)| *session)
    }

    pub(super) fn asked(&mut self, session: Session, now: Instant) {
        if let Some(peer) = self.peers.get_mut(&session) {
            if peer.in_flight == 0 {
                (peer.busy, peer.bytes, peer.blocks) = (Some(now), 0, 0);
            }
            peer.in_flight += 1;
        }
    }

    /// A request was answered, by a block of so many bytes or by none.
    pub(super) fn answered(&mut self, session: Session, bytes: usize) {
        if let Some(peer) = self.peers.get_mut(&session) {
            peer.in_flight = peer.in_flight.saturating_sub(1);
            peer.bytes += bytes as u64;
            peer.blocks += u64::from(bytes > 0);
            if peer.in_flight == 0 {
                peer.busy = None;
            }
        }
    }

    /// How many things came that nobody had asked for.
    pub(super) fn unasked(&mut self, session: Session) -> u32 {
        let Some(peer) = self.peers.get_mut(&session) else { return 0 };
        peer.unasked = peer.unasked.saturating_add(1);
        peer.unasked
    }

    /// Peers that were busy all the time of judgement and gave too little, as long as another one is there.
    pub(super) fn too_slow(&mut self, patience: &Patience, now: Instant) -> Vec<(Session, String)> {
        let mut others = self.peers.values().filter(|peer| peer.offer.is_some()).count();
        let mut slow = Vec::new();
        for (session, peer) in &mut self.peers {
            let Some(busy) = peer.busy.filter(|busy| now.saturating_duration_since(*busy) >= patience.judged_every)
            else {
                continue;
            };
            let seconds = now.saturating_duration_since(busy).as_secs().max(1);
            let (bytes, blocks) = (peer.bytes / seconds, peer.blocks / seconds);
            (peer.busy, peer.bytes, peer.blocks) = (Some(now), 0, 0);
            if bytes < patience.bytes_per_second_min && blocks < patience.blocks_per_second_min && others > 1 {
                others -= 1;
                slow.push((*session, format!("too slow: {bytes} bytes and {blocks} blocks a second over {seconds} s")));
            }
        }
        slow
    }

    /// Peers whose heights are to be asked for again.
    pub(super) fn due_again(&mut self, now: Instant) -> Vec<Session> {
        let is_due = |peer: &Peer| peer.status.is_none_or(|when| now.saturating_duration_since(when) >= STATUS_EVERY);
        let mut due = Vec::new();
        for (session, peer) in self.peers.iter_mut().filter(|(_, peer)| is_due(peer)) {
            peer.status = Some(now);
            due.push(*session);
        }
        due
    }
}
