//! The blocks of a home for other nodes: verified before they are offered, checked again when they are given.
//!
//! ```text
//! folders ─► snapshot ─► views: the new databases, the node's ─► sweep from the base upward ─► offer
//!    ▲  every few seconds, when files have changed                          block ◄─ checked anew
//!    └──────────────────────────────────────────────────────────────────────────┘
//! ```
//! The node may go on running, and a migration too: only snapshots are read. While a verified migration waits for its
//! cut-over, heights come from the new databases where these prove them, and from the node's own elsewhere. Nothing
//! here knows a peer or a transport: [`VerifiedBlocks`] is the [`shim::source::BlockSource`] of them all.

mod attest;
mod error;
mod folders;
mod standing;
mod sweep;
mod times;
mod told;
mod verified;
mod view;

pub use attest::{AttestError, Attester};
pub use error::ServingError;
pub use standing::standing;
pub use sweep::Sweep;
pub use times::{NotATimeRule, TimeRules};
pub use told::Told;
pub use verified::VerifiedBlocks;
