//! Tests of the crate as its callers see it, on real folders and real homes.

mod assembled;
mod comet_blocks;
mod comet_convert;
mod comet_converted;
mod comet_home;
mod comet_hostile;
mod comet_keys;
mod comet_median;
mod comet_refused;
mod comet_state;
mod comet_writer;
mod contract;
mod crash;
mod detect;
mod homes;
mod light;
mod locate;
mod lock;
mod lsm;
mod lsm_bytes;
mod lsm_logs;
mod lsm_model;
mod lsm_world;
mod lsm_writer;
mod page;
mod patched;
#[cfg(feature = "rocks")]
mod rocks;
mod rows;
#[cfg(feature = "sled")]
mod sled;
mod snapshot;
mod store_root;
mod stored_block;
mod table_damage;
mod table_reader;
mod table_round_trip;
mod values;
