//! The loop that owns the swarm. It never waits for anything but what may come next.

use std::sync::Arc;
use std::time::Duration;

use libp2p::core::ConnectedPoint;
use libp2p::futures::StreamExt;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, ListenError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, TransportError, identify, noise, ping};
use proto::hello::Hello;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

use crate::own::hello::Opener;
use crate::own::protocol::{Protocol, is_near};
use crate::own::streams::{self, Inbound};
use crate::own::words::words;

use super::config::Config;
use super::dial::{Roster, resolve};
use super::event::Event;
use super::handle::Handle;
use super::relay::{self, Relay};
use super::session::Session;
use super::shared::{Command, Given, Shared};
use super::swarm::{Behaviour, BehaviourEvent};
use super::{greet, serve, swarm, witness};

/// How often what is due is looked for.
const TICK: Duration = Duration::from_millis(250);

/// Least time between two events about connections that were not taken.
const REFUSALS_EVERY: Duration = Duration::from_secs(10);

/// Commands and events that may wait.
const QUEUE: usize = 1_024;

/// Names near ours that an event lists.
const NEAR_MAX: usize = 8;

/// Why a node cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The identity cannot make a key for TCP connections.
    #[error("the node's identity makes no Noise key: {source}")]
    Noise {
        /// Why.
        #[from]
        source: noise::Error,
    },
    /// It cannot listen there.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: Multiaddr,
        /// Why.
        source: TransportError<std::io::Error>,
    },
}

/// Starts a node on the current Tokio runtime. Events that nobody takes are counted and lost.
///
/// # Errors
/// [`StartError`].
pub fn start(config: Config) -> Result<(Handle, mpsc::Receiver<Event>), StartError> {
    let Config { identity, listen, peers, connections_max, hello, source, book, relay, counters } = config;
    let always: Vec<PeerId> = peers.iter().map(|peer| peer.id).collect();
    let mut swarm =
        swarm::build(&identity, hello.agent.as_str(), connections_max, &always, accepted(&hello, relay.is_some()))?;
    for address in listen {
        swarm.listen_on(address.clone()).map_err(|source| StartError::Listen { address, source })?;
    }
    let (commands, ordered) = mpsc::channel(QUEUE);
    let (events, told) = mpsc::channel(QUEUE);
    let (alive, stopped) = watch::channel(());
    let relay = relay.map(|inbox| Relay::new(inbox, &always));
    let shared = Arc::new(Shared::new(Given { source, counters, book, hello, always, relay }, commands, events));
    relay::start(&shared, &stopped);
    let handle = Handle { id: *swarm.local_peer_id(), shared: Arc::clone(&shared), _alive: Arc::new(alive) };
    let task = Task { swarm, shared, roster: Roster::new(peers), refusals: Refusals::default() };
    tokio::spawn(task.run(ordered, stopped));
    Ok((handle, told))
}

/// The protocols that a node with this hello accepts: hello and attestations always, blocks in the versions that it
/// serves at its height, messages of the program above if that wants them.
fn accepted(hello: &Hello, relays: bool) -> Vec<Protocol> {
    let blocks = hello.terms.servable_at(hello.status.tip()).filter_map(Protocol::of_blocks);
    let others = [Protocol::Attest].into_iter().chain(relays.then_some(Protocol::Relay));
    [Protocol::Hello].into_iter().chain(blocks).chain(others).collect()
}

struct Task {
    swarm: Swarm<Behaviour>,
    shared: Arc<Shared>,
    roster: Roster,
    refusals: Refusals,
}

/// Connections that were not taken and not told yet.
#[derive(Default)]
struct Refusals {
    count: u64,
    last: Option<Multiaddr>,
    told: Option<Duration>,
}

impl Task {
    async fn run(mut self, mut ordered: mpsc::Receiver<Command>, mut stopped: watch::Receiver<()>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                Some(command) = ordered.recv() => self.on_command(command),
                _ = tick.tick() => self.on_tick(),
                // The last handle is gone.
                Err(_) = stopped.changed() => return,
            }
        }
    }

    fn on_tick(&mut self) {
        let now = self.shared.now();
        for peer in self.roster.poll(now) {
            let shared = Arc::clone(&self.shared);
            tokio::spawn(async move {
                let addresses = resolve(&peer.addresses).await;
                shared.order(Command::Dial { peer: peer.id, addresses }).await;
            });
        }
        let is_due = |session: &&Arc<Session>| session.due().is_some_and(|due| due <= now);
        let due: Vec<Arc<Session>> = self.shared.sessions().values().filter(is_due).cloned().collect();
        due.iter().for_each(|session| self.greet(session));
        self.tell_refusals(now);
    }

    fn greet(&self, session: &Arc<Session>) {
        if let Some(greeting) = session.greet(self.shared.now()) {
            tokio::spawn(greet::greet(Arc::clone(&self.shared), Arc::clone(session), greeting));
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Open { connection, protocol, opened } => {
                self.swarm.behaviour_mut().streams.open(connection, protocol, opened);
            }
            Command::Dial { peer, addresses } => self.dial(peer, addresses),
            Command::Keep { connection, is_kept } => {
                self.swarm.behaviour_mut().streams.keep(connection, is_kept);
                let session = self.shared.sessions().get(&connection).cloned();
                if let Some(session) = session.filter(|_| is_kept) {
                    self.roster.agreed(session.peer);
                }
            }
            Command::Close { connection } => {
                self.swarm.close_connection(connection);
            }
            Command::Accept { hello } => {
                let accepted = accepted(&hello, self.shared.relay.is_some());
                self.swarm.behaviour_mut().streams.set_accepted(&accepted);
            }
        }
    }

    fn dial(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        // One after another: QUIC before TCP.
        let one = std::num::NonZeroU8::MIN;
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(addresses)
            .override_dial_concurrency_factor(one);
        if let Err(error) = self.swarm.dial(options.build())
            && !self.swarm.is_connected(&peer)
        {
            self.unreachable(peer, &error.to_string());
        }
    }

    fn unreachable(&mut self, peer: PeerId, reason: &str) {
        self.shared.counters.count("dial", "", "failed");
        if self.roster.lost(peer, self.shared.now()) {
            let reason = words(reason);
            self.shared.tell(Event::Unreachable { peer, reason });
        }
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => self.shared.tell(Event::Listening { address }),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.connected(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, cause, .. } => {
                let reason = cause.map_or_else(|| "closed by this node".to_owned(), |cause| cause.to_string());
                self.closed(peer_id, connection_id, num_established == 0, &reason);
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                self.not_taken(send_back_addr, &error);
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                self.unreachable(peer, &error.to_string());
            }
            SwarmEvent::Behaviour(BehaviourEvent::Streams(event)) => self.on_stream(event),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                connection_id, info, ..
            })) => {
                self.identified(connection_id, &info);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { connection, result: Err(failure), .. }))
                if !matches!(failure, ping::Failure::Unsupported) =>
            {
                // A peer that is gone without a word: no stream would tell. One that lacks the protocol is there.
                self.swarm.close_connection(connection);
            }
            _ => {}
        }
    }

    fn connected(&mut self, peer: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let opener = if endpoint.is_dialer() { Opener::Local } else { Opener::Remote };
        let hello = self.shared.hello().clone();
        let session = Arc::new(Session::new(peer, connection, hello, opener, self.shared.now()));
        self.shared.sessions().insert(connection, Arc::clone(&session));
        self.shared.connections.send_replace(());
        self.shared.counters.count("connections", "", if endpoint.is_dialer() { "dialled" } else { "taken" });
        let address = endpoint.get_remote_address().clone();
        self.shared.tell(Event::Connected { peer, address, is_outbound: endpoint.is_dialer() });
        self.roster.connected(peer);
        self.greet(&session);
    }

    fn closed(&mut self, peer: PeerId, connection: ConnectionId, is_last: bool, reason: &str) {
        self.shared.sessions().remove(&connection);
        self.shared.counters.count("connections", "", "closed");
        if is_last {
            self.roster.lost(peer, self.shared.now());
        }
        self.shared.tell(Event::Closed { peer, reason: words(reason) });
    }

    fn not_taken(&mut self, address: Multiaddr, error: &ListenError) {
        if !matches!(error, ListenError::Denied { .. }) {
            return self.shared.counters.count("connections", "", "failed");
        }
        self.shared.counters.count("connections", "", "refused");
        self.refusals.count += 1;
        self.refusals.last = Some(address);
        self.tell_refusals(self.shared.now());
    }

    fn tell_refusals(&mut self, now: Duration) {
        let Refusals { count, last, told } = &mut self.refusals;
        if told.is_some_and(|told| now < told.saturating_add(REFUSALS_EVERY)) {
            return;
        }
        if let Some(address) = last.take() {
            self.shared.tell(Event::ConnectionsRefused { count: std::mem::take(count), address });
            *told = Some(now);
        }
    }

    /// The listener's side of what libp2p tells the dialler alone: which protocols the peer lacks.
    fn identified(&self, connection: ConnectionId, info: &identify::Info) {
        let session = self.shared.sessions().get(&connection).cloned();
        let Some(session) = session else { return };
        session.set_agent(&info.agent_version);
        if info.protocols.iter().any(|protocol| *protocol == Protocol::Hello.name()) {
            return;
        }
        self.shared.counters.count("identify", &session.agent(), "foreign");
        if session.is_news(Protocol::Hello, "foreign") {
            let names = info.protocols.iter().map(AsRef::as_ref).filter(|name| is_near(name));
            let near = names.take(NEAR_MAX).map(words).collect();
            self.shared.tell(Event::Foreign { peer: session.peer, agent: session.agent(), near });
        }
    }

    fn on_stream(&self, streams::Event { connection, inbound, .. }: streams::Event) {
        // The connection may be over by now; then so is the stream.
        let Some(session) = self.shared.sessions().get(&connection).cloned() else { return };
        let shared = Arc::clone(&self.shared);
        match inbound {
            Inbound::Admitted(protocol, stream, place) => match protocol.version() {
                Some(version) => {
                    tokio::spawn(serve::serve(shared, session, version, stream, place));
                }
                None if protocol == Protocol::Attest => {
                    tokio::spawn(witness::answer(shared, session, stream, place));
                }
                None if protocol == Protocol::Relay => {
                    tokio::spawn(relay::receive(shared, session, stream, place));
                }
                None => {
                    tokio::spawn(greet::answer(shared, session, stream, place));
                }
            },
            Inbound::Refused(protocol, stream, place) => {
                tokio::spawn(serve::busy(shared, session, protocol, stream, place));
            }
            Inbound::Dropped(protocol) => {
                self.shared.counters.count(protocol.short(), &session.agent(), "dropped");
            }
        }
    }
}
