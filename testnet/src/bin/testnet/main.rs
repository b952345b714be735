//! `testnet`: networks of validators, simulated and as processes.

mod cli;
mod nodes;
mod sim;

use std::process::ExitCode;

use clap::Parser;
use cli::Command;

fn main() -> ExitCode {
    let done = match cli::Arguments::parse().command {
        Command::Sim(arguments) => return sim::run(&arguments),
        Command::Local(arguments) => nodes::local(&arguments),
        Command::Make { scenario, folder } => nodes::make(&scenario, &folder),
        Command::Validator(node) => nodes::validator(&node),
        Command::Start(node) => nodes::start(&node),
        Command::Stop(node) => nodes::stop(&node),
        Command::Damage(node) => nodes::damage(&node),
    };
    nodes::end(done)
}
