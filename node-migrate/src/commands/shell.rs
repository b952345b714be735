//! `completions` and `man`: generated from the command line's own words.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Surroundings;
use crate::cli::Arguments;
use crate::error::{AppError, Kind};

/// Prints completions.
#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn completions(shell: Shell, world: &Surroundings) -> Result<(), AppError> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "node-migrate", &mut text);
    world.output.raw(&String::from_utf8_lossy(&text));
    Ok(())
}

/// Prints the manual page, in roff.
pub(super) fn man(world: &Surroundings) -> Result<(), AppError> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Arguments::command())
        .render(&mut text)
        .map_err(|error| AppError::new(Kind::System, format!("cannot make the manual page: {error}")))?;
    world.output.raw(&String::from_utf8_lossy(&text));
    Ok(())
}
