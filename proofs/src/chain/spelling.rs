//! Hashes, blocks and numbers in the lines of states and segments, each with one spelling.

use crate::commit::BlockId;
use crate::encoding::decimal;
use crate::merkle::Hash;

/// `<block hash> <parts> <part-set hash>`.
pub(super) fn put_block(block: &BlockId) -> String {
    format!("{} {} {}", hex::encode(block.hash), block.part_count, hex::encode(block.part_set_hash))
}

pub(super) fn block(text: &str) -> Option<BlockId> {
    let [block_hash, parts, part_set] = words(text)?;
    let part_count = decimal(parts).ok()?.try_into().ok()?;
    Some(BlockId { hash: hash(block_hash)?, part_count, part_set_hash: hash(part_set)? })
}

/// A block, and the hash of validators behind it.
pub(super) fn block_and_validators(text: &str) -> Option<(BlockId, Hash)> {
    let (block_text, validators) = text.rsplit_once(' ')?;
    Some((block(block_text)?, hash(validators)?))
}

/// 64 lower-case hex digits.
pub(super) fn hash(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    let has_one_spelling = !text.bytes().any(|letter| letter.is_ascii_uppercase());
    (has_one_spelling && hex::decode_to_slice(text, &mut hash).is_ok()).then_some(hash)
}

/// As many words as asked for, divided by one space.
pub(super) fn words<const N: usize>(text: &str) -> Option<[&str; N]> {
    let mut words = text.splitn(N + 1, ' ');
    let found = std::array::from_fn(|_| words.next());
    if words.next().is_some() || found.iter().any(Option::is_none) {
        return None;
    }
    Some(found.map(Option::unwrap_or_default))
}
