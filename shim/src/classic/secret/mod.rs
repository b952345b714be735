//! The encrypted, authenticated channel under the classic peer protocol, as bytes in and bytes out.
//!
//! An ephemeral key each way, keys of the connection from both, and from then on frames of one size. Who the other
//! side is shows only when its signature over the challenge holds: that is the handshake's business.

pub mod frame;
pub mod keys;
mod reader;

pub use reader::SecretReader;
