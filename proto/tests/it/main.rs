//! The messages against bytes of real nodes, the generated code against its descriptions, and the negotiation over
//! all pairs.

mod cometbft;
mod generated;
mod hello;
mod negotiate;
