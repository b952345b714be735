//! Block sync on payloads, whatever the transport: gives blocks to nodes, gets blocks from them.
//!
//! | file | idea |
//! |---|---|
//! | [`message`] | the words, as bytes |
//! | [`server`] | one peer that is given blocks |
//! | [`catch_up`] | a peer that has left block sync and is still behind |
//! | [`client`] | blocks fetched from peers |
//! | [`service`] | all of it for the sessions of a transport |
//!
//! Pure state machines, and one service that drives them. They never trust a peer, and never make a promise to one that
//! the source cannot keep at once.

pub mod catch_up;
pub mod client;
pub mod message;
pub mod server;
pub mod service;

#[cfg(test)]
mod fixture;
