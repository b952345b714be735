//! The chain as a public node tells it: headers that hash to their ids, each naming the one below.
//!
//! | file | what |
//! |---|---|
//! | `header` | the hash of a header |
//! | `validators` | the hash of a validator set |
//! | `walk` | heights in order, each checked against the one below, and the tree over them |
//! | `state` | a walk put aside, as text |
//! | `segment` | checked segments as lines, and how they join |
//! | `spelling` | hashes and blocks in those texts |
//!
//! With the signatures of each height (`commit`) nothing has to be believed but who the first validators were.

mod header;
mod segment;
mod spelling;
mod state;
mod validators;
mod walk;

pub use header::Header;
pub use segment::{JoinError, JoinFault, Joined, Segment, SegmentError};
pub use state::{WalkState, WalkStateError};
pub use walk::{Border, LinkError, Start, Walk};
