//! Bytes on disk: storage engines, key layouts, value dialects and records of ledger databases.
//!
//! A row's walk: `snapshot → lsm cursor → class → codec → table_writer → manifest`. This crate never
//! opens a source folder with an engine, never locks one, never changes one; it never prints, and
//! never reads the environment or the clock.

pub mod comet;
pub mod digest;
pub mod durable;
pub mod engine;
pub mod patched;
pub mod root;
pub mod store;
