//! A tunnel from its start to its end: reaches both nodes, joins them, and begins anew when either is gone.
//!
//! Every session has its own identity on libp2p. A node there does not notice at once that a connection is lost and keeps the
//! state of its peer; the same identity would come back into that state and hear nothing. For the same reason the tunnel
//! listens: the node tries to dial the old identity, fails, and removes it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use super::guard::{Claim, Pair};
use super::join::{Ended, Side, join};
use super::meters::{Meters, Way};
use super::notice::{End, Notice, Tell};
use crate::classic::multiplex::ChannelSpec;
use crate::classic::node_key::NodeKey;
use crate::classic::transport::{self as classic, Classic};
use crate::lp2p::{self, Accept, Identity, Options, Transport};
use crate::peering::{Channel, Direction, Event, Outbox, Peer, Session};

/// The first pause between attempts, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// A session of this length ends the growth of the pauses.
const LASTING: Duration = Duration::from_secs(60);

/// How long the libp2p node may take to become a session.
const LP2P_TIMEOUT: Duration = Duration::from_secs(20);

/// How long to wait for the classic node before the libp2p end is built anew.
const CLASSIC_TIMEOUT: Duration = Duration::from_secs(120);

/// How a tunnel is set up.
pub struct Settings {
    /// What both nodes run.
    pub pair: Pair,
    /// The chain, as classic nodes compare it.
    pub chain_id: String,
    /// The classic node.
    pub classic: classic::Target,
    /// Our key on the classic transport.
    pub classic_key: Arc<NodeKey>,
    /// The libp2p node.
    pub lp2p: lp2p::Target,
    /// Where to listen, UDP, and the address to tell when that is not it.
    pub listen: SocketAddr,
    /// See [`lp2p::Config::advertise`].
    pub advertise: Option<SocketAddr>,
    /// Name and version of this program.
    pub agent: String,
    /// How slow the nodes may be.
    pub patience: Patience,
}

/// How slow nodes may be before a message, or a session, is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a message to be receipted, beside what its bytes take.
    pub receipt: Duration,
    /// For the first message of a node after both are joined.
    pub first_word: Duration,
}

impl Default for Patience {
    /// A receipt in the time that nodes give a stream, a first word in half as much more.
    fn default() -> Self {
        Self { receipt: Duration::from_secs(10), first_word: Duration::from_secs(15) }
    }
}

/// What makes every further attempt pointless.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TunnelError {
    /// A node runs another release than stated.
    #[error("{reason}; a tunnel between releases with different consensus rules would stop the network")]
    Contradiction {
        /// What contradicts.
        reason: String,
    },
    /// The libp2p end cannot listen.
    #[error(transparent)]
    Listen(#[from] lp2p::transport::StartError),
}

/// Runs until `stop` turns true, or until going on would be pointless. Both nodes are told of the end.
///
/// # Errors
/// [`TunnelError`].
pub async fn run(
    settings: &Settings,
    meters: &Meters,
    tell: Tell<'_>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), TunnelError> {
    let mut pause = PAUSES.0;
    loop {
        let begin = Instant::now();
        let Some(Ended { end, reason }) = attempt(settings, meters, tell, &mut stop).await? else { break };
        tell(Notice::Ended { end, reason });
        if begin.elapsed() >= LASTING {
            pause = PAUSES.0;
        }
        tell(Notice::pause(pause));
        tokio::select! {
            () = sleep(pause) => {}
            () = told_to(&mut stop) => break,
        }
        pause = (pause * 2).min(PAUSES.1);
    }
    tell(Notice::Stopped);
    Ok(())
}

async fn told_to(stop: &mut watch::Receiver<bool>) {
    // Who can no longer say it has ended.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// One session, from nothing; `None` when told to stop.
async fn attempt(
    settings: &Settings,
    meters: &Meters,
    tell: Tell<'_>,
    stop: &mut watch::Receiver<bool>,
) -> Result<Option<Ended>, TunnelError> {
    let config = lp2p::Config {
        identity: Identity::fresh(),
        listen: settings.listen,
        advertise: settings.advertise,
        agent: settings.agent.clone(),
        inbound_connections_max: 8,
        // The node dials us when it has lost the connection before we have.
        options: Options {
            patience: settings.patience.receipt,
            ..Options::new(settings.pair.transport(), Accept::Only(vec![settings.lp2p.peer]))
        },
    };
    let (transport, outbox, mut events) = Transport::start(config).await?;
    meters.follow(transport.traffic());
    let session = Attempt { settings, meters, tell, transport: &transport, outbox: &outbox };
    let ended = tokio::select! {
        ended = session.run(&mut events) => Some(ended),
        () = told_to(stop) => None,
    };
    transport.stop().await;
    match ended {
        Some(Err(Obstacle::Passing(ended))) => Ok(Some(ended)),
        Some(Err(Obstacle::Final(error))) => Err(error),
        Some(Ok(ended)) => Ok(Some(ended)),
        None => Ok(None),
    }
}

/// Why there was no session.
enum Obstacle {
    Passing(Ended),
    Final(TunnelError),
}

/// What a session is made of.
struct Attempt<'a> {
    settings: &'a Settings,
    meters: &'a Meters,
    tell: Tell<'a>,
    transport: &'a Transport,
    outbox: &'a Outbox,
}

impl Attempt<'_> {
    /// The libp2p node first: it takes no notice of us before the first message, so nobody is disturbed while the other is away.
    async fn run(&self, events: &mut mpsc::Receiver<Event>) -> Result<Ended, Obstacle> {
        let (lp2p, lp2p_peer) = self.reach_lp2p(events).await?;
        let mut classic = self.start_classic().await?;
        let (session, peer) = tokio::select! {
            found = timeout(CLASSIC_TIMEOUT, self.reach_classic(&mut classic.events)) => {
                found.unwrap_or_else(|_| Err(passing(End::Classic, format!("no session within {} s", CLASSIC_TIMEOUT.as_secs()))))?
            }
            ended = self.watch(lp2p, events) => return Ok(ended),
        };
        self.check(&peer)?;
        (self.tell)(Notice::Joined {
            classic: peer.id.to_string(),
            agent: peer.agent.to_string(),
            lp2p: lp2p_peer.id.to_string(),
            identity: self.transport.peer_id().to_string(),
        });
        self.meters.session();
        let near = Side { end: End::Classic, session, outbox: &classic.outbox, events: &mut classic.events };
        let far = Side { end: End::Lp2p, session: lp2p, outbox: self.outbox, events };
        Ok(join(near, far, self.settings.patience.first_word, self.meters, self.tell).await)
    }

    async fn reach_lp2p(&self, events: &mut mpsc::Receiver<Event>) -> Result<(Session, Peer), Obstacle> {
        let dialled = self.transport.dial(self.settings.lp2p.clone()).await;
        dialled.map_err(|error| passing(End::Lp2p, format!("{}: {error}", self.settings.lp2p.host)))?;
        let found = async {
            loop {
                match events.recv().await {
                    Some(Event::Connected { session, peer }) => return Ok((session, peer)),
                    Some(Event::Refused { direction: Direction::Outbound, reason, .. }) => {
                        return Err(passing(End::Lp2p, reason));
                    }
                    Some(Event::Refused { reason, .. }) => (self.tell)(Notice::Refused { end: End::Lp2p, reason }),
                    Some(Event::Message { .. } | Event::Closed { .. }) => {}
                    None => return Err(passing(End::Lp2p, "its transport has ended".into())),
                }
            }
        };
        let slow = |_| Err(passing(End::Lp2p, format!("no session within {} s", LP2P_TIMEOUT.as_secs())));
        timeout(LP2P_TIMEOUT, found).await.unwrap_or_else(slow)
    }

    async fn start_classic(&self) -> Result<Classic, Obstacle> {
        let config = classic::Config {
            key: Arc::clone(&self.settings.classic_key),
            network: self.settings.chain_id.clone(),
            version: self.settings.agent.clone(),
            moniker: "tunnel".into(),
            listen: None,
            dial: vec![self.settings.classic.clone()],
            channels: Channel::ALL.map(ChannelSpec::of_a_node).to_vec(),
            limits: classic::Limits::default(),
        };
        classic::start(config).await.map_err(|error| passing(End::Classic, error.to_string()))
    }

    /// Its transport dials until there is a session, and every refusal is told.
    async fn reach_classic(&self, events: &mut mpsc::Receiver<Event>) -> Result<(Session, Peer), Obstacle> {
        loop {
            match events.recv().await {
                Some(Event::Connected { session, peer }) => return Ok((session, peer)),
                Some(Event::Refused { reason, .. }) => (self.tell)(Notice::Refused { end: End::Classic, reason }),
                Some(Event::Message { .. } | Event::Closed { .. }) => {}
                None => return Err(passing(End::Classic, "its transport has ended".into())),
            }
        }
    }

    /// The libp2p session while there is nobody to pass anything on to; returns when it is gone.
    async fn watch(&self, session: Session, events: &mut mpsc::Receiver<Event>) -> Ended {
        loop {
            match events.recv().await {
                Some(Event::Closed { session: closed, reason }) if closed == session => {
                    return Ended { end: End::Lp2p, reason };
                }
                Some(Event::Message { channel, .. }) => self.meters.lost(Way::ToClassic, channel),
                Some(_) => {}
                None => return Ended { end: End::Lp2p, reason: "its transport has ended".into() },
            }
        }
    }

    /// Each session anew: the node may have been upgraded meanwhile.
    fn check(&self, peer: &Peer) -> Result<(), Obstacle> {
        match Claim::check(self.settings.pair.classic(), &peer.agent) {
            Claim::Agrees => Ok(()),
            Claim::Doubtful(reason) => {
                (self.tell)(Notice::Doubt { reason });
                Ok(())
            }
            Claim::Contradicts(reason) => Err(Obstacle::Final(TunnelError::Contradiction { reason })),
        }
    }
}

fn passing(end: End, reason: String) -> Obstacle {
    Obstacle::Passing(Ended { end, reason })
}
