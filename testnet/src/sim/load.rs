//! The load: transactions for the chain, some of them large, some of them changes of the validators.

use std::time::Duration;

use super::checks::Violation;
use super::world::{Event, World};
use crate::chain::{Change, power_transaction};
use crate::consensus::Input;

impl World<'_> {
    /// Somebody sends a transaction to some node.
    pub(super) fn load(&mut self) -> Result<(), Violation> {
        self.sent += 1;
        let place = self.rng.place(self.nodes.len());
        let tx = if self.rng.chance(60) {
            let public_key = self.nodes[self.rng.place(self.nodes.len())].key.public();
            // The plan of a rollout knows powers of about ten.
            let powers = if self.scenario.rollout { (9, 12) } else { (8, 16) };
            power_transaction(&Change { public_key, power: self.rng.within(powers.0, powers.1) })
        } else {
            let length = if self.rng.chance(10) { 70_000 } else { self.rng.place(150) };
            [format!("key{}=", self.sent).into_bytes(), vec![b'x'; length]].concat()
        };
        let pause = if self.scenario.rollout { self.rng.within(200, 1_200) } else { self.rng.within(20, 120) };
        self.queue.plan(self.now.after(Duration::from_millis(pause)), Event::Load);
        self.input(place, Input::Transaction(tx))
    }
}
