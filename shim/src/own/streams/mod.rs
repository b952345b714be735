//! Substreams of our protocols on libp2p: every one that a peer opens is admitted, refused in words, or counted as
//! dropped; none waits in a queue.
//!
//! | file | what |
//! |---|---|
//! | `behaviour` | the network behaviour: all connections |
//! | `handler` | the streams of one connection |
//! | `upgrade` | which name was agreed upon |
//! | `slots` | how many streams are served at a time |

mod behaviour;
mod handler;
mod slots;
mod upgrade;

pub use behaviour::{Behaviour, Event};
pub use handler::{Inbound, OpenError};
pub use slots::{Permit, Slots};
