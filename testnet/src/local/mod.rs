//! Networks of processes on this machine: one validator each, our own, over the shim.
//!
//! | file | what |
//! |---|---|
//! | `layout` | a network's folder: homes, ports, keys |
//! | `process` | a node's process, started and stopped as a service manager does it |
//! | `damage` | what goes wrong on purpose |
//! | `client`, `load` | who asks the nodes, and who sends transactions |
//! | `network` | all of it, running |
//! | `tool`, `rollout` | `node-migrate` as an operator calls it |
//! | `scenes` | what is shown: rolled out, left alone, with a fault |
//! | `report` | what it cost the network, as a table and a picture |
//!
//! Keys follow from names: they are worth nothing, and belong to no other chain.

mod client;
mod damage;
mod fault;
mod layout;
mod load;
mod network;
mod process;
mod report;
mod rollout;
mod scenes;
mod tool;

pub use damage::{DamageError, damage_once};
pub use fault::SceneError;
pub use layout::{Layout, LayoutError};
pub use network::{Network, end_all};
pub use process::{ProcessError, start, stop};
pub use scenes::{Stage, play};
