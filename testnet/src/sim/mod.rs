//! Networks in one process under a scheduler with virtual time, where everything that happens follows from a seed.
//!
//! The validators are those of [`crate::consensus`]; what is simulated is the world around them: clocks, a network that
//! delays, loses and parts, disks that keep what was made durable and lose the rest, processes that die between any two
//! effects. Every run is checked while it goes and at its end; a run that fails says its seed, and the same seed fails
//! in the same way again, with a trace.
//!
//! | what must hold | how it is seen |
//! |---|---|
//! | no fork | every block that a node stores is the one that all others store at its height |
//! | no lost height | a node that starts again has every block that it ever made durable |
//! | no equivocation | no validator ever sends two votes or two proposals of one height and round |
//! | liveness | when the faults end, the network goes on within [`LIVENESS_BOUND`], and every node when the rollout is at rest |
//! | one chain | in the end every store gives the same root over the common heights, and every row follows from the chain |
//! | true verdicts | a migration's verification finds every damaged copy, and nothing in any other |
//! | gates | no rollout goes through all its stages with a damaged node |

mod audit;
mod checks;
mod damage;
mod disk;
mod effects;
mod ending;
mod homes;
mod load;
mod migration;
mod network;
mod node;
mod pace;
mod queue;
mod rng;
mod rollout;
mod scenario;
mod schedule;
mod wires;
mod world;

pub use checks::{Failure, Violation};
pub use pace::LIVENESS_BOUND;
pub use scenario::{Faults, Sabotage, Scenario};
pub use world::{Summary, run, run_to_homes, run_traced};

#[cfg(test)]
mod tests;
