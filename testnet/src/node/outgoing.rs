//! Messages on their way: written in the version that each peer's hello allows, held back for as long as the scenario says, then
//! given to the shim.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use libp2p::PeerId;
use shim::own::node::Handle;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::host::Network;
use super::peers::wire_version;
use crate::consensus::{Message, Receiver, WireVersion};

/// Messages that may be on their way to one peer; more are lost, as on a network.
const ON_THEIR_WAY: usize = 2_048;

/// Another node, as this one sends to it.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// Its place in the scenario.
    pub(super) place: u32,
    /// Its identity.
    pub(super) id: PeerId,
    /// How long messages to it are on their way.
    pub(super) latency: Duration,
}

/// How many messages went in which version.
#[derive(Debug, Default)]
pub(super) struct Traffic([AtomicU64; WireVersion::ALL.len()]);

impl Traffic {
    /// So many in a version.
    pub(super) fn sent(&self, version: WireVersion) -> u64 {
        self.0.get(version as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

/// The ways to all peers.
pub(super) struct Outgoing {
    handle: Handle,
    ways: Vec<(Peer, mpsc::Sender<(Instant, Bytes)>)>,
    traffic: Arc<Traffic>,
}

impl Outgoing {
    /// Ways to these peers; they end with it.
    pub(super) fn new(handle: &Handle, peers: Vec<Peer>, traffic: Arc<Traffic>) -> Self {
        let way = |peer: Peer| {
            let (sender, queue) = mpsc::channel(ON_THEIR_WAY);
            tokio::spawn(carry(handle.clone(), peer.id, queue));
            (peer, sender)
        };
        Self { handle: handle.clone(), ways: peers.into_iter().map(way).collect(), traffic }
    }
}

async fn carry(handle: Handle, peer: PeerId, mut queue: mpsc::Receiver<(Instant, Bytes)>) {
    // The latency to a peer is always the same, so that what was sent first is due first.
    while let Some((due, message)) = queue.recv().await {
        sleep_until(due).await;
        // A message that is too long for the shim would be for its receiver, too.
        let _ = handle.relay(peer, message);
    }
}

impl Network for Outgoing {
    fn send(&mut self, to: Receiver, message: &Message) {
        let mut written: [Option<Bytes>; WireVersion::ALL.len()] = Default::default();
        let is_meant = |peer: &Peer| match to {
            Receiver::All => true,
            Receiver::Peer(place) => peer.place == place,
        };
        for (peer, way) in self.ways.iter().filter(|(peer, _)| is_meant(peer)) {
            // Before its hello is here a peer is spoken to as every node understands it.
            let version = self.handle.relay_version(peer.id).and_then(wire_version).unwrap_or(WireVersion::V1);
            let Some(slot) = written.get_mut(version as usize) else { continue };
            let bytes = slot.get_or_insert_with(|| message.encode(version).into());
            if way.try_send((Instant::now() + peer.latency, bytes.clone())).is_ok()
                && let Some(count) = self.traffic.0.get(version as usize)
            {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
