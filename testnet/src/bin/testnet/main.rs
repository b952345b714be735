//! `testnet`: networks of validators, simulated.

mod cli;
mod sim;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Arguments::parse().command {
        cli::Command::Sim(arguments) => sim::run(&arguments),
    }
}
