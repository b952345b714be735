//! What is proven: trees, signatures, checkpoints and receipts.
//!
//! Everything here is a function of its arguments. The crate does no IO, reads no clock, starts no threads of
//! its own and needs no C++ compiler, so that a third party can read and build it in minutes.

pub mod chain;
pub mod checkpoint;
pub mod commit;
mod encoding;
pub mod merkle;
pub mod note;
pub mod receipt;
pub mod tiles;

pub use encoding::{Base64Error, DecimalError, decode_base64};
