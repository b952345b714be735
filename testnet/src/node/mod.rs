//! A validator as a process: its home, its peers over the shim, its clock, and an RPC for whoever looks at it.
//!
//! | file | what |
//! |---|---|
//! | `disk`, `wal`, `signer_file` | what lasts |
//! | `host` | the validator on its disk |
//! | `peers` | who the others are, and what this node says of itself |
//! | `outgoing` | messages on their way, as late as the scenario says |
//! | `run` | the loop that waits |
//! | `blocks` | its blocks for whoever asks by the block exchange |
//! | `rpc` | what is told of the node, and the transactions that it takes |

mod blocks;
mod disk;
mod host;
mod outgoing;
mod peers;
mod rpc;
mod run;
mod signer_file;
mod wal;

pub use disk::{Disk, DiskError, create};
pub use host::{Host, Network, News, Now};
pub use peers::{HelloFault, genesis_hash};
pub use run::{Given, Level, NodeError, Other, run};
pub use signer_file::{SignerFile, SignerFileError};
pub use wal::{Wal, WalError};
