//! The words of `rollout`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with a staged rollout over many nodes.
#[derive(Debug, Subcommand)]
pub(crate) enum Rollout {
    /// Show the stages of a plan, or why it is refused. Changes nothing.
    Plan(PlanFile),
    /// Carry a plan out, or go on with it: stage by stage, with gates; halts and goes back by itself.
    Run(Run),
    /// Show where a rollout stands.
    Status(PlanFile),
    /// Write the review of a rollout in Markdown: what was done, when, on which evidence.
    Review(Review),
}

/// A plan and its log.
#[derive(Debug, Args)]
pub(crate) struct PlanFile {
    /// The plan, `rollout.toml`.
    pub(crate) plan: PathBuf,
    /// The log [default: beside the plan, with the ending `.log`].
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

impl PlanFile {
    /// Where the log is.
    pub(crate) fn log(&self) -> PathBuf {
        self.log.clone().unwrap_or_else(|| self.plan.with_extension("log"))
    }
}

/// Arguments of `rollout run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) file: PlanFile,
    /// Do it; without this only the stages are shown.
    #[arg(long)]
    pub(crate) execute: bool,
    /// Let the rollout go on after this stage, which waits for a person.
    #[arg(long, value_name = "STAGE", requires = "by", conflicts_with = "resume")]
    pub(crate) approve: Option<String>,
    /// Take a halted rollout up again, for this reason.
    #[arg(long, value_name = "REASON", requires = "by")]
    pub(crate) resume: Option<String>,
    /// The person who says so.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Milliseconds between two rounds of observation.
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(50..=600_000))]
    pub(crate) poll_ms: u64,
}

/// Arguments of `rollout review`.
#[derive(Debug, Args)]
pub(crate) struct Review {
    #[command(flatten)]
    pub(crate) file: PlanFile,
    /// Write it to this file [default: print it].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}
