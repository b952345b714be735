//! Whether a node may be taken out of service now: power, failure domains, number, jail window.

use super::Turn;
use crate::rollout::evidence::{Evidence, names};
use crate::rollout::fact::Way;
use crate::rollout::plan::NodeName;

impl Turn<'_> {
    /// The evidence that `name` may be taken out of service, or what speaks against it. A node on its way
    /// back may be in bad health itself; everything else holds for it too.
    pub(super) fn admit(&self, name: &NodeName, way: Way) -> Result<Vec<Evidence>, String> {
        let node = self.plan.nodes.get(name).ok_or("it is not in the plan")?;
        if way == Way::Forward && !self.is_healthy(name) {
            return Err("it is not in good health itself".to_owned());
        }
        let others = || self.plan.nodes.values().filter(|other| other.name != *name);
        let in_flight: Vec<&NodeName> = others().map(|node| &node.name).filter(|node| self.is_out(node)).collect();
        if in_flight.len() >= self.plan.limits.nodes_in_flight_max {
            return Err(format!("{} out of service already", names(in_flight)));
        }
        let down: Vec<_> = others().filter(|node| self.is_out(&node.name) || !self.is_healthy(&node.name)).collect();
        if let Some(other) = down.iter().find(|other| other.failure_domain == node.failure_domain) {
            return Err(format!("{} of the same failure domain {} is down", other.name, node.failure_domain));
        }
        let power = down.iter().fold(node.power, |sum, node| sum.saturating_add(node.power));
        let (below, total) = (self.plan.power_limit(), self.plan.network.total_power);
        let power_down = Evidence::PowerDown { power, below, total };
        if node.power == 0 {
            return Ok(vec![power_down]);
        }
        if !self.plan.allows_down(power) {
            return Err(power_down.to_string());
        }
        let missed = self.state.nodes.get(name).map_or(0, |node| node.missed_blocks());
        if missed.saturating_add(self.plan.downtime_blocks_max()) >= self.plan.jail.missed_blocks_max {
            return Err(format!("{}: its downtime could get it jailed", self.missed(name)));
        }
        Ok(vec![power_down, self.missed(name)])
    }

    fn is_out(&self, name: &NodeName) -> bool {
        self.state.nodes.get(name).is_some_and(|node| node.is_in_flight())
    }
}
