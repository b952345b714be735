//! A network's folder.
//!
//! ```text
//! scenario.toml    what it is like
//! network.json     when its chain began, and the ports of its nodes
//! NAME/            a node's home     NAME.log  what it says     NAME.pid  its process
//! ```

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use ledger_formats::comet::TimeRule;
use ledger_formats::durable::{self, DurableError};
use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::chain::{Crypto, Genesis, PrivateKey, Quorum, Rules, Time};
use crate::consensus::Config;
use crate::node::{self, DiskError, Given, Level, Other};
use crate::scenario::{NodeSpec, Scenario, ScenarioError};

/// Bytes of transactions in a block at most.
const BLOCK_TX_BYTES_MAX: usize = 400_000;

/// Why there is no network in a folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// The scenario.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A file cannot be read.
    #[error("cannot read {}: {reason}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// A home cannot be made.
    #[error("{node}: {source}")]
    Home {
        /// Whose.
        node: String,
        /// Why not.
        source: Box<DiskError>,
    },
    /// No port is free.
    #[error("no port is free: {source}")]
    Port {
        /// Why not.
        source: std::io::Error,
    },
    /// There is no such node.
    #[error("there is no node {name}")]
    NoNode {
        /// Its name.
        name: String,
    },
}

/// A network on the disk.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Where it is.
    pub folder: PathBuf,
    /// What it is like.
    pub scenario: Scenario,
    network: NetworkFile,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFile {
    genesis_time_nanos: i64,
    ports: Vec<Ports>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ports {
    peers: u16,
    rpc: u16,
}

impl Layout {
    /// Makes a network in a folder that is not there yet: its nodes have homes, and have not begun.
    ///
    /// # Errors
    /// [`LayoutError`].
    pub fn create(folder: &Path, scenario: &str, genesis_time: Time) -> Result<Self, LayoutError> {
        let parsed = Scenario::parse(scenario)?;
        durable::create_dir_all(folder)?;
        let ports = free_ports(parsed.nodes.len()).map_err(|source| LayoutError::Port { source })?;
        let network = NetworkFile { genesis_time_nanos: genesis_time.0, ports };
        let layout = Self { folder: folder.to_owned(), scenario: parsed, network };
        let genesis = layout.genesis();
        for spec in &layout.scenario.nodes {
            let made = node::create(&layout.home(&spec.name), &genesis, spec.format);
            made.map_err(|source| LayoutError::Home { node: spec.name.clone(), source: source.into() })?;
        }
        let text = serde_json::to_vec_pretty(&layout.network).expect("numbers are JSON");
        durable::write_file(&folder.join("network.json"), &text)?;
        durable::write_file(&folder.join("scenario.toml"), scenario.as_bytes())?;
        Ok(layout)
    }

    /// Reads the network of a folder.
    ///
    /// # Errors
    /// [`LayoutError`].
    pub fn open(folder: &Path) -> Result<Self, LayoutError> {
        let failed = |name: &str, reason: String| LayoutError::Read { path: folder.join(name), reason };
        let read = |name| std::fs::read_to_string(folder.join(name)).map_err(|error| failed(name, error.to_string()));
        let network: Result<NetworkFile, _> = serde_json::from_str(&read("network.json")?);
        let network = network.map_err(|error| failed("network.json", error.to_string()))?;
        let scenario = Scenario::parse(&read("scenario.toml")?)?;
        if network.ports.len() != scenario.nodes.len() {
            let reason = format!("ports for {} nodes of {}", network.ports.len(), scenario.nodes.len());
            return Err(failed("network.json", reason));
        }
        Ok(Self { folder: folder.to_owned(), scenario, network })
    }

    /// A node's home.
    #[must_use]
    pub fn home(&self, node: &str) -> PathBuf {
        self.folder.join(node)
    }

    /// What a node says.
    #[must_use]
    pub fn log(&self, node: &str) -> PathBuf {
        self.folder.join(format!("{node}.log"))
    }

    /// Where the number of a node's process stands.
    #[must_use]
    pub fn pid(&self, node: &str) -> PathBuf {
        self.folder.join(format!("{node}.pid"))
    }

    /// Where a node's RPC listens.
    #[must_use]
    pub fn rpc(&self, place: usize) -> SocketAddr {
        let port = self.network.ports.get(place).map_or(0, |ports| ports.rpc);
        (Ipv4Addr::LOCALHOST, port).into()
    }

    /// The beginning of the chain.
    #[must_use]
    pub fn genesis(&self) -> Genesis {
        let power = |(place, node): (usize, &NodeSpec)| (self.key(place).public(), node.power);
        let validators = self.scenario.nodes.iter().enumerate().map(power).filter(|(_, power)| *power > 0);
        Genesis {
            chain_id: self.scenario.chain_id.clone(),
            initial_height: 1,
            time: Time(self.network.genesis_time_nanos),
            validators: validators.collect(),
            rules: Rules { time: TimeRule::AllVotes, quorum: Quorum::TWO_THIRDS, crypto: Crypto::Ed25519 },
        }
    }

    /// The key of a node's votes.
    #[must_use]
    pub fn key(&self, place: usize) -> PrivateKey {
        PrivateKey::from_seed(self.seed("votes", place), Crypto::Ed25519)
    }

    /// All that the process of a node is started with.
    ///
    /// # Errors
    /// [`LayoutError::NoNode`].
    pub fn given(&self, name: &str, wall: fn() -> Time, tell: fn(Level, &str)) -> Result<Given, LayoutError> {
        let (own, spec) = self.scenario.node(name).ok_or_else(|| LayoutError::NoNode { name: name.to_owned() })?;
        let other = |(place, node): (usize, &NodeSpec)| Other {
            place: u32::try_from(place).expect("few nodes"),
            id: self.identity(place).public().to_peer_id(),
            address: self.address(place),
            latency: self.scenario.latency.between(spec.region, node.region),
        };
        let others = self.scenario.nodes.iter().enumerate().filter(|(place, _)| *place != own).map(other);
        Ok(Given {
            name: name.to_owned(),
            home: self.home(name),
            genesis: self.genesis(),
            config: Config { pace: self.scenario.pace, block_tx_bytes_max: BLOCK_TX_BYTES_MAX },
            key: self.key(own),
            identity: self.identity(own),
            listen: self.address(own),
            others: others.collect(),
            rpc: self.rpc(own),
            wall,
            tell,
        })
    }

    fn identity(&self, place: usize) -> Keypair {
        Keypair::ed25519_from_bytes(self.seed("identity", place)).expect("every 32 bytes are an Ed25519 secret")
    }

    fn address(&self, place: usize) -> Multiaddr {
        let port = self.network.ports.get(place).map_or(0, |ports| ports.peers);
        Multiaddr::empty().with(Protocol::Ip4(Ipv4Addr::LOCALHOST)).with(Protocol::Udp(port)).with(Protocol::QuicV1)
    }

    fn seed(&self, what: &str, place: usize) -> [u8; 32] {
        let name = self.scenario.nodes.get(place).map_or("", |node| node.name.as_str());
        Sha256::digest(format!("testnet {what} {} {name}", self.scenario.chain_id)).into()
    }
}

/// Ports that are free now: held all together, so that no two are the same.
fn free_ports(nodes: usize) -> std::io::Result<Vec<Ports>> {
    let held = (0..nodes).map(|_| Ok((UdpSocket::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?)));
    let held: Vec<(UdpSocket, TcpListener)> = held.collect::<std::io::Result<_>>()?;
    let ports = |(udp, tcp): &(UdpSocket, TcpListener)| {
        Ok(Ports { peers: udp.local_addr()?.port(), rpc: tcp.local_addr()?.port() })
    };
    held.iter().map(ports).collect()
}
