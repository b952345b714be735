//! A walk that is put aside, as a file.
//!
//! ```text
//! ledger-proof-walk/v1
//! chain <chain id>
//! first <height>
//! first-below <block hash> <parts> <part-set hash>     only if there is one
//! size <heights taken>
//! below <block hash> <parts> <part-set hash> <hash of the next validators>
//! node <hash>                                          one for each bit set in the size
//! sum <SHA-256 of all lines before, hex>
//! ```
//! It is this program's own memory: whoever can write it can make the program believe anything below that height.

use std::path::Path;

use proofs::chain::{Border, Walk, WalkState};
use proofs::commit::BlockId;
use sha2::{Digest, Sha256};

use super::fault::Fault;
use crate::failure::Failure;
use crate::files;

const HEADER: &str = "ledger-proof-walk/v1";

/// Keeps a walk durably.
pub(crate) fn write(path: &Path, walk: &Walk) -> Result<(), Failure> {
    let state = walk.state();
    let mut text = format!("{HEADER}\nchain {}\nfirst {}\n", state.chain_id, state.first);
    if let Some(block) = &state.first_below {
        text.push_str(&format!("first-below {}\n", block_text(block)));
    }
    text.push_str(&format!("size {}\n", state.size));
    if let Some(below) = &state.below {
        text.push_str(&format!("below {} {}\n", block_text(&below.block), hex::encode(below.next_validators)));
    }
    for node in &state.nodes {
        text.push_str(&format!("node {}\n", hex::encode(node)));
    }
    let sum = hex::encode(Sha256::digest(&text));
    files::replace(path, format!("{text}sum {sum}\n").as_bytes())
}

/// Takes a walk up; `None` if there is none yet.
pub(crate) fn read(path: &Path) -> Result<Option<Walk>, Failure> {
    let Some(bytes) = files::read_if_exists(path)? else { return Ok(None) };
    let state = |reason: String| Fault::State { path: path.to_owned(), reason };
    let text = String::from_utf8(bytes).map_err(|_| state("it is not text".to_owned()))?;
    let parsed = parse(&text).ok_or_else(|| state("it is damaged or of another version".to_owned()))?;
    Ok(Some(Walk::resume(parsed).map_err(|error| state(error.to_string()))?))
}

fn parse(text: &str) -> Option<WalkState> {
    let body = text.get(..text.trim_end().rfind("\nsum ")? + 1)?;
    let sum = text.get(body.len()..)?.strip_prefix("sum ")?.strip_suffix('\n')?;
    if hex::encode(Sha256::digest(body)) != sum {
        return None;
    }
    let mut lines = body.lines().peekable();
    if lines.next() != Some(HEADER) {
        return None;
    }
    let chain_id = lines.next()?.strip_prefix("chain ")?.to_owned();
    let first = lines.next()?.strip_prefix("first ")?.parse().ok()?;
    let first_below = match lines.next_if(|line| line.starts_with("first-below ")) {
        Some(line) => Some(block(&line["first-below ".len()..])?),
        None => None,
    };
    let size = lines.next()?.strip_prefix("size ")?.parse().ok()?;
    let below = match lines.next_if(|line| line.starts_with("below ")) {
        Some(line) => {
            let (block_text, validators) = line["below ".len()..].rsplit_once(' ')?;
            Some(Border { block: block(block_text)?, next_validators: hash(validators)? })
        }
        None => None,
    };
    let nodes = lines.map(|line| hash(line.strip_prefix("node ")?)).collect::<Option<_>>()?;
    if (size > 0) != below.is_some() {
        return None;
    }
    Some(WalkState { chain_id, first, first_below, below, size, nodes })
}

/// A block id in a line.
pub(crate) fn block_text(block: &BlockId) -> String {
    format!("{} {} {}", hex::encode(block.hash), block.part_count, hex::encode(block.part_set_hash))
}

/// Reads a block id from a line.
pub(crate) fn block(text: &str) -> Option<BlockId> {
    let mut words = text.split(' ');
    let (hash_text, parts, part_set, None) = (words.next()?, words.next()?, words.next()?, words.next()) else {
        return None;
    };
    Some(BlockId { hash: hash(hash_text)?, part_count: parts.parse().ok()?, part_set_hash: hash(part_set)? })
}

/// Reads a hash in hex.
pub(crate) fn hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}
