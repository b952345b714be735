//! The leaves of a run of heights, streamed from block metas in height order.
//!
//! Layout v2 orders its keys by height, so one scan gives them. Layout v1 spells heights in decimal: one
//! scan gives those of equal length in order, as long as no longer ones stand between them; the others,
//! at most a tenth, are read one by one.
//!
//! # Correctness
//! A leaf is given only if the header hashes to the block id in it, and names the block of the height
//! below. So all leaves but the last are bound by the hash of the header above, which is in the last leaf; what binds
//! the last one is in `bound`.

use ledger_formats::comet::key::{BlockKey, Layout};
use ledger_formats::comet::{BlockMeta, Decode};
use ledger_formats::store::{Cursor, KeyRange};
use proofs::checkpoint::{LEAF_BYTES, Leaf};
use proofs::commit::BlockId;

use super::blocks::Blocks;
use super::error::ChainError;

/// The leaves of heights `next..end`.
pub struct Leaves<'a> {
    blocks: Blocks<'a>,
    next: u64,
    end: u64,
    scan: Option<Scan<'a>>,
    link: Link,
    failed: bool,
}

/// A scan that gives the metas of the heights before `end`.
struct Scan<'a> {
    cursor: Box<dyn Cursor + Send + 'a>,
    end: u64,
}

/// The block of the height below, if that belongs to the store.
#[derive(Default)]
struct Link {
    below: Option<BlockId>,
}

impl<'a> Blocks<'a> {
    /// The leaves of `count` heights from `first`.
    ///
    /// # Errors
    /// [`ChainError::Outside`] if the store does not hold them all; or when the block below cannot be read.
    pub fn leaves(&self, first: u64, count: u64) -> Result<Leaves<'a>, ChainError> {
        let end = first.checked_add(count).filter(|end| self.base() <= first && *end <= self.tip() + 1);
        let end = end.ok_or_else(|| self.outside(format!("{count} heights from {first} are asked for")))?;
        let mut link = Link::default();
        if first > self.base() {
            let value = self.meta(first - 1)?;
            link.below = Some(link.check(first - 1, &value)?.block);
        }
        Ok(Leaves { blocks: *self, next: first, end, scan: None, link, failed: false })
    }

    fn meta(&self, height: u64) -> Result<Vec<u8>, ChainError> {
        self.get(&BlockKey::Meta { height })?.ok_or_else(|| self.missing(height))
    }

    pub(super) fn missing(&self, height: u64) -> ChainError {
        ChainError::Missing { height, base: self.base(), tip: self.tip() }
    }

    /// How far one scan from `first` gives metas in height order; `None` where it would meet longer heights.
    fn scan_end(&self, first: u64, end: u64) -> Option<u64> {
        match self.layout {
            Layout::V2 => Some(end),
            Layout::V1 if self.tip() / 10 >= first => None,
            Layout::V1 => Some(first.checked_ilog10().map_or(end, |digits| end.min(power_of_ten(digits + 1)))),
        }
    }
}

/// 10 to the power of `exponent`, or as much as fits.
fn power_of_ten(exponent: u32) -> u64 {
    10_u64.checked_pow(exponent).unwrap_or(u64::MAX)
}

impl Leaves<'_> {
    /// The bytes of the next leaf.
    fn step(&mut self) -> Result<[u8; LEAF_BYTES], ChainError> {
        let height = self.next;
        if self.scan.as_ref().is_none_or(|scan| scan.end <= height) {
            self.scan = self.start(height)?;
        }
        let leaf = match &mut self.scan {
            Some(scan) => scan.step(height, &self.blocks, &self.link)?,
            None => self.link.check(height, &self.blocks.meta(height)?)?,
        };
        self.link.below = Some(leaf.block);
        self.next += 1;
        Ok(leaf.to_bytes())
    }
}

impl<'a> Leaves<'a> {
    fn start(&self, first: u64) -> Result<Option<Scan<'a>>, ChainError> {
        let Some(end) = self.blocks.scan_end(first, self.end) else { return Ok(None) };
        let layout = self.blocks.layout;
        let (mut start, mut behind) = (Vec::new(), Vec::new());
        BlockKey::Meta { height: first }.encode(layout, &mut start);
        BlockKey::Meta { height: end - 1 }.encode(layout, &mut behind);
        behind.push(0);
        let range = KeyRange { start, end: Some(behind) };
        Ok(Some(Scan { cursor: self.blocks.store.scan(&range)?, end }))
    }
}

impl Scan<'_> {
    fn step(&mut self, height: u64, blocks: &Blocks<'_>, link: &Link) -> Result<Leaf, ChainError> {
        while let Some((key, value)) = self.cursor.next()? {
            match BlockKey::decode(blocks.layout, key) {
                Some(BlockKey::Meta { height: found }) if found == height => return link.check(height, value),
                Some(BlockKey::Meta { height: found }) if (height..self.end).contains(&found) => break,
                // What an unclean stop left above the tip may stand between the heights of the store.
                _ => {}
            }
        }
        Err(blocks.missing(height))
    }
}

impl Link {
    /// The leaf of a meta, if its header is what its block id says and follows the block below.
    fn check(&self, height: u64, value: &[u8]) -> Result<Leaf, ChainError> {
        let meta = BlockMeta::decode(value).map_err(|source| ChainError::Meta { height, source })?;
        if meta.header.height != height {
            return Err(ChainError::OtherHeight { height, actual: meta.header.height });
        }
        let block = meta.block_id.to_proof().ok_or(ChainError::NoBlockId { height })?;
        let actual = meta.header.hash();
        if actual != Some(block.hash) {
            return Err(ChainError::HeaderHash { height, expected: block.hash, actual });
        }
        if self.below.is_some() && meta.header.last_block_id.to_proof() != self.below {
            return Err(ChainError::BrokenLink { height, below: height - 1 });
        }
        Ok(Leaf { height, block })
    }
}

impl Iterator for Leaves<'_> {
    type Item = Result<[u8; LEAF_BYTES], ChainError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.next >= self.end {
            return None;
        }
        let leaf = self.step();
        self.failed = leaf.is_err();
        Some(leaf)
    }
}
