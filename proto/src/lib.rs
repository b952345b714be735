//! What is said between nodes: the messages on the wire and the version negotiation.
//!
//! | room | what |
//! |---|---|
//! | [`cometbft`] | messages of CometBFT's peer protocols, as far as we speak them |
//! | `schema/` | the messages as they are described (protobuf); the code in `src/gen` is generated from it by a test |
//!
//! Everything here is a function of its arguments. It never does IO and reads no clock.

pub mod cometbft;
