//! The name of a block: its header's hash and the parts it is sent and stored in.

use ledger_formats::comet;
use proofs::merkle::Hash;

/// Name of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId {
    /// Hash of the header.
    pub hash: Hash,
    /// Number of parts.
    pub part_count: u32,
    /// Root over the parts.
    pub part_set_hash: Hash,
}

impl BlockId {
    /// The same, lent to the codecs.
    #[must_use]
    pub fn borrowed(&self) -> comet::BlockId<'_> {
        let part_set_header = comet::PartSetHeader { total: self.part_count, hash: &self.part_set_hash };
        comet::BlockId { hash: &self.hash, part_set_header }
    }

    /// Takes up a name that was decoded; `None` for the zero id.
    ///
    /// # Errors
    /// The name, if its hashes are not of 32 bytes and it is not zero either.
    pub fn from_borrowed<'a>(id: &comet::BlockId<'a>) -> Result<Option<Self>, comet::BlockId<'a>> {
        if id.is_zero() {
            return Ok(None);
        }
        id.to_proof().map(|id| Some(id.into())).ok_or(*id)
    }
}

impl From<proofs::commit::BlockId> for BlockId {
    fn from(id: proofs::commit::BlockId) -> Self {
        Self { hash: id.hash, part_count: id.part_count, part_set_hash: id.part_set_hash }
    }
}

impl From<BlockId> for proofs::commit::BlockId {
    fn from(id: BlockId) -> Self {
        Self { hash: id.hash, part_count: id.part_count, part_set_hash: id.part_set_hash }
    }
}

impl std::fmt::Display for BlockId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, ..] = self.hash;
        write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}
