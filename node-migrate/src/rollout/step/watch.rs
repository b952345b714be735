//! The gates: what closes them, for one node and for the network.

use super::Turn;
use super::course::{Goal, goal};
use crate::rollout::evidence::Evidence;
use crate::rollout::fact::{Fact, Symptom};
use crate::rollout::observation::{Process, Side};
use crate::rollout::plan::NodeName;

impl Turn<'_> {
    /// Looks at every gate.
    pub(super) fn watch(&mut self) {
        for node in self.nodes() {
            self.watch_symptom(&node);
            if let Some((reason, evidence)) = self.broken_gate(&node) {
                self.fail(&node, &reason, evidence);
            }
        }
        self.watch_attestations();
        self.watch_chain();
    }

    /// A condition counts once it has lasted.
    fn watch_symptom(&mut self, name: &NodeName) {
        let now = self.symptom(name);
        let Some(node) = self.state.nodes.get(name) else { return };
        let (failed, before) = (node.failed.is_some(), node.symptom);
        let name = name.clone();
        match (before, now) {
            (Some(_), None) => self.decide(Fact::Cleared { node: name }),
            (Some((was, since_ms)), Some((symptom, mut evidence))) if was == symptom => {
                let (seconds, seconds_max) = (self.seconds_since(since_ms), self.plan.gates.grace_seconds);
                if seconds >= seconds_max && !failed {
                    evidence.push(Evidence::Elapsed { what: format!("{name} {symptom}"), seconds, seconds_max });
                    self.fail(&name, &symptom.to_string(), evidence);
                }
            }
            (_, Some((symptom, evidence))) => self.decide(Fact::Suspected { node: name, symptom, evidence }),
            (None, None) => {}
        }
    }

    fn symptom(&self, name: &NodeName) -> Option<(Symptom, Vec<Evidence>)> {
        let node = self.state.nodes.get(name)?;
        if node.open.is_some() || node.held.is_some() {
            return None;
        }
        let words = |text: &str| vec![Evidence::words(text)];
        let Some(seen) = self.node_seen(name) else {
            return Some((Symptom::Unreachable, words("it was not seen at all")));
        };
        if node.out_since_ms.is_some() {
            let gone = node.running && !node.unsure && seen.process == Process::Stopped;
            return gone.then(|| (Symptom::Crashed, words("it was started, and its process is gone")));
        }
        if let Err(reason) = seen.rpc.as_ref().map(|_| ()).and(seen.home.as_ref().map(|_| ())) {
            return Some((Symptom::Unreachable, words(reason)));
        }
        self.is_behind(name).then(|| (Symptom::Lagging, self.lag(name).into_iter().collect()))
    }

    /// The first gate that a node breaks for good.
    fn broken_gate(&self, name: &NodeName) -> Option<(String, Vec<Evidence>)> {
        let node = self.state.nodes.get(name)?;
        let (stage, gates) = (self.plan.stage_of(name)?, &self.plan.gates);
        if node.failed.is_some() || node.held.is_some() || stage > self.state.stage {
            return None;
        }
        if goal(self.plan, &self.state, name) == Goal::New {
            self.long_out(name).or_else(|| self.many_missed(name)).or_else(|| self.many_errors(name))
        } else if stage < self.state.stage && !node.unsure && node.side == Side::Old {
            Some(("was promoted and is in the old format again".to_owned(), Vec::new()))
        } else {
            None
        }
        .or_else(|| {
            let free_bytes = self.node_seen(name)?.disk_free_bytes?;
            let free_bytes_min = gates.disk_free_bytes_min;
            let evidence = Evidence::Disk { node: name.clone(), free_bytes, free_bytes_min };
            (free_bytes < free_bytes_min && self.state.halted.is_none())
                .then(|| ("has too little disk left".to_owned(), vec![evidence]))
        })
    }

    fn long_out(&self, name: &NodeName) -> Option<(String, Vec<Evidence>)> {
        let seconds = self.seconds_since(self.state.nodes.get(name)?.out_since_ms?);
        let seconds_max = self.plan.limits.node_downtime_seconds_max;
        let evidence = Evidence::Elapsed { what: format!("{name} out of service"), seconds, seconds_max };
        (seconds > seconds_max).then(|| ("is out of service for too long".to_owned(), vec![evidence]))
    }

    fn many_missed(&self, name: &NodeName) -> Option<(String, Vec<Evidence>)> {
        let node = self.state.nodes.get(name)?;
        let (blocks, blocks_max) = (node.missed_blocks(), self.plan.gates.missed_blocks_max);
        (node.is_touched() && blocks > blocks_max)
            .then(|| ("missed too many signatures".to_owned(), vec![self.missed(name)]))
    }

    /// The evidence of missed signatures.
    pub(super) fn missed(&self, name: &NodeName) -> Evidence {
        Evidence::Missed {
            node: name.clone(),
            blocks: self.state.nodes.get(name).map_or(0, |node| node.missed_blocks()),
            blocks_max: self.plan.gates.missed_blocks_max,
            jailed_blocks: self.plan.jail.missed_blocks_max,
        }
    }

    fn many_errors(&self, name: &NodeName) -> Option<(String, Vec<Evidence>)> {
        let node = self.state.nodes.get(name).filter(|node| node.side == Side::New)?;
        let errors = self.node_seen(name)?.errors_total?.saturating_sub(node.errors_before?);
        let errors_max = self.plan.gates.errors_max;
        let evidence = Evidence::Errors { node: name.clone(), errors, errors_max };
        (errors > errors_max).then(|| ("logs too many errors".to_owned(), vec![evidence]))
    }

    /// The network as a whole, and the time.
    fn watch_chain(&mut self) {
        if self.state.halted.is_some() {
            return;
        }
        let stalled = Evidence::Elapsed {
            what: "without a new block".to_owned(),
            seconds: self.seconds_since(self.state.progress_at_ms),
            seconds_max: self.plan.gates.stall_seconds_max,
        };
        let long = Evidence::Elapsed {
            what: "in this stage".to_owned(),
            seconds: self.seconds_since(self.state.stage_since_ms),
            seconds_max: self.plan.limits.stage_seconds_max,
        };
        if exceeded(&stalled) {
            self.halt("the network makes no blocks", false, vec![stalled]);
        } else if exceeded(&long) && !self.state.awaiting {
            self.halt("the stage takes too long", false, vec![long]);
        }
    }
}

fn exceeded(evidence: &Evidence) -> bool {
    matches!(evidence, Evidence::Elapsed { seconds, seconds_max, .. } if seconds > seconds_max)
}
