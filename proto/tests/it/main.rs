//! The messages against bytes of real nodes, and the negotiation over all pairs.

mod cometbft;
mod hello;
mod negotiate;
