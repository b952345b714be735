//! A node's home: its configuration, its databases and where they really are, who may be using it.
//!
//! Opening a home reads and never writes. Files of keys and of signing state (`priv_validator_*`) are never opened, here or anywhere.

mod config;
mod discover;
mod error;
mod genesis;
pub mod guard;
pub mod node_process;
mod open;
pub mod service;
mod setting;
pub mod settings;
pub mod space;
mod toml_text;

#[cfg(test)]
mod tests;

pub use config::{AppConfig, ConfigFile, NodeConfig};
pub use discover::{Database, LeftOut};
pub use error::HomeError;
pub use genesis::{Genesis, GenesisError, genesis_hash};
pub use open::Home;
pub use setting::{Role, Setting};
pub use toml_text::TomlFault;
