//! The exchange of hellos on one connection.
//!
//! ```text
//! opener                         other side
//! Greeting(sequence, hello) ──►  newest? negotiate, tell changes
//! newest? negotiate, tell  ◄──── Greeting(sequence, hello)
//! ```
//! The dialler of the connection greets at once, the listener when it has not been greeted for a while, either
//! one again when its own hello has changed. What fails is tried again. Time is an argument, and bytes
//! are all that comes and goes.

use std::time::Duration;

use proto::hello::{Greeting, Hello, HelloError, Version};
use proto::negotiate::{Agreement, Incompatible, Party, negotiate, spoken};

use super::Allowance;

/// How long a listener waits for the dialler's greeting.
const PATIENCE: Duration = Duration::from_secs(5);

/// Least time between two greetings of ours.
const REFRESH: Duration = Duration::from_secs(10);

/// Longest time between two attempts.
const RETRY_MAX: Duration = Duration::from_secs(300);

/// Greetings that a peer may send at once.
const BURST: u32 = 8;

/// The time after which it may send one more.
const INTERVAL: Duration = Duration::from_secs(2);

/// Which side of the connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// This node dialled.
    Local,
    /// The peer dialled.
    Remote,
}

/// The state of one connection.
#[derive(Debug)]
pub struct Greeter {
    local: Hello,
    sent: u64,
    remote: Option<Greeting>,
    outcome: Option<Result<Agreement, Incompatible>>,
    /// A greeting of ours awaits its reply.
    is_open: bool,
    /// When to greet; `None` while there is no reason to.
    due: Option<Duration>,
    last_sent: Option<Duration>,
    failures: u32,
    allowance: Allowance,
}

/// What is new to tell: each once, until it is something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The two can do something for each other.
    Agreed(Agreement),
    /// They cannot.
    Incompatible(Incompatible),
    /// What came is not a hello.
    Forged(HelloError),
    /// No hello came, for the reason given.
    Silent(String),
}

/// What a greeting of the peer leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What to reply; nothing to a peer that greets too often.
    pub reply: Option<Vec<u8>>,
    /// What is new.
    pub change: Option<Change>,
}

impl Greeter {
    /// The state at the beginning of a connection.
    #[must_use]
    pub const fn new(local: Hello, opener: Opener, now: Duration) -> Self {
        let due = match opener {
            Opener::Local => now,
            Opener::Remote => now.saturating_add(PATIENCE),
        };
        Self {
            local,
            sent: 0,
            remote: None,
            outcome: None,
            is_open: false,
            due: Some(due),
            last_sent: None,
            failures: 0,
            allowance: Allowance::new(BURST, INTERVAL, now),
        }
    }

    /// The peer's newest hello.
    #[must_use]
    pub fn remote(&self) -> Option<&Hello> {
        self.remote.as_ref().map(|greeting| &greeting.hello)
    }

    /// What the two hellos come to; `None` before the peer's is here.
    #[must_use]
    pub const fn outcome(&self) -> Option<&Result<Agreement, Incompatible>> {
        self.outcome.as_ref()
    }

    /// The version in which one side speaks to the other, whatever it has to offer.
    #[must_use]
    pub fn spoken(&self, speaker: Party) -> Option<Version> {
        spoken(speaker, &self.local, self.remote()?)
    }

    /// When to call [`Greeter::poll`].
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.due.filter(|_| !self.is_open)
    }

    /// A greeting to open a stream with, when one is due.
    pub fn poll(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.due().filter(|due| *due <= now)?;
        self.is_open = true;
        self.due = None;
        self.last_sent = Some(now);
        Some(self.greeting())
    }

    /// Takes the reply to a greeting of ours, or the reason why there is none.
    pub fn replied(&mut self, now: Duration, reply: Result<&[u8], String>) -> Option<Change> {
        self.is_open = false;
        let failure = match reply.map(Greeting::decode) {
            Ok(Ok(greeting)) => {
                self.failures = 0;
                return self.take(greeting);
            }
            Ok(Err(error)) => Change::Forged(error),
            Err(reason) => Change::Silent(reason),
        };
        let wait = REFRESH.saturating_mul(1 << self.failures.min(8)).min(RETRY_MAX);
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now.saturating_add(wait));
        // Once, and not again for a peer that has greeted before.
        (self.failures == 1 && self.remote.is_none()).then_some(failure)
    }

    /// Takes a greeting of the peer.
    pub fn received(&mut self, now: Duration, greeting: &[u8]) -> Received {
        if !self.allowance.take(now) {
            return Received { reply: None, change: None };
        }
        let change = match Greeting::decode(greeting) {
            Ok(greeting) => self.take(greeting),
            Err(error) => return Received { reply: None, change: Some(Change::Forged(error)) },
        };
        if self.sent == 0 {
            // The reply says what a greeting of ours would.
            self.due = None;
        }
        Received { reply: Some(self.greeting()), change }
    }

    /// Changes our own hello, and plans to tell the peer.
    pub fn set_local(&mut self, now: Duration, local: Hello) -> Option<Change> {
        if self.local == local {
            return None;
        }
        self.local = local;
        let earliest = self.last_sent.map_or(now, |last| last.saturating_add(REFRESH)).max(now);
        self.due = Some(self.due.map_or(earliest, |due| due.min(earliest)));
        self.negotiate()
    }

    fn greeting(&mut self) -> Vec<u8> {
        self.sent += 1;
        Greeting { sequence: self.sent, hello: self.local.clone() }.encode()
    }

    fn take(&mut self, greeting: Greeting) -> Option<Change> {
        let newest = self.remote.as_ref().map_or(0, |remote| remote.sequence);
        if greeting.sequence <= newest {
            return None;
        }
        self.remote = Some(greeting);
        self.negotiate()
    }

    fn negotiate(&mut self) -> Option<Change> {
        let outcome = negotiate(&self.local, &self.remote.as_ref()?.hello);
        if self.outcome.as_ref() == Some(&outcome) {
            return None;
        }
        self.outcome = Some(outcome.clone());
        Some(outcome.map_or_else(Change::Incompatible, Change::Agreed))
    }
}
