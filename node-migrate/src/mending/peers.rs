//! Whoever may have a block that is damaged here: what they are asked, what they answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use proofs::commit::BlockId;

use crate::blocks::Unproven;
use crate::checkpoint::ChainError;
use crate::context::{Context, Interrupted};
use crate::home::HomeError;
use crate::reading::ReadingError;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The heights.
    pub heights: BTreeSet<u64>,
    /// Those among them that may be judged only after the height above was taken: the commit that proves them is in its block,
    /// which is damaged here as well.
    pub after_above: BTreeSet<u64>,
    /// The names of blocks, as far as they are known here.
    pub names: BTreeMap<u64, BlockId>,
}

impl Wanted {
    /// The same without a height, which was taken.
    pub fn remove(&mut self, height: u64) {
        self.heights.remove(&height);
        self.after_above.remove(&height);
        self.names.remove(&height);
    }
}

/// A block as somebody brought it: not to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The height that was asked for.
    pub height: u64,
    /// `tendermint.types.Block`.
    pub block: Vec<u8>,
    /// A `Commit` of this height, if one came with it.
    pub commit: Option<Vec<u8>>,
    /// An `ExtendedCommit` of this height, if one came with it.
    pub extended_commit: Option<Vec<u8>>,
    /// Who brought it, in words for the receipt.
    pub provenance: String,
}

/// Why a block was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It is not the chain's.
    #[error(transparent)]
    Wrong(#[from] Unproven),
    /// Whether it is cannot be said before the height above was taken.
    #[error("height {height} can be judged only after the one above")]
    TooEarly {
        /// The height.
        height: u64,
    },
}

/// Why nobody could be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The other home cannot be used.
    #[error("{path}: {source}")]
    Home {
        /// The home.
        path: PathBuf,
        /// Why not.
        source: Box<HomeError>,
    },
    /// The other home lacks a database that is needed.
    #[error("{path} has no {database} database")]
    NoDatabase {
        /// The home.
        path: PathBuf,
        /// The database.
        database: &'static str,
    },
    /// A database of the other home cannot be read.
    #[error("{path}: {source}")]
    Reading {
        /// The home.
        path: PathBuf,
        /// Why not.
        source: Box<ReadingError>,
    },
    /// The other home's block store does not say what it holds.
    #[error("{path}: {source}")]
    Chain {
        /// The home.
        path: PathBuf,
        /// Why not.
        source: Box<ChainError>,
    },
    /// A folder of fetched blocks cannot be used.
    #[error("{path}: {reason}")]
    Folder {
        /// The folder, or the file in it.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The network cannot be used from here.
    #[error("{0}")]
    Network(String),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Takes what was fetched, or says why not.
pub type Take<'a> = &'a mut dyn FnMut(Fetched) -> Result<(), NotTaken>;

/// Whoever may have blocks.
pub trait BlockPeers: Sync {
    /// Brings blocks of these heights, as far as they can be had; each goes to `take`. One that was not taken may be brought
    /// again, or by somebody else.
    ///
    /// # Errors
    /// When nobody can be asked at all.
    fn fetch(&self, wanted: &Wanted, context: &Context<'_>, take: Take<'_>) -> Result<(), PeerError>;
}

/// Peers that are asked one after another, each for what the ones before did not bring.
pub struct InTurn {
    /// In the order in which they are asked.
    pub peers: Vec<Box<dyn BlockPeers>>,
}

impl BlockPeers for InTurn {
    fn fetch(&self, wanted: &Wanted, context: &Context<'_>, take: Take<'_>) -> Result<(), PeerError> {
        let mut left = wanted.clone();
        let (mut failed, mut asked) = (None, 0);
        for peers in &self.peers {
            if left.heights.is_empty() {
                return Ok(());
            }
            let now = left.clone();
            let ended = peers.fetch(&now, context, &mut |fetched| {
                let height = fetched.height;
                take(fetched)?;
                left.remove(height);
                Ok(())
            });
            match ended {
                Ok(()) => asked += 1,
                Err(error @ PeerError::Interrupted(_)) => return Err(error),
                Err(error) => {
                    context.listener.say(&format!("not asked: {error}"));
                    failed = Some(error);
                }
            }
        }
        match failed {
            Some(error) if asked == 0 => Err(error),
            _ => Ok(()),
        }
    }
}
