//! Tests of the whole program on real homes.

mod fixture;
mod home;
