//! What the nodes of a run have in the end, as homes on a disk: for judges that know nothing of the simulator.

use std::path::Path;

use ledger_formats::engine::EngineKind;

use super::migration::rows;
use super::world::World;
use crate::store::{Databases, Format, HomeError};

impl World<'_> {
    /// Writes `<folder>/node<i>` for every node: sled for the old format, RocksDB for the new one.
    pub(super) fn write_homes(&self, folder: &Path) -> Result<(), HomeError> {
        for (place, node) in self.nodes.iter().enumerate() {
            let stores = &node.disk.stores;
            let engine = match stores.format {
                Format::Old => EngineKind::Sled,
                Format::New => EngineKind::RocksDb,
            };
            let home = folder.join(format!("node{place}"));
            let (blocks, states) = (rows(&stores.blocks)?, rows(&stores.states)?);
            drop(Databases::with_rows(&home, &self.genesis, (engine, stores.format), &blocks, &states)?);
        }
        Ok(())
    }
}
