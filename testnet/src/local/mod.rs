//! Networks of processes on this machine: one validator each, our own, over the shim.
//!
//! | file | what |
//! |---|---|
//! | `layout` | a network's folder: homes, ports, keys |
//! | `process` | a node's process, started and stopped as a service manager does it |
//! | `damage` | what goes wrong on purpose |
//!
//! Keys follow from names: they are worth nothing, and belong to no other chain.

mod damage;
mod layout;
mod process;

pub use damage::{DamageError, damage_once};
pub use layout::{Layout, LayoutError};
pub use process::{ProcessError, is_alive, start, stop};
