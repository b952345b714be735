//! Our own protocols: the state machines under seeded schedules.

mod attest;
mod blocks;
mod greeter;
mod support;
