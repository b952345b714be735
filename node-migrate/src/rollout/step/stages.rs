//! The stages: when a soak begins, when it is over, who lets the rollout go on.

use super::Turn;
use crate::rollout::evidence::Evidence;
use crate::rollout::fact::Fact;
use crate::rollout::observation::Side;
use crate::rollout::plan::{NodeName, Promotion, Stage};

impl Turn<'_> {
    /// Goes on with the stages as far as the evidence reaches.
    pub(super) fn advance(&mut self) {
        if self.state.halted.is_some() {
            return;
        }
        let plan = self.plan;
        let Some(stage) = plan.stages.get(self.state.stage) else {
            self.decide(Fact::Completed);
            return;
        };
        let Some(from_height) = self.state.soak_from_height else {
            self.begin_soak(stage);
            return;
        };
        let Some(evidence) = self.passed(stage, from_height) else { return };
        let name = stage.name.clone();
        match (stage.promotion, self.state.approved_by.clone()) {
            (Promotion::ByPerson, None) if self.state.awaiting => {}
            (Promotion::ByPerson, None) => self.decide(Fact::AwaitingApproval { stage: name, evidence }),
            (_, by) => {
                self.decide(Fact::Promoted { stage: name, by, evidence });
                if self.state.stage >= plan.stages.len() {
                    self.decide(Fact::Completed);
                }
            }
        }
    }

    fn begin_soak(&mut self, stage: &Stage) {
        if !stage.nodes.iter().all(|node| self.is_settled_in(node)) {
            return;
        }
        let height = self.network_height();
        let evidence = stage.nodes.iter().filter_map(|node| self.lag(node)).collect();
        self.decide(Fact::SoakBegun { stage: stage.name.clone(), height, evidence });
    }

    /// Whether a node serves in the new format, and is seen to.
    fn is_settled_in(&self, name: &NodeName) -> bool {
        let serves = self.state.nodes.get(name).is_some_and(|node| {
            let idle = node.open.is_none() && !node.unsure && node.out_since_ms.is_none();
            let unblamed = node.failed.is_none() && node.held.is_none();
            idle && unblamed && node.side == Side::New && node.running
        });
        serves && self.is_healthy(name)
    }

    /// What a stage may end with; `None` while any of it is missing.
    fn passed(&self, stage: &Stage, from_height: u64) -> Option<Vec<Evidence>> {
        let due = from_height.saturating_add(stage.soak_heights);
        let through =
            |node: &&NodeName| self.is_settled_in(node) && self.rpc(node).is_some_and(|rpc| rpc.height >= due);
        let healthy = stage.nodes.iter().filter(through).count();
        if healthy < stage.nodes.len() || healthy < stage.population_min {
            return None;
        }
        let agreed = self.agreement(stage, from_height)?;
        let heights = stage.nodes.iter().filter_map(|node| self.rpc(node)).map(|rpc| rpc.height);
        let to_height = heights.min().unwrap_or(due);
        let mut evidence = vec![
            Evidence::Soaked { from_height, to_height, heights_min: stage.soak_heights },
            Evidence::Population { healthy, population_min: stage.population_min },
            agreed,
        ];
        evidence.extend(stage.nodes.iter().filter_map(|node| self.lag(node)));
        evidence.extend(stage.nodes.iter().filter(|node| self.power(node) > 0).map(|node| self.missed(node)));
        Some(evidence)
    }
}
