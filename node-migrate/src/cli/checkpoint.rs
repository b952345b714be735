//! The words of `checkpoint`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with the tree of a home's heights.
#[derive(Debug, Subcommand)]
pub(crate) enum Checkpoint {
    /// Sign the head of the tree, after showing that it only grew since the last one.
    Create(Create),
    /// Prove that a height is in a signed checkpoint (C2SP tlog-proof).
    Prove(Prove),
    /// Prove that one checkpoint's tree grew into another's (as witnesses ask for it).
    Consistency(Consistency),
    /// Write the tree as tiles that anybody can serve, or as Parquet files.
    Export(Export),
}

/// Arguments of `checkpoint create`.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The node's folder, which holds config/ and data/.
    pub(crate) home: PathBuf,
    /// File with the signing key, named `<prefix>/blocks-v1/<first height>` [default: one made in the home].
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Make the key, which must not be there yet, for a tree of this name [default: the chain id].
    #[arg(long, value_name = "PREFIX")]
    pub(crate) new_key: Option<Option<String>>,
    /// Last height of the tree [default: the store's].
    #[arg(long, value_name = "N")]
    pub(crate) height: Option<u64>,
    /// Also write the checkpoint to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Which checkpoint is meant.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The checkpoint [default: the last one signed].
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// The key whose last checkpoint is meant [default: the one made in the home].
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoint")]
    pub(crate) key: Option<PathBuf>,
}

/// Arguments of `checkpoint prove`.
#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// The node's folder, which holds config/ and data/.
    pub(crate) home: PathBuf,
    /// The height.
    #[arg(long, value_name = "N")]
    pub(crate) height: u64,
    #[command(flatten)]
    pub(crate) which: Which,
    /// Also write the proof to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Arguments of `checkpoint consistency`.
#[derive(Debug, Args)]
pub(crate) struct Consistency {
    /// The node's folder, which holds config/ and data/.
    pub(crate) home: PathBuf,
    /// The older checkpoint.
    pub(crate) old: PathBuf,
    /// The newer checkpoint.
    pub(crate) new: PathBuf,
    /// Also write the proof to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Arguments of `checkpoint export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The node's folder, which holds config/ and data/.
    pub(crate) home: PathBuf,
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) to: ExportTo,
}

/// Forms of an export.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct ExportTo {
    /// Write tiles (C2SP tlog-tiles) into this folder, or add to those there.
    #[arg(long, value_name = "DIR")]
    pub(crate) tiles: Option<PathBuf>,
    /// Write Parquet files, 65,536 heights each, into this new folder.
    #[cfg(feature = "parquet")]
    #[arg(long, value_name = "DIR")]
    pub(crate) parquet: Option<PathBuf>,
}
