//! Transports and behaviours: QUIC, and TCP with Noise and Yamux; identify, ping, connection limits, our streams.

use std::time::Duration;

use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{PeerId, Swarm, SwarmBuilder, identify, noise, ping, tcp, yamux};

use crate::own::protocol::Protocol;
use crate::own::streams;

/// How long a connection stays on which no stream is open and no agreement was reached.
const IDLE: Duration = Duration::from_secs(60);

/// Connections whose handshake is under way at a time.
const PENDING_MAX: u32 = 64;

/// Connections with one peer: one that each side dialled, and one to spare.
const PER_PEER_MAX: u32 = 3;

/// What identify says of the family of protocols.
const PROTOCOL_VERSION: &str = "node-migrate/1";

/// All that goes on on our connections.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    limits: connection_limits::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(super) streams: streams::Behaviour,
}

/// A swarm that accepts some protocols. Peers in `always` have a place beside the limit.
pub(super) fn build(
    identity: &Keypair,
    agent: &str,
    connections_max: u32,
    always: &[PeerId],
    accepted: Vec<Protocol>,
) -> Result<Swarm<Behaviour>, noise::Error> {
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(PENDING_MAX))
        .with_max_established_incoming(Some(connections_max))
        .with_max_established_per_peer(Some(PER_PEER_MAX));
    let mut limits = connection_limits::Behaviour::new(limits);
    always.iter().for_each(|peer| limits.bypass_peer_id(peer));
    let config = identify::Config::new(PROTOCOL_VERSION.to_owned(), identity.public());
    // Who dials whom is in the configuration: nobody needs to learn our addresses, nor we theirs.
    let config = config.with_agent_version(agent.to_owned()).with_cache_size(0).with_hide_listen_addrs(true);
    let behaviour = Behaviour {
        limits,
        identify: identify::Behaviour::new(config),
        ping: ping::Behaviour::default(),
        streams: streams::Behaviour::new(accepted),
    };
    let builder = SwarmBuilder::with_existing_identity(identity.clone())
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)?
        .with_quic();
    let Ok(builder) = builder.with_behaviour(|_| behaviour);
    Ok(builder.with_swarm_config(|config| config.with_idle_connection_timeout(IDLE)).build())
}
