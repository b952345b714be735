//! The staged rollout of a storage format over the nodes of one network.
//!
//! A rollout is a plan (`rollout.toml`), a log of facts, and what is computed from the two. The core is
//! pure: [`step::step`] looks at the plan, the state and one round of observations and says which
//! decisions follow and which actions they need; the [`state::State`] is a fold over the log and is
//! never stored beside it. Whoever carries the actions out writes the decisions down first. Nothing in
//! the pure part knows a clock, a file, a network or a random number.
//!
//! A node's way: stop → copy → verify → cut over → start → in service. A failed node goes back by the
//! same steps the other way, and only while no height would be lost.

pub mod controller;
pub mod driver;
pub mod evidence;
pub mod fact;
pub mod lock;
pub mod log;
pub mod observation;
pub mod plan;
pub mod review;
pub mod state;
pub mod step;

#[cfg(test)]
mod tests;
