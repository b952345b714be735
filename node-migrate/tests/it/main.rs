//! Tests of the whole program on real homes.

mod crash;
mod damage;
mod fixture;
mod home;
mod program;
mod refusals;
mod round_trip;
