//! What validators do to the world: start, run, send, store, die.

use std::sync::Arc;
use std::time::Duration;

use super::checks::Violation;
use super::world::{Event, World};
use crate::consensus::{Complaint, Input, Message, Output, Receiver, Validator};
use crate::store;

impl World<'_> {
    /// Starts a node, unless it runs or is to stay down. A node whose stores are damaged may stay down.
    pub(super) fn start(&mut self, place: usize) -> Result<(), Violation> {
        let (rules, config, now) = (self.genesis.rules, self.config, self.now);
        let node = &mut self.nodes[place];
        if node.validator.is_some() || node.is_stopped {
            return Ok(());
        }
        let recovered = match node.disk.recover(rules) {
            Ok(recovered) => recovered,
            Err(error) if node.disk.stores.is_damaged => {
                let down = Duration::from_secs(2);
                self.queue.plan(self.now.after(down), Event::Start { node: place });
                self.tell(|_| format!("node {place} cannot start: {error}"));
                return Ok(());
            }
            Err(error) => return Err(Violation::CannotStart { node: place, reason: error.to_string() }),
        };
        let stored = recovered.unapplied.as_ref().map_or(recovered.state.last_height, |it| it.block.header.height);
        if stored < node.tip {
            return Err(Violation::LostHeight { node: place, expected: node.tip, actual: stored });
        }
        let (validator, outputs) = Validator::start(config, node.signer(), recovered, node.clock(now));
        node.validator = Some(validator);
        self.tell(|_| format!("node {place} starts at height {stored}"));
        self.perform(place, outputs)
    }

    /// Something happens to a node.
    pub(super) fn input(&mut self, place: usize, input: Input) -> Result<(), Violation> {
        let node = &mut self.nodes[place];
        let clock = node.clock(self.now);
        let Some(validator) = &mut node.validator else { return Ok(()) };
        let outputs = validator.handle(clock, input);
        self.perform(place, outputs)
    }

    /// A message arrives.
    pub(super) fn deliver(&mut self, from: usize, to: usize, bytes: &[u8]) -> Result<(), Violation> {
        let message = Message::decode(bytes).map_err(|error| complaint(to, &error.to_string()))?;
        let from = u32::try_from(from).expect("few nodes");
        self.input(to, Input::Message { from, message })
    }

    /// Carries out what a validator wants, until it dies.
    fn perform(&mut self, place: usize, outputs: Vec<Output>) -> Result<(), Violation> {
        let sabotage = self.scenario.sabotage;
        for output in outputs {
            if self.nodes[place].burns_down() {
                self.crash(place);
                return Ok(());
            }
            match self.nodes[place].keep(output, sabotage) {
                None => {}
                Some(Output::Send { to, message }) => self.send(place, to, &message)?,
                Some(Output::SetTimer { timer, after }) => {
                    let event = Event::Timer { node: place, life: self.nodes[place].life, timer };
                    self.queue.plan(self.now.after(after), event);
                }
                Some(Output::SaveBlock(decided)) => {
                    self.checks.stored(place, &decided)?;
                    let node = &mut self.nodes[place];
                    node.disk.save_block(&decided);
                    node.tip = decided.block.header.height;
                    let (id, height, txs) = (decided.id, node.tip, decided.block.txs.len());
                    let round = decided.seen_commit.round;
                    self.tell(|_| {
                        format!("node {place} stores block {id} of height {height}, round {round}, {txs} txs")
                    });
                }
                Some(Output::ServeBlock { to, height }) => self.serve(place, to, height)?,
                Some(Output::Complain(what)) => self.complain(place, &what)?,
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn crash(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        node.disk.crash(&mut self.rng);
        node.validator = None;
        node.life += 1;
        self.restarts += 1;
        self.queue.plan(self.now.after(node.down), Event::Start { node: place });
        self.tell(|_| format!("node {place} dies"));
    }

    fn send(&mut self, from: usize, to: Receiver, message: &Message) -> Result<(), Violation> {
        self.checks.sent(self.nodes[from].key.public().address(), message)?;
        let mut encoded: [Option<Arc<[u8]>>; 2] = [None, None];
        let receivers: Vec<usize> = match to {
            Receiver::All => (0..self.nodes.len()).filter(|node| *node != from).collect(),
            Receiver::Peer(node) => vec![node as usize],
        };
        for to in receivers {
            let Some(delay) = self.network.delay(&self.schedule, from, to, self.now) else { continue };
            let version = self.wires.between(from, to);
            let bytes = encoded[version as usize].get_or_insert_with(|| message.encode(version).into());
            let event = Event::Deliver { from, to, bytes: Arc::clone(bytes) };
            self.queue.plan(self.now.after(delay), event);
        }
        Ok(())
    }

    fn serve(&mut self, place: usize, to: u32, height: u64) -> Result<(), Violation> {
        let stores = &self.nodes[place].disk.stores;
        match store::served(&stores.blocks, stores.format, height) {
            Ok(Some((block, commit))) => {
                self.send(place, Receiver::Peer(to), &Message::Block { height, block, commit })
            }
            Ok(None) => Ok(()),
            Err(error) if stores.is_damaged => {
                self.nodes[place].complaints += 1;
                self.tell(|_| format!("node {place} cannot serve block {height}: {error}"));
                Ok(())
            }
            Err(error) => Err(complaint(place, &error.to_string())),
        }
    }

    /// No validator has anything to complain of, but of damaged stores and of those who serve from them.
    fn complain(&mut self, place: usize, what: &Complaint) -> Result<(), Violation> {
        self.tell(|_| format!("node {place}: {what}"));
        let is_damaged = |place: usize| self.nodes.get(place).is_some_and(|node| node.disk.stores.is_damaged);
        let is_excused = match what {
            _ if is_damaged(place) => true,
            Complaint::BadAnswer { peer, .. } => is_damaged(*peer as usize),
            // It has gone back to stores that lack what it had signed since.
            Complaint::Refused(_) => self.nodes[place].has_gone_back,
            _ => false,
        };
        self.nodes[place].complaints += 1;
        if is_excused { Ok(()) } else { Err(complaint(place, &what.to_string())) }
    }
}

pub(super) fn complaint(node: usize, complaint: &str) -> Violation {
    Violation::Complaint { node, complaint: complaint.to_owned() }
}
