//! The plan of the scenario's rollout: what the scenario says of it, and its nodes with the commands that move them.

use std::path::PathBuf;

use node_migrate::rollout::plan::{Plan, PlanError};
use toml::{Table, Value};

use super::Scenario;
use crate::store::Format;

/// How the rollout reaches a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeCommands {
    /// The node's home.
    pub home: PathBuf,
    /// Its RPC.
    pub rpc: String,
    /// Starts it.
    pub start: String,
    /// Stops it.
    pub stop: String,
    /// Its log.
    pub log: PathBuf,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanFault {
    /// It cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Its text cannot be written.
    #[error("the plan cannot be written: {0}")]
    Text(#[from] toml::ser::Error),
}

impl Scenario {
    /// The text of `rollout.toml`: the nodes that begin in the old format, with the commands that `commands` gives for each.
    ///
    /// # Errors
    /// [`PlanFault`]: the rollout's own reasons against it.
    pub fn plan(&self, commands: impl Fn(&str) -> NodeCommands) -> Result<String, PlanFault> {
        let mut table = self.rollout.clone();
        table.insert("name".to_owned(), self.name.clone().into());
        let network = [("block_time_ms", self.block_time.as_millis()), ("total_power", self.total_power().into())];
        let network: Table = network.into_iter().map(|(key, value)| (key.to_owned(), number(value))).collect();
        table.insert("network".to_owned(), network.into());
        let old = self.nodes.iter().filter(|node| node.format == Format::Old);
        let nodes = old.map(|node| {
            let NodeCommands { home, rpc, start, stop, log } = commands(&node.name);
            let path = |path: PathBuf| path.to_string_lossy().into_owned();
            let words = [("home", path(home)), ("rpc", rpc), ("start", start), ("stop", stop)];
            let words = words.into_iter().chain([("log", path(log))]);
            let command: Table = words.map(|(key, value)| (key.to_owned(), value.into())).collect();
            let role = if node.power == 0 { "full" } else { "validator" };
            let of_node: [(&str, Value); 5] = [
                ("name", node.name.clone().into()),
                ("role", role.into()),
                ("power", number(node.power.into())),
                ("failure_domain", node.failure_domain.clone().into()),
                ("command", command.into()),
            ];
            of_node.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Table>().into()
        });
        table.insert("node".to_owned(), Value::Array(nodes.collect()));
        let text = toml::to_string(&table)?;
        Plan::parse(&text)?;
        Ok(text)
    }
}

impl Scenario {
    /// Nodes of the stages before that of a node.
    #[must_use]
    pub fn in_stages_before(&self, node: &str) -> Vec<String> {
        let plan = self.plan(|_| NodeCommands::default()).ok().and_then(|text| Plan::parse(&text).ok());
        let stages = plan.into_iter().flat_map(|plan| plan.stages).map(|stage| stage.nodes);
        let before = stages.take_while(|nodes| nodes.iter().all(|other| other.as_str() != node));
        before.flatten().map(String::from).collect()
    }
}

/// As TOML has it; what is too large is refused by the plan.
fn number(value: u128) -> Value {
    i64::try_from(value).unwrap_or(i64::MAX).into()
}
