//! The only place that prints: results to the output, failures to the error output.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is where the program talks to people")]

use std::process::ExitCode;

use super::failure::Failure;

/// Prints what a command found, or why it failed, and says the exit code.
pub(crate) fn finish(outcome: Result<String, Failure>) -> ExitCode {
    match outcome {
        Ok(text) => {
            println!("{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("ledger-proof: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

/// Tells how far a long command is.
pub(crate) fn progress(text: &str) {
    eprintln!("ledger-proof: {text}");
}
