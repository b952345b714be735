//! The classic peer protocol on sockets: listens, dials, and keeps sessions, all within bounds.
//!
//! ```text
//! listener ─┐                                            ┌─ reader ─► events (bounded: a slow service stops the reading)
//!           ├─► handshake ─► checks ─► table of sessions ─┤
//! dialler ──┘   (limit of time)      (one for each peer)  └─ writer ◄─ a short queue for each channel ◄─ router ◄─ commands
//! ```
//! A connection costs a place from before its first byte to after its last. A peer that is slow, silent or endless
//! loses its own connection and nothing else.

mod connect;
mod dial;
mod limits;
mod listen;
mod quiet;
mod session;
mod table;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub use dial::{NotATarget, Target};
pub use limits::Limits;

use super::multiplex::ChannelSpec;
use super::node_info::{BLOCK_PROTOCOL, NodeInfo, P2P_PROTOCOL};
use super::node_key::{NodeId, NodeKey};
use crate::memory::Memory;
use crate::peering::{Event, Outbox};
use limits::Places;
use quiet::Quiet;
use table::Table;

/// Events that may wait for the service.
const EVENTS_MAX: usize = 256;
/// Commands that may wait for the router.
const COMMANDS_MAX: usize = 256;

/// What the transport is to be.
pub struct Config {
    /// Our own key: not that of a node.
    pub key: Arc<NodeKey>,
    /// The chain id, as nodes compare it.
    pub network: String,
    /// The release that we say we are.
    pub version: String,
    /// Our name, for people.
    pub moniker: String,
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// Whom to stay connected with.
    pub dial: Vec<Target>,
    /// The channels that we say we have, and what becomes of their messages.
    pub channels: Vec<ChannelSpec>,
    /// Bounds.
    pub limits: Limits,
}

/// A transport at work; it ends with this value, and all its sessions with it.
pub struct Classic {
    /// The way to it.
    pub outbox: Outbox,
    /// What it tells.
    pub events: mpsc::Receiver<Event>,
    /// Where it listens, with the port that the system chose if it was asked to.
    pub listening: Option<SocketAddr>,
    /// Our id.
    pub id: NodeId,
    _tasks: JoinSet<()>,
}

/// What keeps a transport at work that was taken apart: it ends with this value.
#[derive(Debug)]
pub struct Keep {
    _tasks: JoinSet<()>,
}

impl Classic {
    /// Takes the transport apart for a service that runs on its own.
    #[must_use]
    pub fn into_parts(self) -> (Outbox, mpsc::Receiver<Event>, Keep) {
        (self.outbox, self.events, Keep { _tasks: self._tasks })
    }
}

/// What all connections of a transport share.
struct Shared {
    key: Arc<NodeKey>,
    info: Arc<NodeInfo>,
    channels: Vec<ChannelSpec>,
    limits: Limits,
    places: Arc<Places>,
    table: Table,
    events: mpsc::Sender<Event>,
    quiet: Quiet,
    memory: Memory,
}

/// Starts a transport; must be called within a runtime.
///
/// # Errors
/// When it cannot listen at the address.
pub async fn start(config: Config) -> io::Result<Classic> {
    let listener = match config.listen {
        Some(address) => Some(TcpListener::bind(address).await?),
        None => None,
    };
    let listening = listener.as_ref().map(TcpListener::local_addr).transpose()?;
    let id = config.key.id();
    let (outbox, commands) = Outbox::new(COMMANDS_MAX);
    let (told, events) = mpsc::channel(EVENTS_MAX);
    let shared = Arc::new(Shared {
        info: Arc::new(about(&config, id, listening)),
        key: config.key,
        places: Arc::new(Places::new(&config.limits)),
        table: Table::new(&config.channels),
        channels: config.channels,
        limits: config.limits,
        events: told,
        quiet: Quiet::default(),
        memory: Memory::new(config.limits.memory_bytes_max),
    });
    let mut tasks = JoinSet::new();
    if let Some(listener) = listener {
        tasks.spawn(listen::run(listener, Arc::clone(&shared)));
    }
    for target in config.dial {
        tasks.spawn(dial::run(target, Arc::clone(&shared)));
    }
    tasks.spawn(table::route(commands, shared));
    Ok(Classic { outbox, events, listening, id, _tasks: tasks })
}

/// What we say of ourselves.
fn about(config: &Config, id: NodeId, listening: Option<SocketAddr>) -> NodeInfo {
    // Nodes refuse a claim without an address, also of somebody who does not listen.
    let address = listening.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
    NodeInfo {
        p2p_protocol: P2P_PROTOCOL,
        block_protocol: BLOCK_PROTOCOL,
        app_protocol: 0,
        id: id.to_string(),
        listen_address: format!("tcp://{address}"),
        network: config.network.clone(),
        version: config.version.clone(),
        channels: config.channels.iter().map(|spec| spec.channel.0).collect::<Bytes>(),
        moniker: config.moniker.clone(),
        tx_index: "off".to_owned(),
        rpc_address: String::new(),
    }
}
