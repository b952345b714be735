//! Nodes of our own protocols on this machine.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use proto::hello::{Heights, Hello, Printable, Status, Storage, Terms, TimeRule, Version, Versions};
use shim::counters::Counters;
use shim::own::attest::Book;
use shim::own::node::{Config, Event, Handle, StaticPeer, start};
use shim::own::relay::Received;
use shim::source::BlockSource;
use tokio::sync::mpsc;

use super::support::Chain;

/// How long anything may take before a test gives up.
pub const LONG: Duration = Duration::from_secs(60);

/// Loopback addresses.
pub const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";

/// A node, what it told, and where it listens.
pub struct Node {
    pub handle: Handle,
    pub events: mpsc::Receiver<Event>,
    pub address: Multiaddr,
    pub counters: Arc<Counters>,
}

/// The versions of a node: served and accepted, and the minimum.
#[derive(Clone, Copy, Debug)]
pub struct Speaks(pub &'static [u32], pub u32);

pub fn hello(speaks: Speaks, chain: &Chain) -> Hello {
    let versions = || Versions::new(speaks.0.iter().copied()).expect("versions");
    let offer = chain.offer().map(|offer| Heights::new(offer.base, offer.top).expect("heights"));
    Hello {
        chain_id: Printable::new(chain.chain_id()).expect("a chain id"),
        genesis_hash: [7; 32],
        terms: Terms::new(versions(), versions(), Version(speaks.1)),
        time_rule: TimeRule::V0_38,
        attest_every: NonZeroU64::new(100),
        status: Status::new(Storage::Old, offer, offer.map_or(0, Heights::top)).expect("a status"),
        agent: Printable::new("test/1").expect("an agent"),
    }
}

pub struct Setup {
    pub identity: Keypair,
    pub hello: Hello,
    pub chain: Arc<Chain>,
    pub book: Option<Book>,
    pub relay: Option<mpsc::Sender<Received>>,
    pub peers: Vec<Multiaddr>,
    pub listen: &'static str,
    pub connections_max: u32,
}

impl Setup {
    pub fn new(speaks: Speaks, chain: &Arc<Chain>) -> Self {
        let chain = Arc::clone(chain);
        let hello = hello(speaks, &chain);
        let identity = Keypair::generate_ed25519();
        Self { identity, hello, chain, book: None, relay: None, peers: Vec::new(), listen: QUIC, connections_max: 8 }
    }

    pub fn dials(mut self, node: &Node) -> Self {
        self.peers.push(node.address.clone().with(Protocol::P2p(node.handle.id())));
        self
    }

    pub async fn start(self) -> Node {
        let texts: Vec<String> = self.peers.iter().map(Multiaddr::to_string).collect();
        let counters = Arc::new(Counters::default());
        let config = Config {
            identity: self.identity,
            listen: vec![self.listen.parse().expect("an address")],
            peers: StaticPeer::parse(texts.iter().map(String::as_str)).expect("peers"),
            connections_max: self.connections_max,
            hello: self.hello,
            source: self.chain,
            book: self.book,
            relay: self.relay,
            counters: Arc::clone(&counters),
        };
        let (handle, mut events) = start(config).expect("starts");
        let first = tokio::time::timeout(LONG, events.recv()).await.expect("in time").expect("an event");
        let Event::Listening { address } = first else { panic!("{first}") };
        Node { handle, events, address, counters }
    }
}

impl Node {
    /// The next event for which `choose` finds something.
    pub async fn event<T>(&mut self, mut choose: impl FnMut(&Event) -> Option<T>) -> T {
        let wait = async {
            loop {
                let event = self.events.recv().await.expect("the node runs");
                if let Some(chosen) = choose(&event) {
                    return chosen;
                }
            }
        };
        tokio::time::timeout(LONG, wait).await.expect("the event comes")
    }

    /// Waits until something was counted at least so often.
    pub async fn counted(&self, protocol: &str, outcome: &str, least: u64) {
        let wait = async {
            while self.count(protocol, outcome) < least {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LONG, wait)
            .await
            .unwrap_or_else(|_| panic!("{protocol} {outcome}: {}", self.counters.to_prometheus()));
    }

    /// How often something was counted, over all agents.
    pub fn count(&self, protocol: &str, outcome: &str) -> u64 {
        let is_it = |count: &shim::counters::Count| count.protocol == protocol && count.outcome == outcome;
        self.counters.snapshot().into_iter().filter(is_it).map(|count| count.count).sum()
    }
}
