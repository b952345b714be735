//! A validator on its disk, with its timers and somebody who sends for it: all but the waiting.
//!
//! # Correctness
//! Outputs are carried out in their order, one after another: a message is handed to the network only when everything that stands
//! before it lasts. The first failure ends the host, and nothing after it is done.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::disk::{Disk, DiskError, lock};
use crate::chain::Time;
use crate::consensus::{Complaint, Config, Input, Message, Output, Receiver, Recovered, Signer, TimerId, Validator};

/// Carries messages away. It never waits, and may lose them.
pub trait Network {
    /// Sends a message.
    fn send(&mut self, to: Receiver, message: &Message);
}

/// What is told to people.
#[derive(Debug)]
#[non_exhaustive]
pub enum News {
    /// A block is stored.
    Stored {
        /// Its height.
        height: u64,
        /// The round in which it was decided.
        round: u32,
        /// Its transactions.
        transactions: usize,
    },
    /// Something that does not happen in a healthy network.
    Complaint(Complaint),
    /// A stored block cannot be read for a peer.
    Unreadable {
        /// Its height.
        height: u64,
        /// Why not.
        reason: String,
    },
}

/// A point in time, by both clocks: the one that the chain writes, and the one by which timers run.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// What the chain writes.
    pub wall: Time,
    /// What timers run by.
    pub clock: Instant,
}

/// A validator that runs.
pub struct Host<N> {
    validator: Validator,
    disk: Disk,
    timers: BinaryHeap<Reverse<(Instant, TimerId)>>,
    network: N,
    news: Vec<News>,
    /// Beyond this height it does nothing but serve blocks.
    halt_at: Option<u64>,
}

impl<N: Network> Host<N> {
    /// Starts where the disk ended.
    ///
    /// # Errors
    /// When something that is to last does not.
    pub fn start(
        config: Config,
        signer: Signer,
        (disk, recovered): (Disk, Recovered),
        network: N,
        now: Now,
    ) -> Result<Self, DiskError> {
        let (validator, outputs) = Validator::start(config, signer, recovered, now.wall);
        let mut host = Self { validator, disk, timers: BinaryHeap::new(), network, news: Vec::new(), halt_at: None };
        host.perform(outputs, now)?;
        Ok(host)
    }

    /// Something happens.
    ///
    /// # Errors
    /// When something that is to last does not; the host is at its end then.
    pub fn handle(&mut self, input: Input, now: Now) -> Result<(), DiskError> {
        let serves = matches!(input, Input::Message { message: Message::BlockRequest { .. }, .. });
        if self.is_halted() && !serves {
            return Ok(());
        }
        let outputs = self.validator.handle(now.wall, input);
        self.perform(outputs, now)
    }

    /// When the next timer is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.timers.peek().map(|Reverse((due, _))| *due)
    }

    /// Fires the timers that are due.
    ///
    /// # Errors
    /// As [`Host::handle`].
    pub fn fire(&mut self, now: Now) -> Result<(), DiskError> {
        while self.next_due().is_some_and(|due| due <= now.clock) {
            if let Some(Reverse((_, timer))) = self.timers.pop() {
                self.handle(Input::Timer(timer), now)?;
            }
        }
        Ok(())
    }

    /// From this height on, do nothing but serve blocks to those who lack them.
    pub const fn halt_at(&mut self, height: u64) {
        self.halt_at = Some(height);
    }

    /// The last height that is stored, state and all.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.validator.state().last_height
    }

    /// What there is to tell since the last call.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    fn is_halted(&self) -> bool {
        self.halt_at.is_some_and(|height| self.height() >= height)
    }

    fn perform(&mut self, outputs: Vec<Output>, now: Now) -> Result<(), DiskError> {
        for output in outputs {
            if let Output::SaveBlock(decided) = &output {
                self.news.push(News::Stored {
                    height: decided.block.header.height,
                    round: decided.seen_commit.round,
                    transactions: decided.block.txs.len(),
                });
            }
            match self.disk.keep(output)? {
                Some(Output::Send { to, message }) => self.network.send(to, &message),
                Some(Output::SetTimer { timer, after }) => self.timers.push(Reverse((now.clock + after, timer))),
                Some(Output::ServeBlock { to, height }) => self.serve(to, height),
                Some(Output::Complain(complaint)) => self.news.push(News::Complaint(complaint)),
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    fn serve(&mut self, to: u32, height: u64) {
        let served = lock(self.disk.databases()).served(height);
        match served {
            Ok(Some((block, commit))) => {
                self.network.send(Receiver::Peer(to), &Message::Block { height, block, commit });
            }
            Ok(None) => {}
            Err(error) => self.news.push(News::Unreadable { height, reason: error.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests;
