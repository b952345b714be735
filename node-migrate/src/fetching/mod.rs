//! Blocks from nodes in the network, for a repair or an auditor: over our own protocols, CometBFT's libp2p, or the classic
//! peer protocol.
//!
//! | file | what |
//! |---|---|
//! | `peer` | how an operator names a node |
//! | `court` | blocks on their way from the network's threads to the caller who proves them, and the verdicts back |
//! | `own` | nodes of our own protocols |
//! | `comet` | `CometBFT`'s nodes, over either of its transports |
//! | `runs` | heights cut into ranges that may be streamed |
//! | `told` | what happens on the network, in words |
//!
//! No peer is believed: each block is proven by the caller before it counts. A peer that sends a wrong one is not asked any
//! more, one that is slow, silent or gone loses its session; its heights are asked of the others. One block at a time
//! waits for its verdict, so memory is bounded whatever is asked for.

mod comet;
mod court;
mod own;
mod peer;
mod runs;
mod told;

use std::time::Duration;

use sha2::{Digest, Sha256};
use shim::classic::node_key::NodeKey;
use shim::lp2p::Identity;
use tokio::runtime::{Builder, Runtime};

use crate::context::Context;
use crate::mending::{BlockPeers, PeerError, Take, Wanted};
use court::{Bench, Court, Said};
pub use peer::{NetworkPeer, NotAPeer};

/// Time for connections to be closed when all is done.
const FAREWELL: Duration = Duration::from_secs(2);

/// Nodes in the network, and who asks them.
#[derive(Clone)]
pub struct NetworkPeers {
    /// The nodes.
    pub peers: Vec<NetworkPeer>,
    /// The chain.
    pub chain_id: String,
    /// SHA-256 of its genesis document.
    pub genesis_hash: [u8; 32],
    /// Our name and release.
    pub agent: String,
    /// Random bytes that nobody else has: identities for this one time are made of them.
    pub seed: [u8; 32],
    /// How long to wait for a peer that gives nothing.
    pub patience: Duration,
}

impl BlockPeers for NetworkPeers {
    fn fetch(&self, wanted: &Wanted, context: &Context<'_>, take: Take<'_>) -> Result<(), PeerError> {
        let runtime = runtime()?;
        let (court, bench) = court::open(wanted.clone());
        let asking = runtime.spawn(ask_all(self.clone(), court));
        let ended = hear(bench, context, take);
        asking.abort();
        runtime.shutdown_timeout(FAREWELL);
        ended
    }
}

/// Gives blocks to the caller and verdicts back until nobody is asked any more.
fn hear(bench: Bench, context: &Context<'_>, take: Take<'_>) -> Result<(), PeerError> {
    loop {
        context.go_on()?;
        match bench.next() {
            Some(Said::Nothing) => {}
            Some(Said::Words(words)) => context.listener.say(&words),
            Some(Said::Block { fetched, verdict }) => {
                let (height, bytes) = (fetched.height, fetched.block.len());
                let taken = take(*fetched);
                if taken.is_ok() {
                    bench.taken(height);
                    context.listener.advance(bytes as u64, 1);
                }
                // Who does not wait for the verdict any more has ended.
                let _ = verdict.send(taken);
            }
            None => return Ok(()),
        }
    }
}

/// Asks all peers for what is left, one kind after another: those of our own protocols first.
async fn ask_all(network: NetworkPeers, court: Court) {
    let (mut classic, mut lp2p) = (Vec::new(), Vec::new());
    for peer in &network.peers {
        match peer {
            NetworkPeer::Classic(target) => classic.push(target.clone()),
            NetworkPeer::Libp2p(target) => {
                if own::ask(&network, peer, &court).await.is_foreign() {
                    lp2p.push(target.clone());
                }
            }
            NetworkPeer::Own(_) => drop(own::ask(&network, peer, &court).await),
        }
    }
    comet::ask_lp2p(&network, lp2p, &court).await;
    comet::ask_classic(&network, classic, &court).await;
}

impl NetworkPeers {
    /// A key for one purpose, and never another.
    fn key(&self, purpose: &str) -> NodeKey {
        let seed = Sha256::new().chain_update(self.seed).chain_update(purpose).finalize();
        NodeKey::from_seed(&seed.into())
    }

    /// The same as an identity on libp2p.
    fn identity(&self, purpose: &str) -> Identity {
        Identity::of(&self.key(purpose))
    }
}

fn runtime() -> Result<Runtime, PeerError> {
    let built = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|error| PeerError::Network(format!("cannot start threads for the network: {error}")))
}
