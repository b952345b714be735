//! The words of the command line.

use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use testnet::sim::Faults;

/// Networks of validators that decide blocks, migrate and go on.
#[derive(Debug, Parser)]
#[command(name = "testnet", max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run networks in one process under virtual time, one for each seed, and check what must hold.
    Sim(SimArguments),
    /// Play a scenario on processes of this machine: its network rolled out, left alone, and rolled out with its faults.
    Local(LocalArguments),
    /// Make the network of a scenario in a new folder: homes, ports, keys.
    Make {
        /// The scenario.
        scenario: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// Be a node of a network, until a signal comes.
    Validator(NodeArguments),
    /// Start a node's process.
    Start(NodeArguments),
    /// End a node's process, and wait until it has ended.
    Stop(NodeArguments),
    /// Ruin a node's state database, once, if it is in the new format.
    Damage(NodeArguments),
}

/// Arguments of `local`.
#[derive(Debug, Args)]
pub(crate) struct LocalArguments {
    /// The scenario.
    pub(crate) scenario: PathBuf,
    /// A folder that is not there yet, for the networks.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Where reviews and comparison go.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) report: PathBuf,
    /// The program that migrates.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) node_migrate: PathBuf,
}

/// A node of a network.
#[derive(Debug, Args)]
pub(crate) struct NodeArguments {
    /// The network's folder.
    pub(crate) folder: PathBuf,
    /// The node's name.
    pub(crate) node: String,
}

/// Arguments of `sim`.
#[derive(Debug, Args)]
pub(crate) struct SimArguments {
    /// One seed, or those from A to before B.
    #[arg(long, value_name = "A..B", default_value = "0..100")]
    pub(crate) seeds: Seeds,
    /// Roll out the new format meanwhile.
    #[arg(long)]
    pub(crate) rollout: bool,
    /// Faults: none, all, or some of network, crashes and migrations, joined by commas.
    #[arg(long, default_value = "all")]
    pub(crate) faults: Faults,
    /// Validators.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=40))]
    pub(crate) nodes: u8,
    /// Heights that each run must reach.
    #[arg(long, default_value_t = 15)]
    pub(crate) heights: u64,
    /// Sign and verify with Ed25519 instead of checksums.
    #[arg(long)]
    pub(crate) real_signatures: bool,
    /// Tell what happens in each run.
    #[arg(long)]
    pub(crate) trace: bool,
    /// Write what the nodes have in the end as homes below this folder; for one seed.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) write_homes: Option<PathBuf>,
    /// Threads [default: the number of cores].
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
}

/// A range of seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds(pub(crate) Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u64>().map_err(|error| format!("`{text}`: {error}"));
        let range = match text.split_once("..") {
            Some((from, to)) => number(from)?..number(to)?,
            None => number(text)?..number(text)?.saturating_add(1),
        };
        if range.is_empty() { Err("there is no seed in it".to_owned()) } else { Ok(Self(range)) }
    }
}
