//! The words of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use proofs::note::VerifierKey;

/// Checks what node-migrate proves: checkpoints, proofs and receipts, offline; and recomputes a chain's tree from
/// the RPC of any public node.
///
/// Exit codes: 0 it holds, 2 wrong words, 6 it does not hold, 7 a file or node does not answer.
#[derive(Debug, Parser)]
#[command(name = "ledger-proof", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a file against keys that you trust.
    #[command(subcommand)]
    Verify(Verify),
    /// Show what a file says, without checking signatures.
    Inspect(Inspect),
    /// Cosign a checkpoint, if its tree only grew since the last one.
    Witness(Witness),
    /// Recompute the tree of a chain from a public node's RPC, checking every link and signature.
    Reproduce(Reproduce),
    /// The same for one segment of 65,536 heights, so that many machines share a chain.
    VerifyRange(VerifyRange),
    /// Put checked segments together.
    Join(Join),
    /// Make a key: the private one to a new file, the public one to the output.
    Keygen(Keygen),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verify {
    /// A signed checkpoint.
    Checkpoint(Checkpoint),
    /// A height's place in a checkpoint's tree (a tlog-proof file).
    Inclusion(Inclusion),
    /// That one checkpoint's tree grew from another's (a file as witnesses get it).
    Consistency(Consistency),
    /// The receipt of a migration.
    Receipt(Receipt),
}

#[derive(Debug, Args)]
pub(crate) struct Checkpoint {
    /// The checkpoint.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) trust: Trust,
}

#[derive(Debug, Args)]
pub(crate) struct Inclusion {
    /// The proof.
    pub(crate) file: PathBuf,
    /// Height of the block.
    #[arg(long)]
    pub(crate) height: u64,
    /// Hash of the block, hex, as any node's RPC tells it.
    #[arg(long, value_parser = hash)]
    pub(crate) block_hash: [u8; 32],
    /// Number of the block's parts (`block_id.parts.total`).
    #[arg(long)]
    pub(crate) parts: u32,
    /// Hash of the block's part set, hex (`block_id.parts.hash`).
    #[arg(long, value_parser = hash)]
    pub(crate) part_set_hash: [u8; 32],
    #[command(flatten)]
    pub(crate) trust: Trust,
}

#[derive(Debug, Args)]
pub(crate) struct Consistency {
    /// The proof, which holds the newer checkpoint.
    pub(crate) file: PathBuf,
    /// The older checkpoint.
    #[arg(long)]
    pub(crate) old: PathBuf,
    #[command(flatten)]
    pub(crate) trust: Trust,
}

#[derive(Debug, Args)]
pub(crate) struct Receipt {
    /// The receipt.
    pub(crate) file: PathBuf,
    /// Public key of the operator who signed it.
    #[arg(long, value_parser = VerifierKey::parse, required = true)]
    pub(crate) key: Vec<VerifierKey>,
}

/// Whom to believe.
#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// Public key of the log; its name is the origin that must be proven.
    #[arg(long, value_parser = VerifierKey::parse)]
    pub(crate) log: VerifierKey,
    /// Public key of a witness; repeat for more.
    #[arg(long = "witness", value_parser = VerifierKey::parse)]
    pub(crate) witnesses: Vec<VerifierKey>,
    /// How many of the witnesses must have cosigned.
    #[arg(long, default_value_t = 0)]
    pub(crate) quorum: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A checkpoint, proof, receipt or public key.
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Witness {
    /// The growth to cosign: old size, consistency proof, checkpoint.
    pub(crate) file: PathBuf,
    /// File with the witness's private key.
    #[arg(long)]
    pub(crate) key: PathBuf,
    /// Public key of the log.
    #[arg(long, value_parser = VerifierKey::parse)]
    pub(crate) log: VerifierKey,
    /// File that keeps the last checkpoint cosigned for this log.
    #[arg(long)]
    pub(crate) state: PathBuf,
    /// Begin with this log: there must be no state yet.
    #[arg(long)]
    pub(crate) first: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Keygen {
    /// Name of the key: the origin for a log, else who signs, such as `witness.example.org/w1`.
    pub(crate) name: String,
    /// New file for the private key.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// A key that makes cosignatures.
    #[arg(long)]
    pub(crate) witness: bool,
}

/// The nodes that are asked.
#[derive(Debug, Args)]
pub(crate) struct Rpc {
    /// RPC of a node, such as http://127.0.0.1:26657 (plain HTTP).
    #[arg(long, value_name = "URL")]
    pub(crate) rpc: String,
    /// A second node, which must give the same blocks.
    #[arg(long, value_name = "URL")]
    pub(crate) rpc2: Option<String>,
    /// Name of the chain [default: the one that the node says].
    #[arg(long, value_name = "ID")]
    pub(crate) chain: Option<String>,
    /// Requests a second to each node.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
    /// How often a request is repeated before giving up.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) retries: u32,
    /// Check the signatures of heights that are multiples of N only, of those that announce other validators, and of
    /// the last; links are always checked.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) commit_every: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Reproduce {
    #[command(flatten)]
    pub(crate) rpc: Rpc,
    /// First height [default: the first that the nodes have].
    #[arg(long, value_name = "HEIGHT", conflicts_with = "checkpoint")]
    pub(crate) from: Option<u64>,
    /// Last height [default: the last that the nodes have].
    #[arg(long, value_name = "HEIGHT", conflicts_with = "checkpoint")]
    pub(crate) to: Option<u64>,
    /// Compare with this checkpoint, and take the heights from it.
    #[arg(long, value_name = "FILE", requires = "log")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Public key of the log that signed the checkpoint.
    #[arg(long, value_name = "VKEY", value_parser = VerifierKey::parse, requires = "checkpoint")]
    pub(crate) log: Option<VerifierKey>,
    /// File that keeps how far the walk is: the same command goes on from there.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Hash of the first block, hex, as you know it: its validators are what the walk begins with.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    pub(crate) first_block: Option<[u8; 32]>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyRange {
    #[command(flatten)]
    pub(crate) rpc: Rpc,
    /// First height of the tree.
    #[arg(long, value_name = "HEIGHT", default_value_t = 1)]
    pub(crate) first: u64,
    /// First height of the segment: a multiple of 65,536 above the tree's first.
    #[arg(long, value_name = "HEIGHT")]
    pub(crate) from: u64,
    /// Last height of the segment.
    #[arg(long, value_name = "HEIGHT")]
    pub(crate) to: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Join {
    /// What `verify-range` printed, in any order.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
}

fn hash(text: &str) -> Result<[u8; 32], hex::FromHexError> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash)?;
    Ok(hash)
}
