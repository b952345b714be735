//! Tests of the whole program on real homes.
#![expect(clippy::print_stderr, reason = "a test that cannot run here says so loudly")]

#[cfg(feature = "shim")]
mod attesting;
mod checkpoint;
mod checkpoint_rows;
mod crash;
mod damage;
#[cfg(feature = "shim")]
mod fetching;
#[cfg(feature = "shim")]
mod fetching_peers;
mod fixture;
mod fleet;
mod formats;
mod home;
mod light;
mod mending;
#[cfg(feature = "shim")]
mod monitor;
mod program;
mod published;
mod receipt;
mod refusals;
mod rollout;
mod round_trip;
mod runbook;
#[cfg(feature = "shim")]
mod served;
#[cfg(feature = "shim")]
mod serving;
mod stand_in;
mod trace;
mod verify;
mod verify_damage;
mod verify_hostile;
mod verify_kinds;
mod verify_rows;
