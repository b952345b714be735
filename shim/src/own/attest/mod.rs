//! Attestations: nodes tell each other the signed checkpoints that they came to at agreed heights.
//!
//! | file | what |
//! |---|---|
//! | `book` | checkpoints of this node and of others, compared |
//! | `verdict` | what comes of an attestation, and the evidence of a difference |
//! | `message` | attestations and replies on the wire |
//!
//! Equal roots across storage formats show that two stores hold the same chain. A different root is an alarm
//! that keeps both signed notes, so that a third party can check it.

mod book;
mod message;
mod verdict;

pub use book::{Book, BookError, Judged};
pub use message::{Code, MessageError, Reply, attestation, read_attestation};
pub use verdict::{Alarm, Kind, Verdict};
