//! Nodes of this machine: their homes are worked on by this program, their processes by the commands of
//! the plan, the chain is seen by their RPC.
//!
//! It never opens a database itself, and never a file of keys or of signing state.

mod act;
mod chain;
mod child;
mod home;
mod log_file;
mod rpc;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use self::child::Children;
use self::log_file::ErrorCount;
use self::rpc::Rpc;
use super::Driver;
use crate::rollout::fact::Outcome;
use crate::rollout::observation::{NodeSeen, Observations};
use crate::rollout::plan::{CommandNode, NodeName, Plan};
use crate::rollout::state::State;
use crate::rollout::step::Order;

/// The driver.
#[derive(Debug)]
pub struct CommandDriver {
    plan: Plan,
    children: Children,
    rpcs: BTreeMap<NodeName, Rpc>,
    errors: Mutex<BTreeMap<NodeName, ErrorCount>>,
    /// When the rollout began: what was migrated before is not its own.
    since_ms: OnceLock<u64>,
}

/// Why a plan cannot be run by commands.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// A node does not say how it is reached.
    #[error("{node} has no [node.command]: the plan can be judged, not run")]
    Unreachable {
        /// The node.
        node: NodeName,
    },
    /// An address that is not plain HTTP.
    #[error("{node}: {url:?} is not http://HOST:PORT")]
    Url {
        /// The node.
        node: NodeName,
        /// The address.
        url: String,
    },
}

impl CommandDriver {
    /// The driver of `plan`: `program` is this program, `folder` takes what commands say, `stop` asks them to end.
    ///
    /// # Errors
    /// [`DriverError`] when the plan does not say how a node is reached.
    pub fn new(plan: &Plan, program: PathBuf, folder: PathBuf, stop: Arc<AtomicBool>) -> Result<Self, DriverError> {
        let mut rpcs = BTreeMap::new();
        for (name, node) in &plan.nodes {
            let Some(command) = &node.driver else { return Err(DriverError::Unreachable { node: name.clone() }) };
            let url = || DriverError::Url { node: name.clone(), url: command.rpc.clone() };
            rpcs.insert(name.clone(), Rpc::new(&command.rpc).ok_or_else(url)?);
        }
        let children = Children { program, folder, stop };
        Ok(Self { plan: plan.clone(), children, rpcs, errors: Mutex::default(), since_ms: OnceLock::new() })
    }

    fn command_of(&self, node: &NodeName) -> Option<&CommandNode> {
        self.plan.nodes.get(node)?.driver.as_ref()
    }

    fn see(&self, name: &NodeName, since_ms: u64) -> NodeSeen {
        let (Some(command), Some(rpc)) = (self.command_of(name), self.rpcs.get(name)) else {
            return NodeSeen::unreachable("it has no [node.command]");
        };
        let said = rpc.status();
        let interval = self.plan.gates.attestation_interval_heights;
        let attestations =
            said.as_ref().map(|said| chain::attestations(rpc, said.height, interval)).unwrap_or_default();
        NodeSeen {
            process: home::process(command),
            home: match self.children.still_at_work(name) {
                Some(busy) => Err(busy),
                None => home::seen(command, since_ms),
            },
            rpc: said.map_err(|error| error.to_string()),
            attestations,
            disk_free_bytes: home::free_bytes(command),
            errors_total: self.errors_of(name, command),
        }
    }

    fn errors_of(&self, name: &NodeName, command: &CommandNode) -> Option<u64> {
        let log = command.log.as_ref()?;
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.entry(name.clone()).or_default().read_on(log)
    }
}

impl Driver for CommandDriver {
    fn observe(&self, state: &State) -> Observations {
        self.since_ms.get_or_init(|| state.begun_at_ms);
        let nodes: BTreeMap<NodeName, NodeSeen> =
            self.plan.nodes.par_iter().map(|(name, _)| (name.clone(), self.see(name, state.begun_at_ms))).collect();
        let mut sources: Vec<_> =
            nodes.iter().filter_map(|(name, seen)| Some((seen.rpc.as_ref().ok()?.height, name))).collect();
        sources.sort_by(|a, b| b.cmp(a));
        let chain = sources
            .into_iter()
            .find_map(|(height, name)| chain::sample(self.rpcs.get(name)?, height, state).ok().flatten());
        Observations { nodes, chain }
    }

    fn act(&self, order: &Order) -> Outcome {
        act::act(self, order)
    }
}
