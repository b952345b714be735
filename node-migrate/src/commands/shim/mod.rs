//! `shim`: what runs beside a node, on its network.

mod attest;
mod board;
mod explain;
mod explain_own;
mod id;
mod identity;
mod monitor;
mod own;
mod serve;
mod status;
mod transports;
mod tunnel;
mod words;

use super::Surroundings;
use crate::cli;
use crate::error::AppError;

/// Runs one of its commands.
pub(super) fn run(command: &cli::shim::Shim, world: &Surroundings) -> Result<(), AppError> {
    match command {
        cli::shim::Shim::Serve(words) => serve::run(words, world),
        cli::shim::Shim::Tunnel(words) => tunnel::run(words, world),
        cli::shim::Shim::Status(words) => status::run(words, world),
        cli::shim::Shim::Explain(words) => explain::run(words, world),
        cli::shim::Shim::Id(words) => id::run(words, world),
    }
}
