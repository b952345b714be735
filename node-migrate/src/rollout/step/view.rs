//! What the observations say about a node beside the others.

use super::Turn;
use crate::rollout::evidence::Evidence;
use crate::rollout::observation::{NodeSeen, Process, RpcSeen};
use crate::rollout::plan::NodeName;

impl Turn<'_> {
    pub(super) fn node_seen(&self, node: &NodeName) -> Option<&NodeSeen> {
        self.seen.nodes.get(node)
    }

    pub(super) fn rpc(&self, node: &NodeName) -> Option<RpcSeen> {
        self.node_seen(node)?.rpc.as_ref().ok().copied()
    }

    /// The highest height that nodes with more than a third of the power that answers have reached, or
    /// the last one sampled: a single node that boasts makes nobody late.
    pub(super) fn network_height(&self) -> u64 {
        let weighs = self.plan.nodes.values().any(|node| node.power > 0);
        let mut heights: Vec<(u64, u128)> = self
            .plan
            .nodes
            .values()
            .filter_map(|node| {
                let weight = if weighs { node.power } else { 1 };
                Some((self.rpc(&node.name)?.height, u128::from(weight)))
            })
            .collect();
        heights.sort_by(|a, b| b.cmp(a));
        let total: u128 = heights.iter().map(|(_, weight)| weight).sum();
        let mut reached = 0;
        let mut agreed = self.state.sampled_to_height;
        for (height, weight) in heights {
            reached += weight;
            if reached * 3 > total {
                agreed = agreed.max(height);
                break;
            }
        }
        agreed
    }

    pub(super) fn lag(&self, node: &NodeName) -> Option<Evidence> {
        let height = self.rpc(node)?.height;
        let network_height = self.network_height();
        let blocks_max = self.plan.gates.height_lag_blocks_max;
        Some(Evidence::HeightLag { node: node.clone(), height, network_height, blocks_max })
    }

    pub(super) fn is_behind(&self, node: &NodeName) -> bool {
        let behind =
            |rpc: RpcSeen| self.network_height().saturating_sub(rpc.height) > self.plan.gates.height_lag_blocks_max;
        self.rpc(node).is_none_or(behind)
    }

    /// Whether the node answers and follows, now.
    pub(super) fn is_healthy(&self, node: &NodeName) -> bool {
        let seen_up = self.node_seen(node).is_some_and(|seen| seen.process != Process::Stopped && seen.home.is_ok());
        let known = self.state.nodes.get(node).is_some_and(|node| node.symptom.is_none());
        seen_up && known && !self.is_behind(node)
    }

    pub(super) fn power(&self, node: &NodeName) -> u64 {
        self.plan.nodes.get(node).map_or(0, |node| node.power)
    }
}
