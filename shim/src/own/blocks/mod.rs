//! The block exchange: what is asked, what is sent, and what is checked before it counts.
//!
//! | file | what |
//! |---|---|
//! | `check` | what the receiver's owner decides: whether a head is of the chain, whether a block is |
//! | `head` | what a sender says of a block before its bytes |
//! | `parts` | a block in parts, with their proofs |
//! | `refusal` | why blocks do not come |
//! | `one` | version 1: one request, one whole block |
//! | `sender` | version 2: blocks into frames |
//! | `receiver` | version 2: frames into blocks, each part proven before it is kept |
//! | `frame` | version 2: frames and their compression |
//! | `fault` | why what came is not what was asked for |
//!
//! Nothing here knows a network: requests, frames and blocks come in and go out as bytes, so that every order of
//! events can be played by a test.

mod check;
mod fault;
mod frame;
mod head;
pub mod one;
mod parts;
mod receiver;
mod refusal;
mod sender;

pub use check::{Check, Rejection};
pub use fault::Fault;
pub use frame::{Expander, Packer, refusal as refusal_frame};
pub use head::BlockHead;
pub use parts::PartSet;
pub use receiver::{Progress, Receiver};
pub use refusal::{Code, Refusal};
pub use sender::Sender;
