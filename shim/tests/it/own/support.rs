//! What the tests of our own protocols share: chains in memory, checks that remember, random numbers by seed.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use shim::own::blocks::{BlockHead, Check, PartSet, Rejection};
use shim::source::{BlockSource, Offer, OfferedBlock, SourceError};

/// Random numbers that are the same for the same seed (SplitMix64).
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn bytes(&mut self, length: usize) -> Bytes {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes.into()
    }
}

/// Blocks in memory; the bytes mean nothing, as the exchange never looks into them.
pub struct Chain {
    pub base: u64,
    pub blocks: Vec<OfferedBlock>,
    /// Heights that cannot be read.
    pub damaged: Vec<u64>,
    /// How often a block was read.
    pub reads: AtomicU64,
}

impl Chain {
    /// Blocks of the given sizes from height 1, every third with an extended commit, every other one compressible.
    pub fn new(seed: u64, sizes: &[usize]) -> Self {
        let mut random = Random(seed);
        let mut block = |(height, size): (u64, &usize)| OfferedBlock {
            height,
            hash: random.bytes(32)[..].try_into().expect("32 bytes"),
            block: if height % 2 == 0 { vec![7; *size].into() } else { random.bytes(*size) },
            extended_commit: (height % 3 == 0).then(|| random.bytes(size / 2)),
        };
        let blocks = (1..).zip(sizes).map(&mut block).collect();
        Self { base: 1, blocks, damaged: Vec::new(), reads: AtomicU64::new(0) }
    }
}

impl BlockSource for Chain {
    fn chain_id(&self) -> &str {
        "chain-1"
    }

    fn offer(&self) -> Option<Offer> {
        Some(Offer { base: self.base, top: self.base + self.blocks.len() as u64 - 1 })
    }

    fn block(&self, height: u64) -> Result<Option<OfferedBlock>, SourceError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if self.damaged.contains(&height) {
            return Err(SourceError { height, reason: "part 0: checksum mismatch".to_owned() });
        }
        let place = height.checked_sub(self.base).and_then(|place| usize::try_from(place).ok());
        Ok(place.and_then(|place| self.blocks.get(place)).cloned())
    }
}

/// Takes everything and remembers it, but for the heights to be rejected.
#[derive(Default)]
pub struct Remember {
    pub blocks: Vec<OfferedBlock>,
    pub reject_head: Option<u64>,
    pub reject_block: Option<u64>,
    /// Heads that are known of the chain.
    pub known: Vec<BlockHead>,
}

impl Check for Remember {
    fn head(&mut self, head: &BlockHead) -> Result<(), Rejection> {
        if self.known.iter().any(|known| known.height == head.height && known != head) {
            return Err(Rejection::new("other parts than the block id names"));
        }
        if self.reject_head == Some(head.height) {
            Err(Rejection::new("not the hash in the next header"))
        } else {
            Ok(())
        }
    }

    fn block(&mut self, head: &BlockHead, block: OfferedBlock) -> Result<(), Rejection> {
        assert_eq!(PartSet::new(block.block.clone()).head(&block).as_ref(), Some(head));
        if self.reject_block == Some(head.height) {
            return Err(Rejection::new("no two thirds of the votes"));
        }
        self.blocks.push(block);
        Ok(())
    }
}
