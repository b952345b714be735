//! Our own protocols: the state machines under seeded schedules, and nodes over real connections.

mod attest;
mod blocks;
mod changes;
mod document;
mod greeter;
mod hostile;
mod net;
mod pairs;
mod relay;
mod support;
mod witnesses;
