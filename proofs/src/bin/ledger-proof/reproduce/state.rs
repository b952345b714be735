//! A walk that is put aside, as a file.
//!
//! ```text
//! ledger-proof-walk/v1
//! chain <chain id>
//! first <height>
//! first-block <block hash> <parts> <part-set hash> <hash of its validators>
//! first-below <block hash> <parts> <part-set hash>     only if there is one
//! size <heights taken>
//! below <block hash> <parts> <part-set hash> <hash of the next validators>
//! node <hash>                                          one for each bit set in the size
//! sum <SHA-256 of all lines before, hex>
//! ```
//! It is this program's own memory: whoever can write it can make the program believe anything below that height.

use std::path::Path;

use proofs::chain::{Border, Start, Walk, WalkState};
use proofs::commit::BlockId;
use sha2::{Digest, Sha256};

use super::fault::Fault;
use crate::failure::Failure;
use crate::files;

const HEADER: &str = "ledger-proof-walk/v1";

/// Keeps a walk durably.
pub(crate) fn write(path: &Path, walk: &Walk) -> Result<(), Failure> {
    files::replace(path, spell(&walk.state()).as_bytes())
}

fn spell(state: &WalkState) -> String {
    let mut text = format!("{HEADER}\nchain {}\nfirst {}\n", state.chain_id, state.first);
    if let Some(start) = &state.start {
        text.push_str(&format!("first-block {} {}\n", block_text(&start.block), hex::encode(start.validators)));
        if let Some(block) = &start.below {
            text.push_str(&format!("first-below {}\n", block_text(block)));
        }
    }
    text.push_str(&format!("size {}\n", state.size));
    if let Some(below) = &state.below {
        text.push_str(&format!("below {} {}\n", block_text(&below.block), hex::encode(below.next_validators)));
    }
    for node in &state.nodes {
        text.push_str(&format!("node {}\n", hex::encode(node)));
    }
    let sum = hex::encode(Sha256::digest(&text));
    format!("{text}sum {sum}\n")
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
    let start = lines.next_if(|line| line.starts_with("first-block ")).map(|line| &line["first-block ".len()..]);
    let first_below = lines.next_if(|line| line.starts_with("first-below ")).map(|line| &line["first-below ".len()..]);
    let first_below = first_below.map(|text| block(text).ok_or(())).transpose().ok()?;
    let start = match start {
        Some(text) => {
            let (block, validators) = block_and_validators(text)?;
            Some(Start { below: first_below, block, validators })
        }
        None => None,
    };
    let size = lines.next()?.strip_prefix("size ")?.parse().ok()?;
    let below = match lines.next_if(|line| line.starts_with("below ")) {
        Some(line) => {
            let (block, next_validators) = block_and_validators(&line["below ".len()..])?;
            Some(Border { block, next_validators })
        }
        None => None,
    };
    let nodes = lines.map(|line| hash(line.strip_prefix("node ")?)).collect::<Option<_>>()?;
    if (size > 0) != below.is_some() || below.is_some() != start.is_some() {
        return None;
    }
    Some(WalkState { chain_id, first, start, below, size, nodes })
}

/// Reads a block id and the hash of validators behind it from a line.
pub(crate) fn block_and_validators(text: &str) -> Option<(BlockId, [u8; 32])> {
    let (block_text, validators) = text.rsplit_once(' ')?;
    Some((block(block_text)?, hash(validators)?))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn states() -> [WalkState; 3] {
        let block = |byte| BlockId { hash: [byte; 32], part_count: byte.into(), part_set_hash: [byte + 1; 32] };
        let new = WalkState {
            chain_id: "a chain".to_owned(),
            first: 5,
            start: None,
            below: None,
            size: 0,
            nodes: Vec::new(),
        };
        let from_first = WalkState {
            start: Some(Start { below: None, block: block(3), validators: [5; 32] }),
            below: Some(Border { block: block(7), next_validators: [9; 32] }),
            size: 3,
            nodes: vec![[1; 32], [2; 32]],
            ..new.clone()
        };
        let below = Some(block(1));
        let start = from_first.start.map(|start| Start { below, ..start });
        [new, from_first.clone(), WalkState { start, ..from_first }]
    }

    #[test]
    fn a_state_reads_back() {
        for state in states() {
            assert_eq!(parse(&spell(&state)), Some(state));
        }
    }

    #[test]
    fn a_state_without_a_start_or_an_end_is_refused() {
        let [_, state, _] = states();
        assert_eq!(parse(&spell(&WalkState { start: None, ..state.clone() })), None);
        assert_eq!(parse(&spell(&WalkState { below: None, ..state.clone() })), None);
        assert_eq!(parse(&spell(&WalkState { size: 0, ..state })), None);
    }

    proptest! {
        #[test]
        fn changed_text_is_refused_or_a_state(
            which in 0..3_usize, place in any::<prop::sample::Index>(), with in "[a-f0-9 \n|-]{0,3}", summed: bool
        ) {
            let text = spell(&states()[which]);
            let place = place.index(text.len());
            let mut changed = format!("{}{with}{}", &text[..place], &text[place + 1..]);
            prop_assert!(changed == text || parse(&changed).is_none(), "the sum tells");
            if summed {
                // Whoever changes the file can sum it up again.
                let body = &changed[..changed.rfind("sum ").unwrap_or(0)];
                changed = format!("{body}sum {}\n", hex::encode(Sha256::digest(body)));
            }
            if let Some(state) = parse(&changed) {
                prop_assert_eq!(parse(&spell(&state)), Some(state));
            }
        }
    }
}
