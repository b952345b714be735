//! Our own protocols: the state machines under seeded schedules.

mod blocks;
mod support;
