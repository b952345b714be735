//! The controller: observes, decides, writes down, acts, over and over until nothing is left to do.
//!
//! # Correctness
//! Decisions are in the log, fsynced, before the actions among them begin. An action's end is in the log
//! before the next observation is made, so that the step function never judges by a picture from before.
//! A controller that dies leaves at most actions of which the end is not known: the next one says that it
//! took over, and every such node is looked at before anything else is done to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, Scope};
use std::time::Duration;

use super::driver::Driver;
use super::fact::{Entry, Fact, Outcome};
use super::log::{Log, LogError};
use super::plan::Plan;
use super::state::State;
use super::step::{Order, Rest, rest, step};

/// What a controller works with.
pub struct Controller<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The log, locked.
    pub log: Log,
    /// The fold of the log.
    pub state: State,
    /// Who sees and acts.
    pub driver: &'a dyn Driver,
    /// Milliseconds since 1970.
    pub now_ms: &'a dyn Fn() -> u64,
    /// Between two observations.
    pub poll: Duration,
    /// Set when somebody asks to stop.
    pub stop: &'a AtomicBool,
    /// Hears every fact as it is written.
    pub listener: &'a dyn Fn(&Entry),
}

/// How a controller's work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing is left to do.
    At(Rest),
    /// Somebody asked to stop; the next controller goes on.
    Stopped,
}

type Ended = (Order, Outcome);

impl Controller<'_> {
    /// Writes a fact down and takes it into account.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub fn write(&mut self, fact: Fact) -> Result<(), LogError> {
        self.record(Entry { at_ms: (self.now_ms)(), fact })
    }

    fn record(&mut self, entry: Entry) -> Result<(), LogError> {
        self.log.append(entry.clone())?;
        self.state.apply(&entry);
        (self.listener)(&entry);
        Ok(())
    }

    /// Takes the rollout over as `owner` and works on it.
    ///
    /// # Errors
    /// When the log cannot be written: nothing is begun that is not in it.
    pub fn run(&mut self, owner: &str) -> Result<End, LogError> {
        self.write(Fact::TakenOver { controller: owner.to_owned() })?;
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| self.work(scope, &sender, &receiver))
    }

    fn work<'s, 'e>(
        &mut self,
        scope: &'s Scope<'s, 'e>,
        sender: &Sender<Ended>,
        receiver: &Receiver<Ended>,
    ) -> Result<End, LogError>
    where
        Self: 's,
    {
        let driver = self.driver;
        let mut under_way = 0_usize;
        loop {
            while let Ok(ended) = receiver.try_recv() {
                under_way -= 1;
                self.ended(ended)?;
            }
            if self.stop.load(Ordering::SeqCst) {
                return self.wind_up(under_way, receiver);
            }
            let end = rest(self.plan, &self.state);
            if end != Rest::AtWork {
                return Ok(End::At(end));
            }
            let seen = driver.observe(&self.state);
            let taken = step(self.plan, &self.state, &seen, (self.now_ms)());
            for entry in taken.decisions {
                self.record(entry)?;
            }
            for order in taken.actions {
                let sender = sender.clone();
                under_way += 1;
                scope.spawn(move || {
                    let outcome = driver.act(&order);
                    // Nobody listens any more when the log has failed; then the next controller looks.
                    let _ = sender.send((order, outcome));
                });
            }
            if let Ok(ended) = receiver.recv_timeout(self.poll) {
                under_way -= 1;
                self.ended(ended)?;
            }
        }
    }

    fn ended(&mut self, (order, outcome): Ended) -> Result<(), LogError> {
        self.write(Fact::Ended { node: order.node, action: order.action, outcome })
    }

    /// Waits for what is under way. An action that fails because it was asked to stop has not failed:
    /// its end stays open, and the next controller looks.
    fn wind_up(&mut self, under_way: usize, receiver: &Receiver<Ended>) -> Result<End, LogError> {
        for ended in receiver.iter().take(under_way) {
            if matches!(ended.1, Outcome::Done { .. }) {
                self.ended(ended)?;
            }
        }
        Ok(End::Stopped)
    }
}
