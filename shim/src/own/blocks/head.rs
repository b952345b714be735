//! What a sender says of a block before its bytes: claims, of which only the sizes are checked here.

use proto::wire::blocks2 as wire;

use crate::own::limits::{DELIVERY_BYTES_MAX, PART_BYTES};

use super::Fault;

/// What a sender says of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockHead {
    /// Its height.
    pub height: u64,
    /// Root over its header.
    pub hash: [u8; 32],
    /// Number of its parts.
    pub part_count: u32,
    /// Root over its parts.
    pub part_set_hash: [u8; 32],
    /// Its bytes.
    pub block_bytes: usize,
    /// Bytes of its extended commit; `None` where it has none.
    pub extended_commit_bytes: Option<usize>,
}

impl BlockHead {
    /// Reads a head.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for a hash that is none, [`Fault::Size`] for sizes that are none of a block.
    pub fn from_wire(wire: &wire::Head) -> Result<Self, Fault> {
        let hash = |bytes: &[u8], what| bytes.try_into().map_err(|_| Fault::Malformed { what });
        let head = Self {
            height: wire.height,
            hash: hash(&wire.hash, "a block hash that is not of 32 bytes")?,
            part_count: wire.part_count,
            part_set_hash: hash(&wire.part_set_hash, "a part set hash that is not of 32 bytes")?,
            block_bytes: wire.block_bytes as usize,
            extended_commit_bytes: wire.extended_commit_bytes.map(|bytes| bytes as usize),
        };
        let delivery = head.block_bytes.saturating_add(head.extended_commit_bytes.unwrap_or(0));
        let is_right = head.part_count as usize == head.block_bytes.div_ceil(PART_BYTES);
        if head.block_bytes == 0 || delivery > DELIVERY_BYTES_MAX || !is_right {
            let (height, part_count, block_bytes) = (head.height, head.part_count, head.block_bytes);
            return Err(Fault::Size { height, part_count, block_bytes, delivery_bytes: delivery });
        }
        Ok(head)
    }

    /// Writes the head.
    #[must_use]
    pub fn to_wire(&self) -> wire::Head {
        let bytes =
            |bytes: usize| u32::try_from(bytes).expect("a delivery is below 4 GiB: checked where heads are made");
        wire::Head {
            height: self.height,
            hash: self.hash.to_vec().into(),
            part_count: self.part_count,
            part_set_hash: self.part_set_hash.to_vec().into(),
            block_bytes: bytes(self.block_bytes),
            extended_commit_bytes: self.extended_commit_bytes.map(bytes),
        }
    }

    /// Bytes of the part at `index`; 0 where there is none.
    #[must_use]
    pub const fn part_bytes(&self, index: u32) -> usize {
        let rest = self.block_bytes.saturating_sub(index as usize * PART_BYTES);
        if rest < PART_BYTES { rest } else { PART_BYTES }
    }
}
