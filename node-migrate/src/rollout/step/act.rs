//! The actions: the next one of every node that may go on.

use super::course::{Goal, Next, goal, next};
use super::{Order, Turn};
use crate::rollout::evidence::Evidence;
use crate::rollout::fact::{Action, Fact, Way};
use crate::rollout::plan::NodeName;

impl Turn<'_> {
    /// Begins what comes next, node by node.
    pub(super) fn act(&mut self) {
        let mut waiting = Vec::new();
        for name in self.nodes() {
            let Some(node) = self.state.nodes.get(&name) else { continue };
            if node.open.is_some() || node.held.is_some() {
                continue;
            }
            let way = if goal(self.plan, &self.state, &name) == Goal::New { Way::Forward } else { Way::Back };
            let comes = if node.unsure { Next::Nothing } else { next(self.plan, &self.state, &name) };
            match comes {
                Next::Hold(reason) => self.decide(Fact::Held { node: name, reason }),
                Next::Nothing => self.give_up_waiting(name),
                Next::Act(action) if node.is_in_flight() => self.begin(&name, action, way, Vec::new()),
                Next::Act(action) => match self.admit(&name, way) {
                    Ok(evidence) => self.begin(&name, action, way, evidence),
                    Err(reason) => waiting.push((name, reason)),
                },
            }
        }
        self.hold_those_without_room(waiting);
    }

    fn begin(&mut self, name: &NodeName, action: Action, way: Way, evidence: Vec<Evidence>) {
        let errors_total = self.node_seen(name).and_then(|seen| seen.errors_total);
        let network_height = self.network_height();
        self.decide(Fact::Begun { node: name.clone(), action, way, network_height, errors_total, evidence });
        let limits = &self.plan.limits;
        let seconds_max = match action {
            Action::Stop | Action::Start => limits.command_seconds_max,
            _ => limits.node_downtime_seconds_max,
        };
        self.step.actions.push(Order { node: name.clone(), action, seconds_max });
    }

    /// After a halt a node that does not come back is left to the operator in the end.
    fn give_up_waiting(&mut self, name: NodeName) {
        let (Some(halt), Some(node)) = (&self.state.halted, self.state.nodes.get(&name)) else { return };
        let Some(out_since_ms) = node.out_since_ms else { return };
        let seconds = self.seconds_since(halt.at_ms.max(out_since_ms));
        let seconds_max = self.plan.limits.node_downtime_seconds_max;
        if seconds > seconds_max {
            let reason = format!("not seen back in service {seconds} s after the halt");
            self.decide(Fact::Held { node: name, reason });
        }
    }

    /// After a halt, what cannot be taken out of service now never can: nothing else is under way.
    fn hold_those_without_room(&mut self, waiting: Vec<(NodeName, String)>) {
        let at_work = self.state.nodes.values().any(|node| node.is_in_flight() && node.held.is_none());
        if self.state.halted.is_none() || at_work {
            return;
        }
        for (node, reason) in waiting {
            self.decide(Fact::Held { node, reason: format!("it cannot be taken out of service to go back: {reason}") });
        }
    }
}
