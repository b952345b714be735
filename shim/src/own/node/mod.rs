//! A node of our own protocols: one libp2p swarm with what it serves and what it fetches.
//!
//! | file | what |
//! |---|---|
//! | `config` | what a node is started with |
//! | `swarm` | transports and behaviours |
//! | `task` | the loop that owns the swarm |
//! | `shared` | what the tasks of a node share |
//! | `session` | what is known of one connection |
//! | `greet` | hellos, over streams |
//! | `serve` | blocks for peers |
//! | `witness` | attestations, over streams |
//! | `relay` | messages of the program above, over streams |
//! | `fetch` | blocks from peers |
//! | `dial` | static peers, and when to dial them again |
//! | `handle` | how the rest of the program talks to a node |
//! | `event` | what a node tells |
//!
//! One task owns the swarm and never waits; each stream is served by a task of its own, which holds one of a bounded
//! number of places. Reading blocks, hashing and checking run where blocking is allowed.

mod config;
mod dial;
mod event;
mod fetch;
mod greet;
mod handle;
mod relay;
mod serve;
mod session;
mod shared;
mod swarm;
mod task;
mod witness;

pub use config::{Config, StaticPeer, StaticPeerError, listeners};
pub use event::{Event, Refused};
pub use fetch::{Download, FetchError};
pub use handle::{Handle, PeerView};
pub use relay::RelayError;
pub use task::{StartError, start};
