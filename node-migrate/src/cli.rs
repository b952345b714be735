//! The words of the command line.

pub(crate) mod checkpoint;
#[cfg(feature = "shim")]
pub(crate) mod fetch;
#[cfg(feature = "shim")]
pub(crate) mod own;
pub(crate) mod peer;
pub(crate) mod rollout;
#[cfg(feature = "shim")]
pub(crate) mod shim;
#[cfg(feature = "shim")]
pub(crate) mod tunnel;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use ledger_formats::comet::release::{RELEASES, Release, release};
use node_migrate::formats::TargetSpec;

use peer::{Patience, Peer};

/// Moves a blockchain node's databases between storage engines, in place, and proves by the chain's
/// own signatures that nothing changed. Nothing changes without --execute.
#[derive(Debug, Parser)]
#[command(name = "node-migrate", version, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
The usual way, with the node stopped:
  node-migrate inspect  HOME
  node-migrate plan     HOME --to pebbledb
  node-migrate run      HOME --to pebbledb --execute
  node-migrate verify   HOME
  node-migrate cutover  HOME --execute      (start the node, look at it)
  node-migrate finalise HOME --execute      (much later; until then: rollback)

Exit codes: 0 done, 2 wrong usage, 3 not a usable home, 4 the node is running, 5 damaged data,
6 verification failed, 7 disk or permission, 8 not possible in this state, 9 a rollout halted,
10 a peer refuses us or cannot be reached, 130 interrupted (resumable).";

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print results as JSON on standard output, and progress as lines of JSON on standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Worker threads [default: the number of cores].
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: Option<u16>,
    /// Memory for the whole process, in MiB.
    #[arg(long, global = true, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(64..=1_048_576))]
    pub(crate) memory: u64,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a home holds: engines, sizes, heights, settings, locks.
    Inspect(HomeOnly),
    /// Show what a migration would do, cost and change. Changes nothing.
    Plan(PlanArguments),
    /// Copy the databases into the new engine, beside the old ones.
    Run(RunArguments),
    /// Check the new databases, or those of a home without a migration, by the chain's own commitments.
    Verify(VerifyArguments),
    /// Make the verified new databases the node's own.
    Cutover(CutoverArguments),
    /// Make the old databases the node's own again, if no height would be lost.
    Rollback(Change),
    /// Remove the old databases for good.
    Finalise(Change),
    /// Give up a migration that has not been cut over, and remove its copies.
    Discard(Change),
    /// Show where the migration of a home stands, and what comes next.
    Status(HomeOnly),
    /// Show the audit trail of the migrations of a home.
    Journal(HomeOnly),
    /// Show the signed receipt of the last cut-over.
    Receipt(HomeOnly),
    /// Set labels right that name another key layout than the keys have.
    Repair(RepairArguments),
    /// Print counts and SHA-256 of every database, independent of its engine.
    Digest(DigestArguments),
    /// Print the store root of every database: one hash over its records, the same in every engine, layout and dialect.
    Root(DigestArguments),
    /// Show where a record lies, what a migration did with it, where it lies now, and the path that proves it.
    Trace(TraceArguments),
    /// The whole way for small stores: run, verify, cut over.
    Migrate(MigrateArguments),
    /// Sign and prove the tree of a store's heights, which anybody can recompute.
    #[command(subcommand)]
    Checkpoint(checkpoint::Checkpoint),
    /// Roll a format out over the nodes of a network, stage by stage, with gates and a way back.
    #[command(subcommand)]
    Rollout(rollout::Rollout),
    /// Get blocks from other nodes, each proven by this home's chain, and say which of its own are damaged. Changes nothing in
    /// the home, whose node may be running.
    #[cfg(feature = "shim")]
    Fetch(fetch::Fetch),
    /// Run beside the node, on its network.
    #[cfg(feature = "shim")]
    #[command(subcommand)]
    Shim(shim::Shim),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

/// A home and nothing else.
#[derive(Debug, Args)]
pub(crate) struct HomeOnly {
    /// The node's folder, which holds config/ and data/.
    pub(crate) home: PathBuf,
}

/// A home that a command changes.
#[derive(Debug, Args)]
pub(crate) struct Change {
    /// The node's folder, which holds config/ and data/.
    pub(crate) home: PathBuf,
    /// Do it; without this only what would happen is shown.
    #[arg(long)]
    pub(crate) execute: bool,
}

/// What to migrate, and to what.
#[derive(Debug, Args)]
pub(crate) struct Wish {
    /// The engine: goleveldb, pebbledb, rocksdb or sled; `pebbledb,format=13` for a node on Pebble v2; with
    /// `,layout=v1` or `v2` keys, with `,dialect=v0_38`, `v0_40` or `v1_0` values are rewritten too.
    #[arg(long, value_name = "ENGINE")]
    pub(crate) to: Option<TargetSpec>,
    /// The release that will open the home, for example cometbft-0.40: keys and values become what it reads, and the
    /// engine one that it opens, unless --to names another.
    #[arg(long = "for", value_name = "RELEASE", value_parser = a_release)]
    pub(crate) release: Option<&'static Release>,
    /// Only this database (may be repeated); also one that the configuration does not govern.
    #[arg(long, value_name = "NAME")]
    pub(crate) db: Vec<String>,
}

fn a_release(name: &str) -> Result<&'static Release, String> {
    let names = || RELEASES.iter().map(|release| release.name).collect::<Vec<_>>().join(", ");
    release(name).ok_or_else(|| format!("known releases are {}", names()))
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The node's folder, which holds config/ and data/.
    pub(crate) home: PathBuf,
    #[command(flatten)]
    pub(crate) wish: Wish,
    /// Also write the plan to this file, for `run --plan`.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// What to do at damaged places of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnCorrupt {
    /// Stop and name the place.
    Stop,
    /// Leave the damaged keys out and record them as exceptions.
    Quarantine,
    /// Fetch damaged blocks from --from, prove them, and write them instead.
    Repair,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) change: Change,
    #[command(flatten)]
    pub(crate) wish: Wish,
    /// Run this plan instead of making one.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "release", "db"])]
    pub(crate) plan: Option<PathBuf>,
    /// What to do at damaged places of the source.
    #[arg(long, value_enum, default_value_t = OnCorrupt::Stop)]
    pub(crate) on_corrupt: OnCorrupt,
    /// Who has the damaged blocks: another home of the chain, in any format, or a folder that `fetch` has written; a node,
    /// as id@host:port (classic) or host:port@12D3KooW.. (libp2p) (may be repeated; folders are asked first).
    #[arg(long, value_name = "PEER", required_if_eq("on_corrupt", "repair"))]
    pub(crate) from: Vec<Peer>,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The node's folder, which holds config/ and data/.
    pub(crate) home: PathBuf,
    /// Check the databases that the node opens, even if a migration is under way.
    #[arg(long)]
    pub(crate) live: bool,
}

/// Arguments of `cutover`.
#[derive(Debug, Args)]
pub(crate) struct CutoverArguments {
    #[command(flatten)]
    pub(crate) change: Change,
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// What the operator agrees to at a cut-over.
#[derive(Debug, Args)]
pub(crate) struct Consent {
    /// Cut over although quarantined places of the source are missing in the new databases.
    #[arg(long)]
    pub(crate) accept_exceptions: bool,
    /// Sign the receipt with this key file [default: one generated in the workspace].
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
}

/// Arguments of `digest` and `root`.
#[derive(Debug, Args)]
pub(crate) struct DigestArguments {
    /// The node's folder, which holds config/ and data/.
    pub(crate) home: PathBuf,
    /// Only this database (may be repeated).
    #[arg(long, value_name = "NAME")]
    pub(crate) db: Vec<String>,
}

/// Arguments of `trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArguments {
    /// The node's folder, which holds config/ and data/.
    pub(crate) home: PathBuf,
    #[command(flatten)]
    pub(crate) question: TraceQuestion,
    /// Only this database (may be repeated).
    #[arg(long, value_name = "NAME")]
    pub(crate) db: Vec<String>,
    /// Leave out the paths to the roots, for which each database with such a record is read whole.
    #[arg(long)]
    pub(crate) no_proof: bool,
}

/// What is traced.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct TraceQuestion {
    /// All records of this height in the block, state and evidence stores.
    #[arg(long, value_name = "H")]
    pub(crate) height: Option<u64>,
    /// The record of this key, in hex, in either layout.
    #[arg(long, value_name = "HEX", value_parser = a_key)]
    pub(crate) key: Option<RawKey>,
}

/// A key of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawKey(pub(crate) Vec<u8>);

fn a_key(text: &str) -> Result<RawKey, String> {
    match hex::decode(text) {
        Ok(key) if !key.is_empty() => Ok(RawKey(key)),
        Ok(_) => Err("no database has an empty key".to_owned()),
        Err(error) => Err(format!("{error}; a key is given in hex, `H:1` as 483a31")),
    }
}

/// Arguments of `repair`.
#[derive(Debug, Args)]
pub(crate) struct RepairArguments {
    #[command(flatten)]
    pub(crate) change: Change,
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// Arguments of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    #[command(flatten)]
    pub(crate) consent: Consent,
}
