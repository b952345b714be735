//! RocksDB, through its own library (named nowhere else): one column family `default`, compared
//! byte by byte, no merge operator, as nodes use it (cometbft-db, cosmos-db).
//!
//! The library is of a newer line (11.8) than the ones nodes link (7.8 to 10.x): it reads what they
//! write, but what it writes by default they cannot read. Everything that decides about bytes on
//! disk is therefore set by name, in `options.rs`.

mod error;
mod live;
mod options;
mod reader;
mod seal;
mod split;
mod writer;

pub use live::RocksLive;
pub use reader::{RocksReadOptions, RocksStore};
pub use writer::{RocksWriteOptions, RocksWriter};
