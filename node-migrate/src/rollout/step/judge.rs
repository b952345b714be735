//! What is taken note of, and what the ends of actions mean.

use super::Turn;
use super::course::{Goal, goal};
use crate::rollout::evidence::Evidence;
use crate::rollout::fact::{Action, Fact, Way};
use crate::rollout::observation::Process;
use crate::rollout::plan::{NodeName, Role};

impl Turn<'_> {
    /// Addresses, new heights, and how nodes stand of which that is not known.
    pub(super) fn take_note(&mut self) {
        for node in self.nodes() {
            let validates = self.plan.nodes.get(&node).is_some_and(|node| node.role == Role::Validator);
            let known = self.state.nodes.get(&node).is_none_or(|node| node.address.is_some());
            let address = self.rpc(&node).and_then(|rpc| rpc.address);
            if let Some(address) = address.filter(|_| validates && !known) {
                self.decide(Fact::Identified { node, address });
            }
        }
        if let Some(sample) = self.seen.chain.clone().filter(|new| new.to_height > self.state.sampled_to_height) {
            self.decide(Fact::Sampled { sample });
        }
        for node in self.nodes() {
            if let Some(found) = self.found(&node) {
                self.decide(found);
            }
        }
    }

    fn found(&self, name: &NodeName) -> Option<Fact> {
        let node = self.state.nodes.get(name)?;
        let seen = self.node_seen(name)?;
        let home = seen.home.as_ref().ok()?;
        let running = match seen.process {
            Process::Running => true,
            Process::Stopped => false,
            Process::Unknown => return None,
        };
        let idle = node.unsure && node.open.is_none() && node.held.is_none();
        idle.then(|| Fact::Found {
            node: name.clone(),
            side: home.side,
            prepared: home.prepared,
            running,
            detail: home.detail.clone(),
        })
    }

    /// Failed actions, and nodes that are back.
    pub(super) fn judge(&mut self) {
        for node in self.nodes() {
            if let Some((action, way, reason)) = self.state.nodes.get(&node).and_then(|node| node.failure.clone()) {
                self.judge_failure(&node, action, way, &reason);
            }
            if let Some(evidence) = self.back_in_service(&node) {
                self.decide(Fact::InService { node, evidence });
            }
        }
    }

    fn judge_failure(&mut self, node: &NodeName, action: Action, way: Way, reason: &str) {
        let reason = format!("failed to {action}: {reason}");
        match (way, goal(self.plan, &self.state, node), action) {
            (Way::Forward, _, _) => self.fail(node, &reason, Vec::new()),
            // There is no other way back from here.
            (Way::Back, Goal::Here, _) | (_, _, Action::Start) => {
                self.decide(Fact::Held { node: node.clone(), reason });
            }
            (Way::Back, _, _) => self.decide(Fact::GivenUp { node: node.clone(), reason }),
        }
    }

    /// What shows that a node which was out of service follows again, and signs.
    fn back_in_service(&self, name: &NodeName) -> Option<Vec<Evidence>> {
        let node = self.state.nodes.get(name)?;
        let waits = node.out_since_ms.is_some() && node.open.is_none() && !node.unsure && node.running;
        let rpc = self.rpc(name).filter(|rpc| waits && !rpc.catching_up)?;
        let stopped = self.node_seen(name).is_none_or(|seen| seen.process == Process::Stopped);
        if stopped || rpc.height == 0 || self.is_behind(name) {
            return None;
        }
        let mut evidence = vec![self.lag(name)?];
        if self.power(name) > 0 {
            let (signed, sampled) = (node.signed_height, self.state.sampled_to_height);
            if signed <= node.started_at_height
                || sampled.saturating_sub(signed) > self.plan.gates.height_lag_blocks_max
            {
                return None;
            }
            evidence.push(Evidence::Signed { node: name.clone(), height: signed, sampled_to_height: sampled });
        }
        Some(evidence)
    }
}
