//! The loop of a validator's process: it waits for messages, timers, orders and the wish to stop, and hands them to the host.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};
use shim::counters::Counters;
use shim::own::node::{Config as ShimConfig, Event, StartError, StaticPeer, start};
use shim::own::relay::Received;
use shim::source::BlockSource;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

use super::blocks::OwnBlocks;
use super::disk::{Disk, DiskError};
use super::host::{Host, News, Now};
use super::outgoing::{Outgoing, Peer, Traffic};
use super::peers::{HelloFault, hello};
use super::rpc::{self, Order, View};
use crate::chain::{Genesis, PrivateKey};
use crate::consensus::{Config, Input, Message, Signer};

/// Messages that may wait for the validator, from all peers.
const INBOX: usize = 1_024;

/// Transactions and orders that may wait.
const ORDERS: usize = 1_024;

/// Heights after which the peers hear of what is offered by now; of the first one at once.
const HELLO_EVERY: u64 = 100;

/// Connections beside those of the scenario.
const CONNECTIONS_MAX: u32 = 16;

/// Time for the last words on connections.
const FAREWELL: Duration = Duration::from_millis(200);

/// What a node is started with.
pub struct Given {
    /// Its name.
    pub name: String,
    /// Its home.
    pub home: PathBuf,
    /// The beginning of the chain.
    pub genesis: Genesis,
    /// How it works.
    pub config: Config,
    /// The key of its votes.
    pub key: PrivateKey,
    /// Its identity on the network.
    pub identity: Keypair,
    /// Where it listens for peers.
    pub listen: Multiaddr,
    /// The other nodes: place, identity, address, latency.
    pub others: Vec<Other>,
    /// Where its RPC listens.
    pub rpc: std::net::SocketAddr,
    /// What the chain writes for now.
    pub wall: fn() -> crate::chain::Time,
    /// Tells people a line; errors are marked as a node of CometBFT marks them.
    pub tell: fn(Level, &str),
}

/// Another node of the scenario.
#[derive(Clone, Debug)]
pub struct Other {
    /// Its place in the scenario.
    pub place: u32,
    /// Its identity.
    pub id: PeerId,
    /// Where it listens for peers.
    pub address: Multiaddr,
    /// How long messages to it are on their way.
    pub latency: Duration,
}

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Info,
    /// Not as it should be.
    Error,
}

/// Why a node ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Its disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// What it says of itself.
    #[error(transparent)]
    Hello(#[from] HelloFault),
    /// The shim does not start.
    #[error(transparent)]
    Shim(#[from] StartError),
    /// The RPC does not start.
    #[error("cannot listen on {address}: {source}")]
    Rpc {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

/// Runs a node until `stop` changes or its disk fails.
///
/// # Errors
/// [`NodeError`].
pub async fn run(given: Given, mut stop: watch::Receiver<bool>) -> Result<(), NodeError> {
    let Given { name, home, genesis, config, key, identity, listen, others, rpc: address, wall, tell } = given;
    let (disk, recovered, last) = Disk::open(&home, genesis.rules)?;
    let (databases, validator_address) = (Arc::clone(disk.databases()), key.public().address());
    let format = super::disk::lock(&databases).format();
    let height = recovered.state.last_height;
    let blocks = OwnBlocks::new(genesis.chain_id.clone(), Arc::clone(&databases), genesis.initial_height, height);
    let blocks = Arc::new(blocks);
    let greeting = hello(&genesis, format, height)?;
    let (inbox, mut messages) = mpsc::channel(INBOX);
    let counters = Arc::new(Counters::default());
    let peers = others.iter().map(|other| StaticPeer { id: other.id, addresses: vec![other.address.clone()] });
    let shim = ShimConfig {
        identity,
        listen: vec![listen],
        peers: peers.collect(),
        connections_max: CONNECTIONS_MAX,
        hello: greeting,
        source: Arc::clone(&blocks) as Arc<dyn BlockSource>,
        book: None,
        relay: Some(inbox),
        counters: Arc::clone(&counters),
    };
    let (handle, mut events) = start(shim)?;
    let traffic = Arc::new(Traffic::default());
    let ways = others.iter().map(|Other { place, id, latency, .. }| Peer { place: *place, id: *id, latency: *latency });
    let outgoing = Outgoing::new(&handle, ways.collect(), Arc::clone(&traffic));
    let now = || Now { wall: wall(), clock: Instant::now() };
    let mut host = Host::start(config, Signer::new(key, last), (disk, recovered), outgoing, now())?;
    let view = Arc::new(View::new(name, genesis.chain_id.clone(), validator_address, databases, traffic));
    let (orders, mut ordered) = mpsc::channel(ORDERS);
    let listener = TcpListener::bind(address).await.map_err(|source| NodeError::Rpc { address, source })?;
    let serving = tokio::spawn(rpc::serve(listener, Arc::clone(&view), orders));
    tell(Level::Info, &format!("at height {height} in the {format:?} format"));
    let (mut result, mut told) = (Ok(()), height);
    while result.is_ok() {
        let height = host.height();
        view.set_height(height);
        if height >= told + HELLO_EVERY || height > told && told < genesis.initial_height {
            blocks.grow(height);
            handle.set_hello(hello(&genesis, format, height)?).await;
            told = height;
        }
        tell_news(&mut host, tell);
        let due = host.next_due().unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
        tokio::select! {
            _ = stop.changed() => break,
            () = sleep_until(due.into()) => result = blocking(|| host.fire(now())),
            Some(received) = messages.recv() => {
                if let Some(input) = read(&others, received, &view, tell) {
                    result = blocking(|| host.handle(input, now()));
                }
            }
            Some(order) = ordered.recv() => match order {
                Order::Transaction(tx) => result = blocking(|| host.handle(Input::Transaction(tx), now())),
                Order::HaltAt(height) => host.halt_at(height),
            },
            Some(event) = events.recv() => tell_event(&event, tell),
        }
    }
    serving.abort();
    drop((host, handle));
    // The peers shall see the end of the connections.
    tokio::time::sleep(FAREWELL).await;
    Ok(result?)
}

/// Databases make their caller wait.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

fn tell_news(host: &mut Host<Outgoing>, tell: fn(Level, &str)) {
    for news in host.take_news() {
        match news {
            News::Stored { height, round, transactions } => {
                tell(Level::Info, &format!("block {height} of round {round}, {transactions} transactions"));
            }
            News::Complaint(complaint) => tell(Level::Error, &complaint.to_string()),
            News::Unreadable { height, reason } => {
                tell(Level::Error, &format!("cannot serve block {height}: {reason}"))
            }
        }
    }
}

fn tell_event(event: &Event, tell: fn(Level, &str)) {
    let level = match event {
        Event::Misbehaved { .. } | Event::Foreign { .. } | Event::Alarm { .. } => Level::Error,
        _ => Level::Info,
    };
    tell(level, &event.to_string());
}

/// A message, if it is one and from a node of the scenario.
fn read(others: &[Other], received: Received, view: &View, tell: fn(Level, &str)) -> Option<Input> {
    let from = others.iter().find(|other| other.id == received.peer)?.place;
    match Message::decode(&received.message) {
        Ok(message) => {
            view.saw(&message);
            Some(Input::Message { from, message })
        }
        Err(error) => {
            tell(Level::Error, &format!("{}: {error}", received.peer));
            None
        }
    }
}
