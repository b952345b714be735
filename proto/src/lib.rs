//! What is said between nodes: the messages on the wire and the version negotiation.
//!
//! | room | what |
//! |---|---|
//! | [`hello`] | who a node is and what it speaks, checked |
//! | [`mod@negotiate`] | what two nodes can do for each other, or why nothing |
//! | [`wire`] | messages of our own protocols, unchecked |
//! | [`cometbft`] | messages of CometBFT's peer protocols, as far as we speak them, unchecked |
//! | `schema/` | the messages as they are described (protobuf); the code in `src/gen` is generated from it by `generator/` |
//!
//! Everything here is a function of its arguments. It never does IO and reads no clock.

pub mod cometbft;
pub mod hello;
pub mod negotiate;
pub mod wire;

pub use negotiate::negotiate;
