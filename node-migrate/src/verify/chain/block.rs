//! A block from its parts, and all that its header binds inside it.

use ledger_formats::comet::key::BlockKey;
use ledger_formats::comet::{Block, BlockId, BlockMeta, Commit, Decode, Part};

use super::rows::{Rows, in_hex};
use super::tally::Tally;
use crate::verify::what::What;

/// Parts of the largest block that a release accepts (types/params.go, `MaxBlockPartsCount`).
const PARTS_MAX: u32 = 1_601;

/// Puts the bytes of a block together from its parts, each proven to be at its place; false if one is missing or wrong.
pub(super) fn assemble(
    rows: &Rows<'_>,
    height: u64,
    meta: &BlockMeta<'_>,
    bytes: &mut Vec<u8>,
    tally: &mut Tally,
) -> bool {
    bytes.clear();
    let header = &meta.block_id.part_set_header;
    let mut complete = header.total > 0;
    if header.total > PARTS_MAX {
        let actual = format!("{} parts", header.total);
        rows.report(&BlockKey::Meta { height }, What::BlockSize, &"a block of at most 100 MiB", &actual);
        return false;
    }
    for part in 0..header.total {
        let key = BlockKey::Part { height, part };
        // A number of parts that was read is not believed: the first missing one ends the walk.
        let Some(value) = rows.require(&key) else { return false };
        tally.parts += 1;
        let Some(read) = rows.decode::<Part<'_>>(&key, &value) else {
            complete = false;
            continue;
        };
        if let Err(error) = read.verify(part, header) {
            rows.report(&key, What::PartHash, &"the part that the block id binds", &error);
            complete = false;
        } else {
            bytes.extend_from_slice(read.bytes);
        }
    }
    complete
}

/// Checks a block that was assembled against its meta and against itself.
pub(super) fn check(
    rows: &Rows<'_>,
    height: u64,
    meta: &BlockMeta<'_>,
    block: &Block<'_>,
    bytes: u64,
    tally: &mut Tally,
) {
    let key = BlockKey::Meta { height };
    let first_part = BlockKey::Part { height, part: 0 };
    tally.blocks += 1;
    tally.block_bytes += bytes;
    tally.transactions += block.txs.len() as u64;
    tally.evidence += block.evidence.len() as u64;
    let hash = block.header.hash().unwrap_or_default();
    rows.equal(&first_part, What::BlockHash, meta.block_id.hash, &hash);
    if block.header != meta.header {
        let actual = meta.header.hash().unwrap_or_default();
        let expected = format!("the header of block {}", hex::encode(hash));
        rows.report(&key, What::MetaHeader, &expected, &format!("one with hash {}", hex::encode(actual)));
    }
    rows.same(&key, What::BlockSize, bytes, meta.block_size);
    rows.same(&key, What::TxCount, block.txs.len() as u64, meta.num_txs);
    rows.equal(&first_part, What::DataHash, block.header.data_hash, &block.data_hash());
    rows.equal(&first_part, What::EvidenceHash, block.header.evidence_hash, &block.evidence_hash());
    rows.equal(&first_part, What::LastCommitHash, block.header.last_commit_hash, &block.last_commit.hash());
    check_last_commit(rows, height, block);
}

/// The last commit inside a block is for the block that its header names.
fn check_last_commit(rows: &Rows<'_>, height: u64, block: &Block<'_>) {
    let named = (block.last_commit.block_id, block.last_commit.height);
    // The first block of a chain has an empty commit for no block.
    let below = if block.header.last_block_id.is_zero() { 0 } else { height.saturating_sub(1) };
    let expected = (block.header.last_block_id, below);
    if named != expected {
        let in_words =
            |(id, height): (BlockId<'_>, u64)| format!("a commit of height {height} for block {}", in_hex(id.hash));
        let key = BlockKey::Part { height, part: 0 };
        rows.report(&key, What::CommitBlock, &in_words(expected), &in_words(named));
    }
}

/// Checks `below`, the commit row of the height before, against the last commit of the block.
pub(super) fn check_commit_below(rows: &Rows<'_>, height: u64, block: &Block<'_>, below: &[u8]) {
    // Releases could spell the same commit in different ways; what it says must be the same.
    let equal =
        block.last_commit_bytes == below || Commit::decode(below).is_ok_and(|commit| commit == block.last_commit);
    if !equal {
        let key = BlockKey::Commit { height: height.saturating_sub(1) };
        let expected = format!("the last commit of block {height}, {}", in_hex(block.last_commit_bytes));
        rows.report(&key, What::LastCommit, &expected, &in_hex(below));
    }
}
