//! Another home on this machine as a peer: a sentry's, or a copy of the data of any node of the chain, in any format.

use std::path::PathBuf;

use super::peers::{BlockPeers, Fetched, PeerError, Take, Wanted};
use crate::blocks::Chain;
use crate::context::Context;
use crate::home::{Home, Role};
use crate::reading::Reading;

/// Another home, whose node may be running.
#[derive(Clone, Debug)]
pub struct HomePeer {
    /// The home.
    pub path: PathBuf,
    /// Where scratch copies go when none can be made beside a database.
    pub temporary: PathBuf,
}

impl BlockPeers for HomePeer {
    fn fetch(&self, wanted: &Wanted, context: &Context<'_>, take: Take<'_>) -> Result<(), PeerError> {
        let path = &self.path;
        let home =
            Home::open(path).map_err(|source| PeerError::Home { path: path.clone(), source: Box::new(source) })?;
        let open = |role: Role, database: &'static str| {
            let found = home.databases.iter().find(|database| database.role == role);
            let found = found.ok_or_else(|| PeerError::NoDatabase { path: path.clone(), database })?;
            Reading::open_running(&found.real_path, found.engine, context.cache_bytes(), &self.temporary)
                .map_err(|source| PeerError::Reading { path: path.clone(), source: Box::new(source) })
        };
        let (blocks, state) = (open(Role::BlockStore, "blockstore")?, open(Role::State, "state")?);
        let chain_id = home.genesis.as_ref().map_or("", |genesis| &genesis.chain_id);
        let chain = Chain::open(blocks.store(), state.store(), chain_id)
            .map_err(|source| PeerError::Chain { path: path.clone(), source: Box::new(source) })?;
        for &height in wanted.heights.iter().rev() {
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
            // What is not taken here is left to the next peer.
            let _ = take(fetched);
        }
        Ok(())
    }
}
