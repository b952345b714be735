//! Who is connected, and what was counted: kept for the monitor, and passed on to the log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use node_migrate::serving::VerifiedBlocks;
use proto::negotiate::{Agreement, Incompatible};
use serde_json::{Value, json};
use shim::blocksync::service::{Log, Note};
use shim::counters::{Count, Counters};
use shim::own::node::{Handle, PeerView};
use shim::peering::Peer;
use shim::source::BlockSource;

use super::monitor::Report;
use super::words::{Lines, word};

/// Peers that are kept, far more than the transports let in.
const PEERS_MAX: usize = 1_024;

/// What `shim serve` knows of itself.
pub(super) struct Board {
    lines: Lines,
    since: String,
    blocks: Arc<VerifiedBlocks>,
    counters: Arc<Counters>,
    peers: Mutex<BTreeMap<(&'static str, Arc<str>), Peer>>,
    own: OnceLock<Handle>,
}

impl Board {
    pub(super) fn new(lines: Lines, since: String, blocks: Arc<VerifiedBlocks>, counters: Arc<Counters>) -> Self {
        Self { lines, since, blocks, counters, peers: Mutex::default(), own: OnceLock::new() }
    }

    /// The node of our own protocols, which knows its peers itself. Only the first one counts.
    pub(super) fn set_own(&self, node: Handle) {
        let _ = self.own.set(node);
    }

    fn own_peers(&self) -> Vec<PeerView> {
        self.own.get().map_or_else(Vec::new, Handle::peers)
    }

    fn peers(&self) -> MutexGuard<'_, BTreeMap<(&'static str, Arc<str>), Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for Board {
    fn note(&self, note: &Note<'_>) {
        match *note {
            Note::Connected { transport, peer } => {
                let mut peers = self.peers();
                if peers.len() < PEERS_MAX {
                    peers.insert((transport, Arc::clone(&peer.id)), peer.clone());
                }
            }
            Note::Closed { transport, peer, .. } => {
                self.peers().remove(&(transport, Arc::clone(&peer.id)));
            }
            _ => {}
        }
        self.lines.note(note);
    }
}

impl Report for Board {
    fn metrics(&self) -> String {
        let mut text = self.counters.to_prometheus();
        let offer = self.blocks.offer();
        let gauges = [
            ("node_migrate_shim_offer_base_height", offer.map_or(0, |offer| offer.base)),
            ("node_migrate_shim_offer_top_height", offer.map_or(0, |offer| offer.top)),
            ("node_migrate_shim_peers", (self.peers().len() + self.own_peers().len()) as u64),
        ];
        for (name, value) in gauges {
            text.push_str(&format!("# TYPE {name} gauge\n{name} {value}\n"));
        }
        text
    }

    fn status(&self) -> Value {
        let mut peers: Vec<Value> =
            self.peers().iter().map(|((transport, _), peer)| of_peer(transport, peer)).collect();
        peers.extend(self.own_peers().iter().map(of_own_peer));
        json!({
            "command": "serve",
            "version": env!("CARGO_PKG_VERSION"),
            "since": self.since,
            "chain_id": self.blocks.chain_id(),
            "offer": self.blocks.offer().map(|offer| json!({ "base": offer.base, "top": offer.top })),
            "peers": peers,
            "counts": self.counters.snapshot().iter().map(of_count).collect::<Vec<_>>(),
        })
    }
}

fn of_peer(transport: &str, peer: &Peer) -> Value {
    json!({
        "transport": transport, "id": &*peer.id, "address": &*peer.address, "direction": word(peer.direction), "agent": &*peer.agent,
    })
}

/// A peer on our own protocols: where it stands, and what the two can do for each other.
pub(super) fn of_own_peer(peer: &PeerView) -> Value {
    let mut value = json!({ "transport": "own", "id": peer.peer.to_string(), "agent": peer.agent });
    if let Some(hello) = &peer.hello {
        let status = &hello.status;
        value["storage"] = json!(status.storage.to_string());
        value["offer"] = json!(status.offer().map(|offer| json!({ "base": offer.base(), "top": offer.top() })));
        value["tip"] = json!(status.tip());
    }
    if let Some(outcome) = &peer.outcome {
        value["outcome"] = of_outcome(outcome);
    }
    value
}

fn of_outcome(outcome: &Result<Agreement, Incompatible>) -> Value {
    match outcome {
        Ok(Agreement { fetch, serve, disputed, attest_every }) => {
            let version = |direction: &Result<_, _>| match direction {
                Ok(version) => format!("blocks/{version}"),
                Err(reason) => format!("nothing: {reason}"),
            };
            let disputed = disputed.map(|disputed| disputed.to_string());
            json!({ "fetch": version(fetch), "serve": version(serve), "disputed": disputed, "attest_every": attest_every })
        }
        Err(reason) => json!({ "incompatible": reason.to_string() }),
    }
}

/// A count as one object.
pub(super) fn of_count(count: &Count) -> Value {
    json!({ "protocol": count.protocol, "agent": count.agent, "outcome": count.outcome, "count": count.count })
}
