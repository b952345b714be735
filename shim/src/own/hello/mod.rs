//! The exchange of hellos on a connection, without a network: when to greet, what to make of a greeting, what to tell.
//!
//! | file | what |
//! |---|---|
//! | `greeter` | the state of one connection |
//! | `allowance` | how many greetings a peer may send |

mod allowance;
mod greeter;

pub use allowance::Allowance;
pub use greeter::{Change, Greeter, Opener, Received};
