//! The messages against bytes of real nodes, and the generated code against its descriptions.

mod cometbft;
mod generated;
