//! `ledger-proof`: checks what `node-migrate` proves, without it and without trusting it.

mod cli;
mod failure;
mod files;
mod inspect;
mod keygen;
mod output;
mod reproduce;
mod verify;
mod witness;

use std::process::ExitCode;

use clap::Parser;

use cli::{Arguments, Command};

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Verify(what) => verify::run(&what),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Witness(arguments) => witness::run(&arguments),
        Command::Reproduce(arguments) => reproduce::run(&arguments),
        Command::VerifyRange(arguments) => reproduce::verify_range(&arguments),
        Command::Join(arguments) => reproduce::join(&arguments),
        Command::Keygen(arguments) => keygen::run(&arguments),
    };
    output::finish(outcome)
}
