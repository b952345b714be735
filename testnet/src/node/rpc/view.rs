//! What the RPC sees of the node that runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::chain::{Address, Block, Commit};
use crate::consensus::{Message, WireVersion};
use crate::node::disk::{SharedDatabases, lock};
use crate::node::outgoing::Traffic;

/// What the RPC sees of the node.
pub(in crate::node) struct View {
    pub(super) name: String,
    pub(super) chain_id: String,
    pub(super) address: Address,
    databases: SharedDatabases,
    traffic: Arc<Traffic>,
    height: AtomicU64,
    seen: AtomicU64,
}

impl View {
    pub(in crate::node) fn new(
        name: String,
        chain_id: String,
        address: Address,
        databases: SharedDatabases,
        traffic: Arc<Traffic>,
    ) -> Self {
        Self { name, chain_id, address, databases, traffic, height: AtomicU64::new(0), seen: AtomicU64::new(0) }
    }

    pub(in crate::node) fn set_height(&self, height: u64) {
        self.height.store(height, Ordering::Relaxed);
    }

    /// A message of a peer came: the peer is at this height, or says so.
    pub(in crate::node) fn saw(&self, message: &Message) {
        if let Some(height) = message.height_decided_on() {
            self.seen.store(height, Ordering::Relaxed);
        }
    }

    /// The last height that is stored.
    pub(super) fn height(&self) -> u64 {
        self.height.load(Ordering::Relaxed)
    }

    /// Whether the last message was about a height that this node cannot decide yet.
    pub(super) fn is_catching_up(&self) -> bool {
        self.seen.load(Ordering::Relaxed) > self.height() + 1
    }

    /// Messages sent in each wire version.
    pub(super) fn sent(&self) -> [u64; WireVersion::ALL.len()] {
        WireVersion::ALL.map(|version| self.traffic.sent(version))
    }

    /// A stored block and its commit.
    pub(super) fn block(&self, height: u64) -> Result<(Block, Commit), String> {
        let served = lock(&self.databases).served(height).map_err(|error| error.to_string())?;
        let (bytes, commit) = served.ok_or_else(|| format!("height {height} is not here"))?;
        Ok((Block::decode(&bytes).map_err(|error| error.to_string())?, commit))
    }
}
