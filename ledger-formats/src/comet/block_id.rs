//! What names a block: its header's hash and the root over its parts.

use super::error::DecodeError;
use super::wire::{Decode, Reader, put_bytes, put_message, put_uint};

/// Number of parts of a block and the root of the tree over them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PartSetHeader<'a> {
    /// Number of parts.
    pub total: u32,
    /// Root over the bytes of the parts; 32 bytes, or none in a zero block id.
    pub hash: &'a [u8],
}

/// Name of a block: `BlockID` of CometBFT. The zero value stands for no block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BlockId<'a> {
    /// Hash of the header; 32 bytes, or none in a zero block id.
    pub hash: &'a [u8],
    /// The parts.
    pub part_set_header: PartSetHeader<'a>,
}

impl BlockId<'_> {
    /// Whether it names no block, as the last block id of the first block and of a nil vote do.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == BlockId::default()
    }

    /// The same name for the checking of signatures; `None` if its hashes are not of 32 bytes.
    #[must_use]
    pub fn to_proof(&self) -> Option<proofs::commit::BlockId> {
        Some(proofs::commit::BlockId {
            hash: self.hash.try_into().ok()?,
            part_count: self.part_set_header.total,
            part_set_hash: self.part_set_header.hash.try_into().ok()?,
        })
    }

    /// Appends the fields of the message: `1200` for the zero id. `CanonicalBlockID` has the same form.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, 1, self.hash);
        put_message(out, 2, |out| {
            put_uint(out, 1, self.part_set_header.total.into());
            put_bytes(out, 2, self.part_set_header.hash);
        });
    }
}

impl<'a> Decode<'a> for PartSetHeader<'a> {
    const NAME: &'static str = "PartSetHeader";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut header = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => header.total = field.u32("total")?,
                2 => header.hash = field.bytes("hash")?,
                _ => {}
            }
        }
        Ok(header)
    }
}

impl<'a> Decode<'a> for BlockId<'a> {
    const NAME: &'static str = "BlockID";

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let mut id = Self::default();
        while let Some(field) = reader.next()? {
            match field.number {
                1 => id.hash = field.bytes("hash")?,
                2 => id.part_set_header = field.message("part_set_header")?,
                _ => {}
            }
        }
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zero_block_id_is_one_empty_message() {
        let mut out = Vec::new();
        BlockId::default().put(&mut out);
        assert_eq!(out, [0x12, 0x00]);
        assert!(BlockId::decode(&out).expect("decodes").is_zero());
    }
}
