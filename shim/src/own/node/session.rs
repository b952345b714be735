//! What is known of one connection.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use proto::hello::{Hello, Version};
use proto::negotiate::{Agreement, Incompatible, Party};
use tokio::sync::watch;

use crate::own::hello::{Change, Greeter, Opener, Received};
use crate::own::protocol::Protocol;
use crate::own::words::words;

/// How long a request may wait for the hellos to be exchanged.
const PATIENCE: Duration = Duration::from_secs(5);

/// Rules that a peer may break on a connection before that is closed; it may come back at once.
const MISDEEDS_MAX: u32 = 16;

/// What is known of one connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) peer: PeerId,
    pub(super) connection: ConnectionId,
    state: Mutex<State>,
    outcome: watch::Sender<Option<Result<Agreement, Incompatible>>>,
}

#[derive(Debug)]
struct State {
    greeter: Greeter,
    /// What it says that it runs.
    agent: String,
    /// Kinds of events that were told, by protocol.
    told: BTreeSet<(Protocol, &'static str)>,
    misdeeds: u32,
}

impl Session {
    pub(super) fn new(peer: PeerId, connection: ConnectionId, hello: Hello, opener: Opener, now: Duration) -> Self {
        let greeter = Greeter::new(hello, opener, now);
        let state = State { greeter, agent: String::new(), told: BTreeSet::new(), misdeeds: 0 };
        Self { peer, connection, state: Mutex::new(state), outcome: watch::Sender::new(None) }
    }

    /// What the peer says that it runs; empty before it has said so.
    pub(super) fn agent(&self) -> String {
        self.lock().agent.clone()
    }

    /// Takes what identify says, unless the hello said it already.
    pub(super) fn set_agent(&self, agent: &str) {
        let mut state = self.lock();
        if state.greeter.remote().is_none() {
            state.agent = words(agent);
        }
    }

    /// The peer's newest hello.
    pub(super) fn hello(&self) -> Option<Hello> {
        self.lock().greeter.remote().cloned()
    }

    /// What the hellos came to so far.
    pub(super) fn outcome(&self) -> Option<Result<Agreement, Incompatible>> {
        self.outcome.borrow().clone()
    }

    /// What the hellos come to, once they are exchanged; `None` when that takes too long.
    pub(super) async fn negotiated(&self) -> Option<Result<Agreement, Incompatible>> {
        let mut outcome = self.outcome.subscribe();
        let known = tokio::time::timeout(PATIENCE, outcome.wait_for(Option::is_some)).await;
        known.ok()?.ok()?.clone()
    }

    /// The version in which one side speaks to the other by the newest hellos, whatever it has to offer.
    pub(super) fn spoken(&self, speaker: Party) -> Option<Version> {
        self.lock().greeter.spoken(speaker)
    }

    /// Whether this kind of event is told for the first time.
    pub(super) fn is_news(&self, protocol: Protocol, kind: &'static str) -> bool {
        self.lock().told.insert((protocol, kind))
    }

    /// Counts a broken rule; whether it was the last one that is borne.
    pub(super) fn misdeed(&self) -> bool {
        let mut state = self.lock();
        state.misdeeds = state.misdeeds.saturating_add(1);
        state.misdeeds == MISDEEDS_MAX
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.lock().greeter.due()
    }

    pub(super) fn greet(&self, now: Duration) -> Option<Vec<u8>> {
        self.lock().greeter.poll(now)
    }

    pub(super) fn replied(&self, now: Duration, reply: Result<&[u8], String>) -> Option<Change> {
        self.change(|greeter| greeter.replied(now, reply))
    }

    pub(super) fn set_local(&self, now: Duration, hello: Hello) -> Option<Change> {
        self.change(|greeter| greeter.set_local(now, hello))
    }

    pub(super) fn received(&self, now: Duration, greeting: &[u8]) -> Received {
        let mut reply = None;
        let change = self.change(|greeter| {
            let received = greeter.received(now, greeting);
            reply = received.reply;
            received.change
        });
        Received { reply, change }
    }

    /// Changes the greeter, then tells those who wait for the outcome.
    fn change(&self, change: impl FnOnce(&mut Greeter) -> Option<Change>) -> Option<Change> {
        let mut state = self.lock();
        let change = change(&mut state.greeter);
        if let Some(agent) = state.greeter.remote().map(|hello| hello.agent.as_str().to_owned()) {
            state.agent = agent;
        }
        if matches!(change, Some(Change::Agreed(_) | Change::Incompatible(_))) {
            self.outcome.send_replace(state.greeter.outcome().cloned());
        }
        change
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is left half-changed by a panic: what is locked is replaced whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
