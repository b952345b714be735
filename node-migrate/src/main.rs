//! The command line: parse, run, exit code.

mod cli;
mod commands;
mod error;
mod faults;
mod output;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    if let Err(message) = faults::install() {
        return output::fail_usage(&message);
    }
    let output = output::Output::new(arguments.global.json);
    match commands::run(&arguments, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output.fail(&error),
    }
}
