//! Blocks that another release cannot read: those with evidence whose bytes the header binds and releases encode in two ways.

use proofs::merkle::EMPTY_ROOT;

use crate::comet::class::Kind;
use crate::comet::dialect::{self, Change, Target};
use crate::comet::key::{BlockKey, Layout};
use crate::comet::wire::{Decode, put_bytes};
use crate::comet::{Block, BlockMeta, EvidenceKind, Part};
use crate::store::{ReadStore, StoreError};

/// Why the target cannot read the block of a meta; `None` when it can. Only blocks with evidence are looked into.
///
/// # Errors
/// When the block cannot be read. Bytes that do not decode are a reason, no error.
pub(super) fn attack_in_block(
    source: &dyn ReadStore,
    layout: Layout,
    height: u64,
    meta: &[u8],
    to: Target,
) -> Result<Option<String>, StoreError> {
    let meta = match BlockMeta::decode(meta) {
        Ok(meta) => meta,
        Err(error) => return Ok(Some(error.to_string())),
    };
    let hash = meta.header.evidence_hash;
    if hash.is_empty() || hash == EMPTY_ROOT {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    for part in 0..meta.block_id.part_set_header.total {
        let mut key = Vec::with_capacity(32);
        BlockKey::Part { height, part }.encode(layout, &mut key);
        // Below the base there are metas without parts: nobody will read such a block.
        let Some(value) = source.get(&key)? else { return Ok(None) };
        match Part::decode(&value) {
            Ok(part) => bytes.extend_from_slice(part.bytes),
            Err(error) => return Ok(Some(error.to_string())),
        }
    }
    Ok(match Block::decode(&bytes) {
        Ok(block) => in_other_form(&block, to),
        Err(error) => Some(error.to_string()),
    })
}

/// Whether the block holds an attack on light clients in the form of releases other than the target's.
fn in_other_form(block: &Block<'_>, to: Target) -> Option<String> {
    let (mut wrapped, mut converted) = (Vec::new(), Vec::new());
    let attacks = block.evidence.iter().filter(|piece| piece.kind == EvidenceKind::LightClientAttack);
    for attack in attacks {
        wrapped.clear();
        put_bytes(&mut wrapped, 2, attack.bytes);
        if dialect::convert(Kind::PendingEvidence, &wrapped, to, &mut converted) != Ok(Change::None) {
            return Some(
                "Block.evidence: evidence of an attack on light clients, whose bytes the block's hash covers and v1.0 \
                 and the releases before it encode in different ways: neither can read the other's block"
                    .to_owned(),
            );
        }
    }
    None
}
