//! Gets blocks from peers: which height is asked of whom, and who is let go. Pure: events and the time in, actions out.
//!
//! ```text
//!            ┌─ waiting ◄───────── rejected, or its peer is gone ─┐
//! heights ─► │     │  ▲ the height above is accepted ◄─ postponed ─┤
//!            │   asked of a peer ── block ─► delivered ── accepted: forgotten
//!            └─────┘ no block, too late
//! ```
//! A window of heights is open at a time. Nothing that a peer says is trusted: what it has is a claim, a block is bytes
//! that the caller must prove and then [`Fetch::accept`] or [`Fetch::reject`]. A peer that is silent, slow, wrong or
//! unasked loses its session; a height that one peer does not give is asked of another. Heights are asked for from the
//! top down, as the commit that proves a block is in the one above.

mod peers;
mod run;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::message::Word;
use crate::peering::Session;
use peers::Peers;
pub use run::{Claimed, Client, FetchError, Judge, Unfit, run};

/// Heights that are open at a time.
const WINDOW: usize = 64;

/// How patient a fetch is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the answer to a request.
    pub answer: Duration,
    /// Requests that one peer has at a time; nodes take 20 of each other.
    pub in_flight_max: usize,
    /// After this long with requests open a peer's speed is judged, and from then on again and again.
    pub judged_every: Duration,
    /// Bytes of blocks a second below which a peer is too slow, if it also is by blocks and another one could give.
    pub bytes_per_second_min: u64,
    /// Blocks a second below which a peer is too slow, if it also is by bytes: small blocks are no fault of it.
    pub blocks_per_second_min: u64,
    /// Things that nobody asked for until a peer is let go; a transport may deliver something twice.
    pub unasked_max: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(30),
            in_flight_max: 16,
            judged_every: Duration::from_secs(20),
            bytes_per_second_min: 16_000,
            blocks_per_second_min: 2,
            unasked_max: 16,
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send a payload on channel 0x40.
    Send {
        /// To whom.
        session: Session,
        /// The payload.
        payload: Bytes,
    },
    /// A block has come: prove it, then accept or reject it.
    Block {
        /// From whom.
        session: Session,
        /// The height that was asked for.
        height: u64,
        /// `tendermint.types.Block`, as claimed.
        block: Bytes,
        /// `tendermint.types.ExtendedCommit`, as claimed.
        extended_commit: Option<Bytes>,
    },
    /// End a session.
    LetGo {
        /// Which.
        session: Session,
        /// Why.
        reason: String,
    },
}

/// Where an open height stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Waiting,
    Asked {
        of: Session,
        since: Instant,
    },
    Delivered {
        by: Session,
    },
    /// Waits, once the height above is no longer open.
    Postponed,
}

impl Stand {
    fn is_asked_of(&self, session: Session) -> bool {
        matches!(self, Self::Asked { of, .. } if *of == session)
    }
}

/// A fetch of many heights from many peers.
pub struct Fetch {
    patience: Patience,
    /// Heights that are not yet open.
    ahead: Box<dyn Iterator<Item = u64> + Send>,
    open: BTreeMap<u64, Stand>,
    is_drained: bool,
    peers: Peers,
    actions: Vec<Action>,
}

impl Fetch {
    /// A fetch of `heights`, each once. They are opened in this order: from the top down, where one is proven by the next.
    #[must_use]
    pub fn new(heights: impl IntoIterator<Item = u64, IntoIter: Send + 'static>, patience: Patience) -> Self {
        let mut fetch = Self {
            patience,
            ahead: Box::new(heights.into_iter()),
            open: BTreeMap::new(),
            is_drained: false,
            peers: Peers::default(),
            actions: Vec::new(),
        };
        fetch.fill();
        fetch
    }

    /// Whether every height was accepted.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_drained && self.open.is_empty()
    }

    /// Open heights that no peer that is there has not said to lack, lowest first: with them a fetch cannot go on.
    pub fn wanting(&self) -> impl Iterator<Item = u64> {
        let waiting = self.open.iter().filter(|(_, stand)| matches!(stand, Stand::Waiting | Stand::Postponed));
        waiting.map(|(height, _)| *height).filter(|height| !self.peers.may_have(*height))
    }

    /// What is to be done now, in order.
    #[must_use]
    pub fn actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// A session with a peer has begun.
    pub fn connected(&mut self, session: Session) {
        self.peers.add(session);
        self.actions.push(Action::Send { session, payload: Word::StatusRequest.encode() });
    }

    /// A session has ended.
    pub fn closed(&mut self, session: Session, now: Instant) {
        if self.peers.remove(session) {
            self.release(session);
            self.ask(now);
        }
    }

    /// A payload came on channel 0x40.
    pub fn received(&mut self, session: Session, payload: Bytes, now: Instant) {
        if !self.peers.knows(session) {
            return;
        }
        match Word::decode(payload) {
            Err(error) => self.let_go(session, error.to_string()),
            Ok(Word::Status(offer)) => self.peers.claims(session, offer),
            Ok(Word::NoBlock { height }) => self.no_block(session, height),
            Ok(Word::Block { block, extended_commit }) => self.block(session, block, extended_commit, now),
            // A node asks what we have: nothing, and nothing is said, as it would take that for all there is.
            Ok(Word::StatusRequest) => {}
            Ok(Word::BlockRequest { height }) => {
                self.actions.push(Action::Send { session, payload: Word::NoBlock { height }.encode() });
            }
        }
        self.ask(now);
    }

    /// A delivered block is the chain's.
    pub fn accept(&mut self, height: u64, now: Instant) {
        if matches!(self.open.get(&height), Some(Stand::Delivered { .. })) {
            self.open.remove(&height);
            self.fill();
            self.ask(now);
        }
    }

    /// A delivered block is not the chain's, for this reason: its peer is let go, and the height asked of another.
    pub fn reject(&mut self, height: u64, reason: &str, now: Instant) {
        if let Some(Stand::Delivered { by }) = self.open.get(&height).copied() {
            self.open.insert(height, Stand::Waiting);
            self.let_go(by, format!("its block of height {height} is not the chain's: {reason}"));
            self.ask(now);
        }
    }

    /// A delivered block cannot be judged before the one above is accepted, and was not kept: it is asked for again then.
    pub fn postpone(&mut self, height: u64, now: Instant) {
        if matches!(self.open.get(&height), Some(Stand::Delivered { .. })) {
            self.open.insert(height, Stand::Postponed);
            self.ask(now);
        }
    }

    /// Time passes: to be called about every second.
    pub fn tick(&mut self, now: Instant) {
        let late = |stand: &Stand| match stand {
            Stand::Asked { of, since } if now.saturating_duration_since(*since) >= self.patience.answer => Some(*of),
            _ => None,
        };
        let late: Vec<_> = self.open.iter().filter_map(|(height, stand)| Some((*height, late(stand)?))).collect();
        for (height, session) in late {
            let seconds = self.patience.answer.as_secs();
            self.let_go(session, format!("no answer for height {height} within {seconds} s"));
        }
        for (session, reason) in self.peers.too_slow(&self.patience, now) {
            self.let_go(session, reason);
        }
        for session in self.peers.due_again(now) {
            self.actions.push(Action::Send { session, payload: Word::StatusRequest.encode() });
        }
        self.ask(now);
    }

    /// Opens heights up to the window.
    fn fill(&mut self) {
        while !self.is_drained && self.open.len() < WINDOW {
            match self.ahead.next() {
                Some(height) => drop(self.open.entry(height).or_insert(Stand::Waiting)),
                None => self.is_drained = true,
            }
        }
    }

    /// Asks for every waiting height that a peer may have and has room for, highest first.
    fn ask(&mut self, now: Instant) {
        let mut above = None;
        for (height, stand) in self.open.iter_mut().rev() {
            let is_above_open = above.replace(*height) == height.checked_add(1);
            match stand {
                Stand::Waiting => {}
                Stand::Postponed if !is_above_open => {}
                Stand::Postponed | Stand::Asked { .. } | Stand::Delivered { .. } => continue,
            }
            let Some(session) = self.peers.best_for(*height, self.patience.in_flight_max) else { continue };
            self.peers.asked(session, now);
            *stand = Stand::Asked { of: session, since: now };
            self.actions.push(Action::Send { session, payload: Word::BlockRequest { height: *height }.encode() });
        }
    }

    fn no_block(&mut self, session: Session, height: u64) {
        match self.open.get_mut(&height) {
            Some(stand) if stand.is_asked_of(session) => {
                *stand = Stand::Waiting;
                self.peers.answered(session, 0);
                self.peers.lacks(session, height);
            }
            _ => self.unasked(session),
        }
    }

    fn block(&mut self, session: Session, block: Bytes, extended_commit: Option<Bytes>, now: Instant) {
        let height = peers::height_of(&block);
        match height.and_then(|height| Some((height, self.open.get_mut(&height)?))) {
            Some((height, stand)) if stand.is_asked_of(session) => {
                *stand = Stand::Delivered { by: session };
                self.peers.answered(session, block.len());
                // The other answers are on the same way, behind this one.
                self.restart_clocks(session, now);
                self.actions.push(Action::Block { session, height, block, extended_commit });
            }
            _ => self.unasked(session),
        }
    }

    /// A peer that answers one after the other is patient with all: the time for the others begins anew.
    fn restart_clocks(&mut self, session: Session, now: Instant) {
        for stand in self.open.values_mut() {
            if let Stand::Asked { of, since } = stand
                && *of == session
            {
                *since = now;
            }
        }
    }

    fn unasked(&mut self, session: Session) {
        if self.peers.unasked(session) > self.patience.unasked_max {
            self.let_go(session, "it sends what nobody asked for".to_owned());
        }
    }

    fn let_go(&mut self, session: Session, reason: String) {
        if self.peers.remove(session) {
            self.release(session);
            self.actions.push(Action::LetGo { session, reason });
        }
    }

    /// Heights that were asked of a session wait again.
    fn release(&mut self, session: Session) {
        for stand in self.open.values_mut() {
            if stand.is_asked_of(session) {
                *stand = Stand::Waiting;
            }
        }
    }
}
