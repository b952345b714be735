//! Who sees and acts for a rollout: an interface of two methods, so that the controller is the same for
//! processes of this machine and for a script in a test.

pub mod command;

use super::fact::Outcome;
use super::observation::Observations;
use super::state::State;
use super::step::Order;

/// Sees the network and acts on it.
pub trait Driver: Sync {
    /// Looks at everything once. What cannot be seen is part of the answer, never an error.
    fn observe(&self, state: &State) -> Observations;

    /// Carries an order out, and ends within its time. Called from a thread of its own, with at most one
    /// order for each node at a time.
    fn act(&self, order: &Order) -> Outcome;
}
