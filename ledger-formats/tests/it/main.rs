//! Tests of the crate as its callers see it, on real folders and real homes.

mod contract;
mod crash;
mod rows;
#[cfg(feature = "sled")]
mod sled;
