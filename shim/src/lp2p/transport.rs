//! The ready-made transport: one swarm over QUIC, as one task, with CometBFT's channels, identify and ping.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::futures::StreamExt;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, DialError, NetworkBehaviour, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, SwarmBuilder, identify, ping};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::behaviour::{Behaviour, Options, Signal, innermost};
use super::identity::Identity;
use super::target::{Target, quic_address};
use super::traffic::Traffic;
use crate::peering::{Direction, Event, Outbox};

/// Streams that a peer may have open to us at once: as many as a node of Go allows us.
const STREAMS_MAX: u32 = 256;

/// More than [`STREAMS_MAX`], so that a peer that fills its streams with slow messages is still pinged.
const NEGOTIATING_MAX: usize = 512;

/// A connection over which nothing is kept alive ends after this.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a listener may take to appear, and the connections to go.
const START_TIMEOUT: Duration = Duration::from_secs(5);
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Messages and notices that may wait for the service, and commands that may wait for the transport.
const EVENTS_MAX: usize = 256;
const COMMANDS_MAX: usize = 256;

/// How a transport is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who we are.
    pub identity: Identity,
    /// Where to listen, UDP; port 0 takes any. A peer must be able to reach it: a node that cannot keeps our entry for ever.
    pub listen: SocketAddr,
    /// The address to tell peers, when it is not the one listened on (behind a translation of addresses).
    pub advertise: Option<SocketAddr>,
    /// Name and version of this program, as identify tells them.
    pub agent: String,
    /// Connections that strangers may have to us at once.
    pub inbound_connections_max: u32,
    /// What the behaviour needs to know.
    pub options: Options,
}

/// Why a transport did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on UDP {listen}: {reason}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        reason: String,
    },
}

/// A running transport. It ends when this handle, or the service's end of either queue, is dropped.
#[derive(Debug)]
pub struct Transport {
    peer: PeerId,
    listeners: Vec<Multiaddr>,
    traffic: Arc<Traffic>,
    dials: mpsc::Sender<Dial>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Dial {
    target: Target,
    addresses: Vec<Multiaddr>,
}

#[derive(NetworkBehaviour)]
struct Composed {
    // First, so that a connection over the limit reaches no other.
    limits: connection_limits::Behaviour,
    comet: Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

impl Transport {
    /// Starts a transport and waits until it listens: the handle, the way to it, and what it tells.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(config: Config) -> Result<(Self, Outbox, mpsc::Receiver<Event>), StartError> {
        let listen = config.listen;
        let failed = |reason: String| StartError::Listen { listen, reason };
        let (events, told) = mpsc::channel(EVENTS_MAX);
        let (outbox, commands) = Outbox::new(COMMANDS_MAX);
        let comet = Behaviour::new(config.options.clone(), events, commands);
        let traffic = comet.traffic();
        let mut swarm = swarm(&config, comet);
        swarm.listen_on(quic_address(listen.ip(), listen.port())).map_err(|error| failed(error.to_string()))?;
        if let Some(advertise) = config.advertise {
            swarm.add_external_address(quic_address(advertise.ip(), advertise.port()));
        }
        let listeners = timeout(START_TIMEOUT, first_listeners(&mut swarm))
            .await
            .map_err(|_| failed("no listener within 5 s".into()))?;
        let listeners = listeners.map_err(failed)?;
        let (dials, to_dial) = mpsc::channel(COMMANDS_MAX);
        let peer = *swarm.local_peer_id();
        let task = tokio::spawn(Running { swarm, dials: to_dial, dialled: HashMap::new() }.run());
        Ok((Self { peer, listeners, traffic, dials, task }, outbox, told))
    }

    /// Our peer id.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        self.peer
    }

    /// Where it listens.
    #[must_use]
    pub fn listeners(&self) -> &[Multiaddr] {
        &self.listeners
    }

    /// What was done, and lost.
    #[must_use]
    pub fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// Dials a node; what comes of it is an event. A peer that is connected already is not dialled again.
    ///
    /// # Errors
    /// When the host name has no address.
    pub async fn dial(&self, target: Target) -> std::io::Result<()> {
        let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await?;
        let addresses: Vec<_> = found.map(|each| quic_address(each.ip(), each.port())).collect();
        // A transport that has ended has said so by its events.
        let _ = self.dials.send(Dial { target, addresses }).await;
        Ok(())
    }

    /// Closes every connection, and returns when the peers have been told or 2 s have passed.
    pub async fn stop(self) {
        drop(self.dials);
        // A panic of the task has ended the connections as well.
        let _ = self.task.await;
    }
}

fn swarm(config: &Config, comet: Behaviour) -> Swarm<Composed> {
    let identify = identify::Config::new(String::new(), config.identity.public())
        .with_agent_version(config.agent.clone())
        .with_hide_listen_addrs(config.advertise.is_some());
    let limits = ConnectionLimits::default()
        .with_max_established_incoming(Some(config.inbound_connections_max))
        .with_max_pending_incoming(Some(config.inbound_connections_max))
        .with_max_established_per_peer(Some(4));
    let composed = Composed {
        limits: connection_limits::Behaviour::new(limits),
        comet,
        identify: identify::Behaviour::new(identify),
        ping: ping::Behaviour::default(),
    };
    let built = SwarmBuilder::with_existing_identity(config.identity.keypair().clone())
        .with_tokio()
        .with_quic_config(|mut quic| {
            quic.max_concurrent_stream_limit = STREAMS_MAX;
            quic
        })
        .with_behaviour(|_| composed);
    let Ok(built) = built;
    built
        .with_swarm_config(|swarm| {
            swarm
                .with_idle_connection_timeout(IDLE_TIMEOUT)
                .with_max_negotiating_inbound_streams(NEGOTIATING_MAX)
                .with_dial_concurrency_factor(NonZeroU8::MIN)
        })
        .build()
}

/// The addresses of the listener that was asked for; on a wildcard address there are several.
async fn first_listeners(swarm: &mut Swarm<Composed>) -> Result<Vec<Multiaddr>, String> {
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { .. } => return Ok(swarm.listeners().cloned().collect()),
            SwarmEvent::ListenerClosed { reason: Err(error), .. } | SwarmEvent::ListenerError { error, .. } => {
                return Err(error.to_string());
            }
            _ => {}
        }
    }
}

struct Running {
    swarm: Swarm<Composed>,
    dials: mpsc::Receiver<Dial>,
    dialled: HashMap<ConnectionId, Target>,
}

impl Running {
    async fn run(mut self) {
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => {
                    if self.on_event(event).is_break() {
                        break;
                    }
                }
                dial = self.dials.recv() => match dial {
                    Some(dial) => self.dial(dial),
                    None => break,
                },
            }
        }
        self.stop().await;
    }

    fn dial(&mut self, dial: Dial) {
        let opts = DialOpts::peer_id(dial.target.peer).addresses(dial.addresses).build();
        let connection = opts.connection_id();
        match self.swarm.dial(opts) {
            Ok(()) => {
                self.dialled.insert(connection, dial.target);
            }
            // Connected, or about to be.
            Err(DialError::DialPeerConditionFalse(_)) => {}
            Err(error) => self.not_dialled(&dial.target, &error),
        }
    }

    fn not_dialled(&mut self, target: &Target, error: &DialError) {
        self.swarm.behaviour_mut().comet.refused(&target.to_string(), Direction::Outbound, dial_words(target, error));
    }

    fn on_event(&mut self, event: SwarmEvent<ComposedEvent>) -> std::ops::ControlFlow<()> {
        match event {
            SwarmEvent::Behaviour(ComposedEvent::Comet(Signal::ServiceGone)) => return std::ops::ControlFlow::Break(()),
            SwarmEvent::Behaviour(ComposedEvent::Comet(Signal::Stranger { peer, address, direction, reason })) => {
                self.swarm.behaviour_mut().comet.refused(&address.to_string(), direction, reason.into());
                // Gone already, perhaps.
                let _ = self.swarm.disconnect_peer_id(peer);
            }
            SwarmEvent::Behaviour(ComposedEvent::Identify(event)) => self.on_identify(event),
            SwarmEvent::ConnectionEstablished { connection_id, .. } => {
                self.dialled.remove(&connection_id);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                if let Some(target) = self.dialled.remove(&connection_id) {
                    self.not_dialled(&target, &error);
                }
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                let reason = innermost(&error);
                self.swarm.behaviour_mut().comet.refused(&send_back_addr.to_string(), Direction::Inbound, reason);
            }
            _ => {}
        }
        std::ops::ControlFlow::Continue(())
    }

    fn on_identify(&mut self, event: identify::Event) {
        let comet = &mut self.swarm.behaviour_mut().comet;
        match event {
            identify::Event::Received { peer_id, info, .. } => {
                comet.identified(peer_id, &info.agent_version, &info.protocols)
            }
            identify::Event::Sent { peer_id, .. } => comet.introduced(peer_id),
            identify::Event::Pushed { .. } | identify::Event::Error { .. } => {}
        }
    }

    async fn stop(mut self) {
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // Gone already, perhaps.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let gone = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        // Whoever has not heard of it by then finds out by silence.
        let _ = timeout(STOP_TIMEOUT, gone).await;
    }
}

/// Why a dial failed, with the remedy.
fn dial_words(target: &Target, error: &DialError) -> String {
    match error {
        DialError::WrongPeerId { obtained, .. } => {
            format!("the node there is {obtained}, not {}: is the peer id in the address right?", target.peer)
        }
        DialError::LocalPeerId { .. } => "that is this program itself".into(),
        DialError::Transport(attempts) => {
            let first = attempts.first().map_or_else(|| "no address".into(), |(_, error)| error.to_string());
            format!(
                "no libp2p node answers on UDP port {} ({first}): is [p2p.libp2p] enabled there, and the port open?",
                target.port
            )
        }
        other => other.to_string(),
    }
}
