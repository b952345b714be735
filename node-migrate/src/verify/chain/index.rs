//! The index of block hashes both ways, and the number of parts: sums first, rows only where the sums differ.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use ledger_formats::comet::class::Kind;
use ledger_formats::comet::key::{BlockKey, Layout};
use ledger_formats::comet::{BlockMeta, Decode, decode_decimal_height};
use ledger_formats::store::KeyRange;
use proofs::merkle::Hash;

use super::Chain;
use super::tally::Tally;
use crate::context::Context;
use crate::verify::VerifyError;
use crate::verify::survey::Inventory;
use crate::verify::survey::heights::within;
use crate::verify::what::What;

/// Hashes of entries found wrong that are remembered, so that no entry is reported from both sides.
const REMEMBERED_MAX: usize = 100_000;

/// Compares what the rows say with what the walks saw.
pub(super) fn compare(
    chain: &Chain<'_>,
    inventory: &Inventory,
    tally: &Tally,
    context: &Context<'_>,
) -> Result<(), VerifyError> {
    let layout = chain.blocks.layout;
    if inventory.index.get(&layout).copied().unwrap_or_default() != tally.index {
        let metas = inventory.of(Kind::BlockMeta, layout).map(|heights| heights.runs()).unwrap_or_default();
        let metas = within(&metas, chain.stored.base..=chain.stored.tip);
        let wrong = check_blocks(chain, &metas, context)?;
        check_entries(chain, &wrong, context)?;
    }
    if inventory.parts.get(&layout).copied().unwrap_or_default() != tally.parts {
        check_parts(chain, context)?;
    }
    Ok(())
}

/// Every block is in the index. Gives the hashes of those that are not, or wrongly.
fn check_blocks(
    chain: &Chain<'_>,
    metas: &[RangeInclusive<u64>],
    context: &Context<'_>,
) -> Result<HashSet<Hash>, VerifyError> {
    let rows = &chain.blocks;
    let mut wrong = HashSet::new();
    for height in metas.iter().cloned().flatten() {
        context.go_on()?;
        let Some(hash) = hash_at(chain, height) else { continue };
        let key = BlockKey::ByHash { hash };
        let actual = match rows.fetch(&key) {
            super::rows::Fetched::Row(value) => match decode_decimal_height(&value) {
                Ok(actual) if actual == height => continue,
                Ok(actual) => actual.to_string(),
                Err(error) => error.to_string(),
            },
            super::rows::Fetched::Absent => "none".to_owned(),
            super::rows::Fetched::Failed => continue,
        };
        rows.report_at(&key, Some(height), What::BlockIndex, &format!("an entry for height {height}"), &actual);
        if wrong.len() < REMEMBERED_MAX {
            wrong.insert(hash);
        }
    }
    Ok(wrong)
}

/// Every entry about a height of the store names the block there.
fn check_entries(chain: &Chain<'_>, reported: &HashSet<Hash>, context: &Context<'_>) -> Result<(), VerifyError> {
    let range = match chain.blocks.layout {
        Layout::V1 => between(b"BH:", b"BH;"),
        Layout::V2 => between(&[0x85], &[0x86]),
    };
    scan(chain, &range, context, |key, value| {
        let (BlockKey::ByHash { hash }, Ok(height)) = (key, decode_decimal_height(value)) else { return };
        if !chain.stored.contains(height) || reported.contains(&hash) || hash_at(chain, height) == Some(hash) {
            return;
        }
        let expected = hash_at(chain, height).map_or_else(|| "no block".to_owned(), hex::encode);
        let expected = format!("entries of blocks in the store; at height {height} that is {expected}");
        chain.blocks.report_at(&key, Some(height), What::BlockIndex, &expected, &"an entry of another block");
    })
}

/// No block has more parts than its block id says.
fn check_parts(chain: &Chain<'_>, context: &Context<'_>) -> Result<(), VerifyError> {
    let range = match chain.blocks.layout {
        Layout::V1 => between(b"P:", b"P;"),
        Layout::V2 => between(&[0x81], &[0x82]),
    };
    let mut last: Option<(u64, Option<u32>)> = None;
    scan(chain, &range, context, |key, _| {
        let BlockKey::Part { height, part } = key else { return };
        if !chain.stored.contains(height) {
            return;
        }
        let total = match last {
            Some((kept, total)) if kept == height => total,
            _ => {
                let value = chain.blocks.fetch(&BlockKey::Meta { height }).row().unwrap_or_default();
                BlockMeta::decode(&value).ok().map(|meta| meta.block_id.part_set_header.total)
            }
        };
        last = Some((height, total));
        if total.is_some_and(|total| part >= total) {
            let expected = format!("the {} parts that the block id names", total.unwrap_or_default());
            chain.blocks.report(&key, What::Unexpected, &expected, &format!("a part {part}"));
        }
    })
}

/// The hash of the block at a height as its meta names it.
fn hash_at(chain: &Chain<'_>, height: u64) -> Option<Hash> {
    let value = chain.blocks.fetch(&BlockKey::Meta { height }).row()?;
    BlockMeta::decode(&value).ok()?.block_id.hash.try_into().ok()
}

fn between(start: &[u8], end: &[u8]) -> KeyRange {
    KeyRange { start: start.to_vec(), end: Some(end.to_vec()) }
}

/// Gives all rows of a range; what cannot be read was reported by the first scan.
fn scan(
    chain: &Chain<'_>,
    range: &KeyRange,
    context: &Context<'_>,
    mut take: impl FnMut(BlockKey, &[u8]),
) -> Result<(), VerifyError> {
    let Ok(mut cursor) = chain.blocks.store.scan(range) else { return Ok(()) };
    loop {
        context.go_on()?;
        match cursor.next() {
            Ok(Some((key, value))) => {
                if let Some(key) = BlockKey::decode(chain.blocks.layout, key) {
                    take(key, value);
                }
            }
            Err(ledger_formats::store::StoreError::Corrupt(damage)) if damage.range.is_some() => {}
            Ok(None) | Err(_) => return Ok(()),
        }
    }
}
