//! The block meta: what the store keeps beside the parts of a block.

use super::block_id::BlockId;
use super::error::DecodeError;
use super::header::Header;
use super::wire::{Decode, Reader};

/// `BlockMeta` of CometBFT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockMeta<'a> {
    /// Name of the block.
    pub block_id: BlockId<'a>,
    /// Bytes of the block, which is the sum of the bytes of its parts.
    pub block_size: u64,
    /// The header, as in the block.
    pub header: Header<'a>,
    /// Number of transactions.
    pub num_txs: u64,
}

impl<'a> Decode<'a> for BlockMeta<'a> {
    const NAME: &'static str = "BlockMeta";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let (mut block_id, mut header) = (None, None);
        let (mut block_size, mut num_txs) = (0, 0);
        while let Some(field) = reader.next()? {
            match field.number {
                1 => block_id = Some(field.message("block_id")?),
                2 => block_size = field.natural("block_size")?,
                3 => header = Some(field.message("header")?),
                4 => num_txs = field.natural("num_txs")?,
                _ => {}
            }
        }
        let missing = |name| DecodeError::Missing { place: reader.place(name) };
        Ok(Self {
            block_id: block_id.ok_or_else(|| missing("block_id"))?,
            block_size,
            header: header.ok_or_else(|| missing("header"))?,
            num_txs,
        })
    }
}
