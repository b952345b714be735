//! The loop of a validator's process: it waits for messages, timers, orders and the wish to stop, and hands them to the host.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};
use shim::own::node::{Config as ShimConfig, Event, Handle, StartError, StaticPeer, start};
use shim::own::relay::Received;
use shim::source::BlockSource;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::blocks::OwnBlocks;
use super::disk::{Disk, DiskError, lock};
use super::host::{Host, News, Now};
use super::outgoing::{Outgoing, Peer, Traffic};
use super::peers::{HelloFault, hello};
use super::rpc::{self, Order, View};
use crate::chain::{Genesis, PrivateKey, Time};
use crate::consensus::{Config, Input, Message, Signer};
use crate::store::Format;

/// Messages that may wait for the validator, from all peers.
const INBOX: usize = 1_024;

/// Transactions and orders that may wait.
const ORDERS: usize = 1_024;

/// Heights after which the peers hear of what is offered by now; of the first one at once.
const HELLO_EVERY: u64 = 100;

/// Connections beside those of the scenario.
const CONNECTIONS_MAX: u32 = 16;

/// A wait without an end in sight.
const LONG: Duration = Duration::from_secs(3_600);

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
    pub wall: fn() -> Time,
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
    let (mut node, mut sources) = Running::start(given).await?;
    let result = node.go(&mut sources, &mut stop).await;
    node.serving.abort();
    drop((node, sources));
    // The peers shall see the end of the connections.
    tokio::time::sleep(FAREWELL).await;
    result
}

/// A node that runs.
struct Running {
    genesis: Genesis,
    format: Format,
    others: Vec<Other>,
    host: Host<Outgoing>,
    handle: Handle,
    blocks: Arc<OwnBlocks>,
    view: Arc<View>,
    serving: JoinHandle<()>,
    /// The height in its last hello.
    told: u64,
    wall: fn() -> Time,
    tell: fn(Level, &str),
}

/// What it waits for.
struct Sources {
    messages: mpsc::Receiver<Received>,
    events: mpsc::Receiver<Event>,
    orders: mpsc::Receiver<Order>,
}

impl Running {
    async fn start(given: Given) -> Result<(Self, Sources), NodeError> {
        let Given { name, home, genesis, config, key, identity, listen, others, rpc: address, wall, tell } = given;
        let (disk, recovered, last) = Disk::open(&home, genesis.rules)?;
        let (databases, validator, told) =
            (Arc::clone(disk.databases()), key.public().address(), recovered.state.last_height);
        let format = lock(&databases).format();
        let chain_id = genesis.chain_id.clone();
        let blocks = OwnBlocks::new(chain_id.clone(), Arc::clone(&databases), genesis.initial_height, told);
        let blocks = Arc::new(blocks);
        let (inbox, messages) = mpsc::channel(INBOX);
        let peer = |other: &Other| StaticPeer { id: other.id, addresses: vec![other.address.clone()] };
        let (handle, events) = start(ShimConfig {
            identity,
            listen: vec![listen],
            peers: others.iter().map(peer).collect(),
            connections_max: CONNECTIONS_MAX,
            hello: hello(&genesis, format, told)?,
            source: Arc::clone(&blocks) as Arc<dyn BlockSource>,
            book: None,
            relay: Some(inbox),
            counters: Arc::default(),
        })?;
        let traffic = Arc::new(Traffic::default());
        let way = |other: &Other| Peer { place: other.place, id: other.id, latency: other.latency };
        let outgoing = Outgoing::new(&handle, others.iter().map(way).collect(), Arc::clone(&traffic));
        let now = Now { wall: wall(), clock: Instant::now() };
        let host = Host::start(config, Signer::new(key, last), (disk, recovered), outgoing, now)?;
        let view = Arc::new(View::new(name, chain_id, validator, databases, traffic));
        let (ordered, orders) = mpsc::channel(ORDERS);
        let listener = TcpListener::bind(address).await.map_err(|source| NodeError::Rpc { address, source })?;
        let serving = tokio::spawn(rpc::serve(listener, Arc::clone(&view), ordered));
        tell(Level::Info, &format!("at height {told} in the {format:?} format"));
        let node = Self { genesis, format, others, host, handle, blocks, view, serving, told, wall, tell };
        Ok((node, Sources { messages, events, orders }))
    }

    async fn go(&mut self, sources: &mut Sources, stop: &mut watch::Receiver<bool>) -> Result<(), NodeError> {
        loop {
            self.tell_all().await?;
            let due = self.host.next_due().unwrap_or_else(|| Instant::now() + LONG);
            tokio::select! {
                _ = stop.changed() => return Ok(()),
                () = sleep_until(due.into()) => self.work(|host, now| host.fire(now))?,
                Some(received) = sources.messages.recv() => {
                    if let Some(input) = self.read(&received) {
                        self.work(|host, now| host.handle(input, now))?;
                    }
                }
                Some(order) = sources.orders.recv() => match order {
                    Order::Transaction(tx) => self.work(|host, now| host.handle(Input::Transaction(tx), now))?,
                    Order::HaltAt(height) => self.host.halt_at(height),
                },
                Some(event) = sources.events.recv() => tell_event(&event, self.tell),
            }
        }
    }

    /// Lets the host work, which may make its caller wait for the disk.
    fn work<T>(&mut self, work: impl FnOnce(&mut Host<Outgoing>, Now) -> T) -> T {
        let now = Now { wall: (self.wall)(), clock: Instant::now() };
        tokio::task::block_in_place(|| work(&mut self.host, now))
    }

    /// Tells the RPC, the peers and people what is new.
    async fn tell_all(&mut self) -> Result<(), NodeError> {
        let height = self.host.height();
        self.view.set_height(height);
        let is_first = height > self.told && self.told < self.genesis.initial_height;
        if is_first || height >= self.told + HELLO_EVERY {
            self.blocks.grow(height);
            self.handle.set_hello(hello(&self.genesis, self.format, height)?).await;
            self.told = height;
        }
        let tell = self.tell;
        for news in self.host.take_news() {
            match news {
                News::Stored { height, round, transactions } => {
                    tell(Level::Info, &format!("block {height} of round {round}, {transactions} transactions"));
                }
                News::Complaint(complaint) => tell(Level::Error, &complaint.to_string()),
                News::Unreadable { height, reason } => {
                    tell(Level::Error, &format!("cannot serve block {height}: {reason}"));
                }
            }
        }
        Ok(())
    }

    /// A message, if it is one and from a node of the scenario.
    fn read(&self, received: &Received) -> Option<Input> {
        let from = self.others.iter().find(|other| other.id == received.peer)?.place;
        match Message::decode(&received.message) {
            Ok(message) => {
                self.view.saw(&message);
                Some(Input::Message { from, message })
            }
            Err(error) => {
                (self.tell)(Level::Error, &format!("{}: {error}", received.peer));
                None
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
