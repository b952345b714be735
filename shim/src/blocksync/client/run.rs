//! Drives a fetch over the sessions of one transport.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::{Action, Fetch};
use crate::peering::{Channel, Event, Outbox};

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
}

/// Proves blocks, and keeps those that hold.
pub trait Judge: Send + Sync {
    /// Takes a block if it is the chain's. May block the thread; called for one block at a time, in no particular order.
    ///
    /// # Errors
    /// Why it is not: its peer is let go, and the height is asked of another.
    fn judge(&self, claimed: Claimed) -> Result<(), String>;
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
    /// The transport has ended.
    #[error("the transport has ended")]
    TransportEnded,
}

fn first(heights: &[u64]) -> String {
    heights.first().map(|height| format!(", the first is {height}")).unwrap_or_default()
}

/// Fetches until every height was judged to be the chain's. `idle_max`: how long to go on without a block that holds.
///
/// # Errors
/// [`FetchError`]. What was judged until then stays with the judge.
pub async fn run(
    mut fetch: Fetch,
    judge: Arc<dyn Judge>,
    mut events: mpsc::Receiver<Event>,
    outbox: Outbox,
    idle_max: Duration,
) -> Result<(), FetchError> {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    while !fetch.is_done() {
        tokio::select! {
            // What has come is looked at before anything is found to be late.
            biased;
            event = events.recv() => hear(&mut fetch, event.ok_or(FetchError::TransportEnded)?),
            _ = tick.tick() => fetch.tick(Instant::now()),
        }
        if act(&mut fetch, &judge, &outbox).await {
            last = Instant::now();
        }
        if !fetch.is_done() && last.elapsed() >= idle_max {
            return Err(FetchError::Idle { seconds: idle_max.as_secs(), wanting: fetch.wanting().collect() });
        }
    }
    Ok(())
}

/// Does what is to be done; whether a block held.
async fn act(fetch: &mut Fetch, judge: &Arc<dyn Judge>, outbox: &Outbox) -> bool {
    let mut one_held = false;
    loop {
        let actions = fetch.actions();
        if actions.is_empty() {
            return one_held;
        }
        for action in actions {
            match action {
                Action::Send { session, payload } => {
                    let outbox = outbox.clone();
                    // At most as many as a peer has requests open; one that is not taken is not answered.
                    tokio::spawn(async move { outbox.send(session, Channel::BLOCKSYNC, payload).await });
                }
                Action::LetGo { session, reason } => outbox.close(session, reason).await,
                Action::Block { height, block, extended_commit, .. } => {
                    let (judge, claimed) = (Arc::clone(judge), Claimed { height, block, extended_commit });
                    let judged = tokio::task::spawn_blocking(move || judge.judge(claimed)).await;
                    match judged.unwrap_or_else(|_| Err("it could not be judged".to_owned())) {
                        Ok(()) => {
                            one_held = true;
                            fetch.accept(height, Instant::now());
                        }
                        Err(reason) => fetch.reject(height, &reason, Instant::now()),
                    }
                }
            }
        }
    }
}

fn hear(fetch: &mut Fetch, event: Event) {
    match event {
        Event::Connected { session, .. } => fetch.connected(session),
        Event::Message { session, channel: Channel::BLOCKSYNC, payload } => {
            fetch.received(session, payload, Instant::now());
        }
        Event::Closed { session, .. } => fetch.closed(session, Instant::now()),
        // Other channels are not ours; a refusal has no session.
        Event::Message { .. } | Event::Refused { .. } => {}
    }
}
