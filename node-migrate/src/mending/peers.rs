//! Whoever may have a block that is damaged here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::blocks::{Chain, Unproven};
use crate::checkpoint::ChainError;
use crate::context::{Context, Interrupted};
use crate::home::{Home, HomeError, Role};
use crate::reading::{Reading, ReadingError};

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
    /// Nobody in the network could be reached.
    #[error("{0}")]
    Network(String),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Takes what was fetched, or says why it is not the chain's.
pub type Take<'a> = &'a mut dyn FnMut(Fetched) -> Result<(), Unproven>;

/// Whoever may have blocks.
pub trait BlockPeers: Sync {
    /// Brings blocks of these heights, as far as they can be had; each goes to `take`. A refused one may be brought again,
    /// from somebody else.
    ///
    /// # Errors
    /// When nobody can be asked at all.
    fn fetch(&self, heights: &BTreeSet<u64>, context: &Context<'_>, take: Take<'_>) -> Result<(), PeerError>;
}

/// Other homes on this machine: a sentry's, or a copy of the data of any node of the chain, in any format.
#[derive(Clone, Debug)]
pub struct HomePeers {
    /// The homes, in the order in which they are asked.
    pub homes: Vec<PathBuf>,
    /// Where scratch copies go when none can be made beside a database.
    pub temporary: PathBuf,
}

impl BlockPeers for HomePeers {
    fn fetch(&self, heights: &BTreeSet<u64>, context: &Context<'_>, take: Take<'_>) -> Result<(), PeerError> {
        let mut wanted = heights.clone();
        for path in &self.homes {
            fetch_from(path, &self.temporary, &mut wanted, context, take)?;
        }
        Ok(())
    }
}

fn fetch_from(
    path: &Path,
    temporary: &Path,
    wanted: &mut BTreeSet<u64>,
    context: &Context<'_>,
    take: Take<'_>,
) -> Result<(), PeerError> {
    let of_home = |source| PeerError::Home { path: path.to_path_buf(), source: Box::new(source) };
    let home = Home::open(path).map_err(of_home)?;
    let open = |role: Role, database: &'static str| {
        let found = home.databases.iter().find(|database| database.role == role);
        let found = found.ok_or_else(|| PeerError::NoDatabase { path: path.to_path_buf(), database })?;
        Reading::open_running(&found.real_path, found.engine, context.cache_bytes(), temporary)
            .map_err(|source| PeerError::Reading { path: path.to_path_buf(), source: Box::new(source) })
    };
    let (blocks, state) = (open(Role::BlockStore, "blockstore")?, open(Role::State, "state")?);
    let chain_id = home.genesis.as_ref().map_or("", |genesis| &genesis.chain_id);
    let chain = Chain::open(blocks.store(), state.store(), chain_id)
        .map_err(|source| PeerError::Chain { path: path.to_path_buf(), source: Box::new(source) })?;
    for height in wanted.clone() {
        context.go_on()?;
        // A block that is damaged there too is not brought.
        let Ok(proven) = chain.block(height) else { continue };
        let fetched = Fetched {
            height,
            block: proven.bytes,
            commit: Some(proven.commit),
            extended_commit: proven.extended_commit,
            provenance: format!("the home {}", path.display()),
        };
        if take(fetched).is_ok() {
            wanted.remove(&height);
        }
    }
    Ok(())
}
