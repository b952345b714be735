//! Whom the words of the command line mean by `--from`.

use node_migrate::home::Home;
use node_migrate::mending::{BlockPeers, FolderPeer, HomePeer, InTurn};

use super::Surroundings;
use crate::cli::peer::{Patience, Peer};
use crate::error::AppError;

/// The peers: folders first, in the order in which they were given, then the nodes of the network together.
pub(super) fn of(words: &[Peer], patience: Patience, home: &Home, world: &Surroundings) -> Result<InTurn, AppError> {
    let mut peers: Vec<Box<dyn BlockPeers>> = Vec::new();
    for word in words {
        match word {
            Peer::Folder(path) if FolderPeer::is_one(path) => peers.push(Box::new(FolderPeer { path: path.clone() })),
            Peer::Folder(path) => {
                peers.push(Box::new(HomePeer { path: path.clone(), temporary: world.temporary() }));
            }
            #[cfg(feature = "shim")]
            Peer::Node(_) => {}
        }
    }
    #[cfg(feature = "shim")]
    peers.extend(network::of(words, patience, home)?);
    #[cfg(not(feature = "shim"))]
    let _ = (patience.duration(), home);
    Ok(InTurn { peers })
}

#[cfg(feature = "shim")]
mod network {
    //! The nodes among them.

    use node_migrate::cutover::original_genesis;
    use node_migrate::fetching::NetworkPeers;
    use node_migrate::home::{Home, genesis_hash};
    use node_migrate::mending::BlockPeers;

    use crate::cli::peer::{Patience, Peer};
    use crate::error::{AppError, Kind};

    /// What we say that we are.
    const AGENT: &str = concat!("node-migrate/", env!("CARGO_PKG_VERSION"));

    pub(super) fn of(words: &[Peer], patience: Patience, home: &Home) -> Result<Option<Box<dyn BlockPeers>>, AppError> {
        let node = |word: &Peer| match word {
            Peer::Node(node) => Some(node.clone()),
            Peer::Folder(_) => None,
        };
        let peers: Vec<_> = words.iter().filter_map(node).collect();
        if peers.is_empty() {
            return Ok(None);
        }
        let genesis = home.genesis.as_ref().ok_or_else(|| {
            AppError::new(Kind::Home, format!("{} has no genesis file, which names the chain", home.root.display()))
        })?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| AppError::new(Kind::System, format!("the system gives no randomness: {error}")))?;
        let hash = genesis_hash(&original_genesis(home)?);
        Ok(Some(Box::new(NetworkPeers {
            peers,
            chain_id: genesis.chain_id.clone(),
            genesis_hash: hash.map_err(|error| AppError::new(Kind::Home, error.to_string()))?,
            agent: AGENT.to_owned(),
            seed,
            patience: patience.duration(),
        })))
    }
}
