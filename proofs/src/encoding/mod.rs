//! Spellings that have exactly one form: base64 and decimal numbers. A second spelling of the same value is an
//! error with its reason, because signed text and proofs must not be malleable.

mod base64;
mod decimal;
pub(crate) mod proto;

pub use base64::{Base64Error, decode as decode_base64};
pub(crate) use base64::{decode, decode_hash, encode};
pub use decimal::DecimalError;
pub(crate) use decimal::decimal;
