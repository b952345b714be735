//! Drives a fetch over the sessions of one transport.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::{Action, Fetch};
use crate::blocksync::service::{Log, Note};
use crate::peering::{Channel, Event, Outbox, Peer, Session};

/// How often time passes for the fetch.
const TICK: Duration = Duration::from_secs(1);

/// A block as a peer sent it, not yet known to be the chain's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The height that was asked for.
    pub height: u64,
    /// `tendermint.types.Block`.
    pub block: Bytes,
    /// `tendermint.types.ExtendedCommit`.
    pub extended_commit: Option<Bytes>,
    /// Who sent it.
    pub peer: Arc<Peer>,
}

/// Why a block was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is not the chain's, for this reason.
    Wrong(String),
    /// What would prove it is in the block above, which has not come yet.
    TooEarly,
}

/// Proves blocks, and keeps those that hold.
pub trait Judge: Send + Sync {
    /// Takes a block if it is the chain's. May block the thread; called for one block at a time, in no particular order.
    ///
    /// # Errors
    /// [`Unfit::Wrong`]: its peer is let go and not asked any more, and the height is asked of another.
    /// [`Unfit::TooEarly`]: the height is asked for again when the one above was taken.
    fn judge(&self, claimed: Claimed) -> Result<(), Unfit>;
}

/// Whose fetch it is.
#[derive(Clone)]
pub struct Client {
    /// Name of the transport, for the log.
    pub transport: &'static str,
    /// Who proves and keeps the blocks.
    pub judge: Arc<dyn Judge>,
    /// Who hears of the peers.
    pub log: Arc<dyn Log>,
    /// How many peers there are to ask: when all of them have sent wrong blocks, nobody is left.
    pub peers: usize,
    /// How long to go on without a block that holds.
    pub idle_max: Duration,
}

/// Why a fetch ended without all of its heights.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// For too long no block came that holds.
    #[error("no block that holds came within {seconds} s; {} heights that no peer has are waited for{}", .wanting.len(), first(.wanting))]
    Idle {
        /// How long it was waited.
        seconds: u64,
        /// Heights among those asked for at the moment that no peer has, lowest first.
        wanting: Vec<u64>,
    },
    /// Every peer sent a block that is not the chain's.
    #[error("every peer sent a block that is not the chain's")]
    NobodyLeft,
    /// The transport has ended.
    #[error("the transport has ended")]
    TransportEnded,
}

fn first(heights: &[u64]) -> String {
    heights.first().map(|height| format!(", the first is {height}")).unwrap_or_default()
}

/// Fetches until every height was judged to be the chain's.
///
/// # Errors
/// [`FetchError`]. What was judged until then stays with the judge.
pub async fn run(
    client: Client,
    fetch: Fetch,
    mut events: mpsc::Receiver<Event>,
    outbox: Outbox,
) -> Result<(), FetchError> {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    let mut run = Run { client, fetch, outbox, peers: HashMap::new(), liars: BTreeSet::new() };
    while !run.fetch.is_done() {
        tokio::select! {
            // What has come is looked at before anything is found to be late.
            biased;
            event = events.recv() => run.hear(event.ok_or(FetchError::TransportEnded)?).await,
            _ = tick.tick() => run.fetch.tick(Instant::now()),
        }
        if run.act().await {
            last = Instant::now();
        }
        if run.liars.len() >= run.client.peers {
            return Err(FetchError::NobodyLeft);
        }
        let idle_max = run.client.idle_max;
        if !run.fetch.is_done() && last.elapsed() >= idle_max {
            return Err(FetchError::Idle { seconds: idle_max.as_secs(), wanting: run.fetch.wanting().collect() });
        }
    }
    Ok(())
}

/// A fetch under way.
struct Run {
    client: Client,
    fetch: Fetch,
    outbox: Outbox,
    peers: HashMap<Session, Arc<Peer>>,
    /// Peers that sent a block which is not the chain's: however often they come back, they are not asked.
    liars: BTreeSet<Arc<str>>,
}

impl Run {
    /// Does what is to be done; whether a block held.
    async fn act(&mut self) -> bool {
        let mut one_held = false;
        loop {
            let actions = self.fetch.actions();
            if actions.is_empty() {
                return one_held;
            }
            for action in actions {
                match action {
                    Action::Send { session, payload } => {
                        let outbox = self.outbox.clone();
                        // At most as many as a peer has requests open; one that is not taken is not answered.
                        tokio::spawn(async move { outbox.send(session, Channel::BLOCKSYNC, payload).await });
                    }
                    Action::LetGo { session, reason } => self.let_go(session, reason).await,
                    Action::Block { session, height, block, extended_commit } => {
                        one_held |= self.judge(session, height, block, extended_commit).await;
                    }
                }
            }
        }
    }

    /// Has a block judged; whether it held.
    async fn judge(&mut self, session: Session, height: u64, block: Bytes, extended_commit: Option<Bytes>) -> bool {
        let Some(peer) = self.peers.get(&session).cloned() else {
            self.fetch.reject(height, "its session is over", Instant::now());
            return false;
        };
        let (judge, id) = (Arc::clone(&self.client.judge), Arc::clone(&peer.id));
        let claimed = Claimed { height, block, extended_commit, peer };
        let judged = tokio::task::spawn_blocking(move || judge.judge(claimed)).await;
        let judged = judged.unwrap_or_else(|_| Err(Unfit::Wrong("it could not be judged".to_owned())));
        let now = Instant::now();
        match &judged {
            Ok(()) => self.fetch.accept(height, now),
            Err(Unfit::TooEarly) => self.fetch.postpone(height, now),
            Err(Unfit::Wrong(reason)) => {
                self.liars.insert(id);
                self.fetch.reject(height, reason, now);
            }
        }
        judged.is_ok()
    }

    async fn let_go(&mut self, session: Session, reason: String) {
        if let Some(peer) = self.peers.get(&session) {
            self.client.log.note(&Note::LetGo { transport: self.client.transport, peer, reason: &reason });
        }
        self.outbox.close(session, reason).await;
    }

    async fn hear(&mut self, event: Event) {
        let transport = self.client.transport;
        match event {
            Event::Connected { session, peer } if self.liars.contains(&peer.id) => {
                self.outbox.close(session, "it sent a block that is not the chain's").await;
            }
            Event::Connected { session, peer } => {
                self.client.log.note(&Note::Connected { transport, peer: &peer });
                self.peers.insert(session, Arc::new(peer));
                self.fetch.connected(session);
            }
            Event::Message { session, channel: Channel::BLOCKSYNC, payload } => {
                self.fetch.received(session, payload, Instant::now());
            }
            // Other channels are not ours.
            Event::Message { .. } => {}
            Event::Closed { session, reason } => {
                if let Some(peer) = self.peers.remove(&session) {
                    self.client.log.note(&Note::Closed { transport, peer: &peer, reason: &reason });
                }
                self.fetch.closed(session, Instant::now());
            }
            Event::Refused { address, direction, reason } => {
                self.client.log.note(&Note::Refused { transport, address: &address, direction, reason: &reason });
            }
        }
    }
}
