//! The words of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use proofs::note::VerifierKey;

/// Checks what node-migrate proves: checkpoints, proofs and receipts. Works offline.
///
/// Exit codes: 0 it holds, 2 wrong words, 6 it does not hold, 7 a file cannot be read or written.
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

fn hash(text: &str) -> Result<[u8; 32], hex::FromHexError> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash)?;
    Ok(hash)
}
