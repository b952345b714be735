//! Where a home stands, as other nodes are told: the state of its storage, the heights that are offered, the tip.

use proto::hello::{Heights, Status, Storage};
use shim::source::BlockSource;

use super::{ServingError, VerifiedBlocks};
use crate::home::Home;
use crate::migration::{self, Phase};

/// Where `home` stands while `blocks` are given from it.
///
/// # Errors
/// When its migrations cannot be read.
pub fn standing(home: &Home, blocks: &VerifiedBlocks) -> Result<Status, ServingError> {
    let storage = migration::phase(home)?.map_or(Storage::Old, storage);
    let offer = blocks.offer().and_then(|offer| Heights::new(offer.base, offer.top).ok());
    let tip = blocks.tip().max(offer.map_or(0, Heights::top));
    Ok(Status::new(storage, offer, tip).unwrap_or_default())
}

/// What the phase of the newest migration means for those who get blocks.
const fn storage(phase: Phase) -> Storage {
    match phase {
        // The copy goes by keys, not by heights: none is copied before all are.
        Phase::Copying | Phase::Copied => Storage::Copying { copied_to: 0 },
        // While folders are exchanged, blocks come from snapshots of before.
        Phase::Verified | Phase::CuttingOver => Storage::Verified,
        Phase::CutOver | Phase::Finalised => Storage::CutOver,
        Phase::RollingBack | Phase::RolledBack => Storage::RolledBack,
        Phase::Discarded => Storage::Old,
    }
}
