//! How a run ends: when it may, what must hold then, and what an operator repairs before.

use std::time::Duration;

use proofs::merkle::Hash;

use super::audit::attested;
use super::checks::Violation;
use super::effects::complaint;
use super::pace::LIVENESS_BOUND;
use super::world::{Event, Summary, World};
use crate::chain::Time;
use crate::store::Format;

impl World<'_> {
    /// The faults of network and nodes have ended.
    pub(super) fn healed(&mut self) -> Result<(), Violation> {
        self.nodes.iter_mut().for_each(|node| node.fuse = None);
        self.tell(|_| "the faults have ended".to_owned());
        self.queue.plan(self.now.after(LIVENESS_BOUND), Event::MustGrow { height: self.top() + 2 });
        self.settle()
    }

    /// The rollout is at rest.
    pub(super) fn rollout_ends(&mut self, completed: bool) -> Result<(), Violation> {
        self.tell(
            |_| if completed { "the rollout is complete".to_owned() } else { "the rollout is halted".to_owned() },
        );
        let undetected = self.nodes.iter().position(|node| node.disk.stores.is_damaged);
        if let Some(node) = undetected.filter(|_| completed) {
            return Err(Violation::Undetected { node });
        }
        self.rollout = Some(completed);
        self.settle()
    }

    /// When faults and rollout are over, an operator repairs what is left, and from then on every node must live.
    fn settle(&mut self) -> Result<(), Violation> {
        let is_quiet = self.now >= self.schedule.healed_at && (self.rollout.is_some() || !self.scenario.rollout);
        if !is_quiet || self.goal.is_some() {
            return Ok(());
        }
        for place in 0..self.nodes.len() {
            self.repair(place)?;
        }
        self.goal = Some(self.top() + 2);
        self.queue.plan(self.now.after(LIVENESS_BOUND), Event::MustLive);
        Ok(())
    }

    /// A node with damaged stores gets the old ones back, and the heights since then from its peers; its signing state
    /// stays. One that was left down is started.
    fn repair(&mut self, place: usize) -> Result<(), Violation> {
        let node = &mut self.nodes[place];
        if node.disk.stores.is_damaged
            && let Some((kept, tip)) = node.disk.kept.take()
        {
            node.validator = None;
            node.life += 1;
            (node.disk.stores, node.tip, node.has_gone_back) = (kept, tip, true);
            self.stores_changed(place)?;
            self.tell(|_| format!("node {place} gets its old stores back, of height {tip}"));
        }
        self.nodes[place].is_stopped = false;
        self.start(place)
    }

    pub(super) fn must_grow(&self, height: u64) -> Result<(), Violation> {
        let actual = self.top();
        if actual >= height {
            Ok(())
        } else {
            Err(Violation::Standstill { bound: LIVENESS_BOUND, expected: height, actual })
        }
    }

    pub(super) fn must_live(&self) -> Result<(), Violation> {
        let expected = self.goal.unwrap_or(0);
        match self.nodes.iter().enumerate().find(|(_, node)| node.tip < expected) {
            Some((node, it)) => Err(Violation::Stalled { node, bound: LIVENESS_BOUND, expected, actual: it.tip }),
            None => Ok(()),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        let target = self.genesis.initial_height + self.scenario.heights - 1;
        let goal = self.goal.map(|goal| goal.max(target));
        goal.is_some_and(|goal| self.nodes.iter().all(|node| node.tip >= goal))
    }

    /// Compares what the nodes have in the end, and every row of it with what the chain makes of it.
    pub(super) fn conclude(&mut self) -> Result<Summary, Violation> {
        let height = self.nodes.iter().map(|node| node.tip).min().unwrap_or(0);
        let first = self.genesis.initial_height;
        let mut root: Option<Hash> = None;
        for (place, node) in self.nodes.iter().enumerate() {
            let stores = &node.disk.stores;
            let actual = attested(&stores.blocks, stores.format, (first, height));
            let actual = actual.map_err(|error| complaint(place, &error.to_string()))?;
            let expected = *root.get_or_insert(actual);
            if expected != actual {
                let (expected, actual) = (hex::encode(expected), hex::encode(actual));
                return Err(Violation::Root { node: place, height, expected, actual });
            }
            stores.verify(&self.genesis).map_err(|reason| Violation::Stores { node: place, reason })?;
        }
        let migrated = self.nodes.iter().filter(|node| node.disk.stores.format == Format::New).count();
        Ok(Summary {
            root: root.unwrap_or_default(),
            heights: height + 1 - first,
            events: self.events,
            restarts: self.restarts,
            migrated: migrated as u64,
            completed: self.rollout.unwrap_or(false),
            elapsed: self.elapsed(),
        })
    }

    fn elapsed(&self) -> Duration {
        self.now.since(Time(0))
    }
}
