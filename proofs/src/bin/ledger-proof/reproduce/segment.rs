//! `verify-range` and `join`: segments of 2^16 heights, checked anywhere, side by side, and put together.
//!
//! A checked segment is one line:
//! ```text
//! segment <chain id> | <first height of the tree> <from> <to> | <block below> | <first block> <its validators>
//!     | <last block> <next validators> | <nodes>                        (in one line)
//! ```
//! Blocks are `<hash> <parts> <part-set hash>`, or `none` below the first of a chain; nodes are the perfect
//! subtrees under the heights, one for a whole segment. A segment alone is signed by validators that nobody vouches
//! for: joining holds its first ones against those that the segment below announces. Whoever joins lines must trust
//! those who made them, or check samples of them again.

use std::path::Path;

use proofs::chain::{Border, Start, Walk};
use proofs::merkle::{Frontier, Hash, SEGMENT_LEAVES};

use super::state::{block, block_and_validators, block_text, hash};
use super::{Fault, Sources, summary};
use crate::cli::{Join, VerifyRange};
use crate::failure::Failure;
use crate::files;

/// A checked segment.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    chain_id: String,
    first: u64,
    from: u64,
    to: u64,
    start: Start,
    border: Border,
    nodes: Vec<Hash>,
}

pub(crate) fn verify_range(arguments: &VerifyRange) -> Result<String, Failure> {
    let VerifyRange { first, from, to, .. } = *arguments;
    whole(first, from, to)?;
    let (mut sources, _, _) = Sources::open(&arguments.rpc)?;
    sources.expect(from, to)?;
    let mut walk = Walk::new(sources.chain_id(), from);
    sources.walk(&mut walk, to, None)?;
    let state = walk.state();
    let ends = state.start.zip(state.below);
    let (start, border) = ends.ok_or(Fault::NotASegment { first, from, to, reason: "it has no heights" })?;
    let segment = Segment { chain_id: state.chain_id, first, from, to, start, border, nodes: state.nodes };
    Ok(segment.to_string())
}

/// Segments begin at multiples of 2^16 leaves and are as long, but for the last of a tree.
fn whole(first: u64, from: u64, to: u64) -> Result<(), Fault> {
    let fault = |reason| Fault::NotASegment { first, from, to, reason };
    let start = from.checked_sub(first).ok_or_else(|| fault("it begins below the tree"))?;
    let length = to.checked_sub(from).ok_or_else(|| fault("it ends before it begins"))?;
    if !start.is_multiple_of(SEGMENT_LEAVES) {
        return Err(fault("it does not begin at a multiple of 65536 leaves"));
    }
    if length >= SEGMENT_LEAVES { Err(fault("it is longer than 65536 leaves")) } else { Ok(()) }
}

pub(crate) fn join(arguments: &Join) -> Result<String, Failure> {
    let mut segments = Vec::new();
    for path in &arguments.files {
        segments.extend(read(path)?);
    }
    segments.sort_by_key(|segment| segment.from);
    Ok(join_all(&segments)?)
}

fn read(path: &Path) -> Result<Vec<Segment>, Failure> {
    let text = String::from_utf8_lossy(&files::read(path)?).into_owned();
    let mut segments = Vec::new();
    for (place, line) in text.lines().enumerate() {
        let fault = |reason: &str| Fault::Segment { path: path.to_owned(), line: place + 1, reason: reason.to_owned() };
        let segment = Segment::parse(line).ok_or_else(|| fault("it is not a checked segment"))?;
        whole(segment.first, segment.from, segment.to).map_err(|error| fault(&error.to_string()))?;
        segments.push(segment);
    }
    Ok(segments)
}

/// Puts segments in order together: each must begin where the one before ends, and name its last block.
fn join_all(segments: &[Segment]) -> Result<String, Fault> {
    let mut whole = Frontier::new();
    let mut before: Option<&Segment> = None;
    for segment in segments {
        let fault = |reason| Fault::Join { height: segment.from, reason };
        match before {
            None if segment.from != segment.first => return Err(fault("the first segment of the tree is missing")),
            Some(before) if segment.first != before.first || segment.chain_id != before.chain_id => {
                return Err(fault("it is of another tree"));
            }
            Some(before) if before.to.checked_add(1) != Some(segment.from) => {
                return Err(fault("it does not begin where that one ends"));
            }
            Some(before) if segment.start.below != Some(before.border.block) => {
                return Err(fault("it names another block below than that one's last"));
            }
            Some(before) if segment.start.validators != before.border.next_validators => {
                return Err(fault("its validators are not those that that one's last header announces"));
            }
            _ => {}
        }
        let leaves = segment.to - segment.from + 1;
        whole.append(&Frontier::from_parts(leaves, segment.nodes.clone())?)?;
        before = Some(segment);
    }
    let Some((first, last)) = segments.first().zip(before) else {
        return Err(Fault::Join { height: 0, reason: "there are no segments" });
    };
    Ok(summary(&first.chain_id, first.from..=last.to, &first.start, &whole))
}

impl std::fmt::Display for Segment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nodes: Vec<String> = self.nodes.iter().map(hex::encode).collect();
        write!(
            formatter,
            "segment {} | {} {} {} | {} | {} {} | {} {} | {}",
            self.chain_id,
            self.first,
            self.from,
            self.to,
            self.start.below.as_ref().map_or_else(|| "none".to_owned(), block_text),
            block_text(&self.start.block),
            hex::encode(self.start.validators),
            block_text(&self.border.block),
            hex::encode(self.border.next_validators),
            nodes.join(" ")
        )
    }
}

impl Segment {
    fn parse(line: &str) -> Option<Self> {
        // The chain's name may hold anything; the other fields do not hold the divider.
        let mut fields = line.strip_prefix("segment ")?.rsplitn(6, " | ");
        let (nodes, last, start, below) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let (heights, chain_id) = (fields.next()?, fields.next()?);
        let mut heights = heights.split(' ').map(|word| word.parse::<u64>().ok());
        let (first, from, to) = (heights.next()??, heights.next()??, heights.next()??);
        let below = if below == "none" { None } else { Some(block(below)?) };
        let (block, validators) = block_and_validators(start)?;
        let start = Start { below, block, validators };
        let (block, next_validators) = block_and_validators(last)?;
        let border = Border { block, next_validators };
        let nodes = nodes.split(' ').map(hash).collect::<Option<_>>()?;
        Some(Self { chain_id: chain_id.to_owned(), first, from, to, start, border, nodes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proofs::commit::BlockId;
    use proofs::merkle::{leaf_hash, root_of_hashes};

    fn block_of(height: u64) -> BlockId {
        BlockId { hash: leaf_hash(&height.to_be_bytes()), part_count: 1, part_set_hash: [7; 32] }
    }

    fn leaf(height: u64) -> Hash {
        leaf_hash(&height.to_le_bytes())
    }

    fn segment(from: u64, to: u64) -> Segment {
        let mut frontier = Frontier::new();
        (from..=to).for_each(|height| frontier.push(leaf(height)));
        Segment {
            chain_id: "a | b".to_owned(),
            first: 5,
            from,
            to,
            start: Start { below: (from > 5).then(|| block_of(from - 1)), block: block_of(from), validators: [9; 32] },
            border: Border { block: block_of(to), next_validators: [9; 32] },
            nodes: frontier.nodes().to_vec(),
        }
    }

    #[test]
    fn a_segment_reads_back_from_its_line() {
        for segment in [segment(5, 9), segment(5 + 65_536, 5 + 65_540)] {
            assert_eq!(Segment::parse(&segment.to_string()), Some(segment));
        }
    }

    #[test]
    fn joined_segments_have_the_root_of_all_heights() {
        let (one, two) = (segment(5, 65_540), segment(65_541, 65_800));
        let mut leaves: Vec<Hash> = (5..=65_800).map(leaf).collect();
        let expected = hex::encode(root_of_hashes(&mut leaves));
        let said = join_all(&[one, two]).expect("they join");
        let first = hex::encode(block_of(5).hash);
        let expected = format!("first-block {first}\nchain a | b\nheights 5 to 65800\nsize 65796\nroot {expected}");
        assert_eq!(said, expected);
    }

    #[test]
    fn segments_that_do_not_meet_are_refused() {
        let reason = |segments: &[Segment]| join_all(segments).expect_err("refused").to_string();
        let (one, two) = (segment(5, 65_540), segment(65_541, 65_800));
        assert!(reason(&[]).contains("there are no segments"));
        assert!(reason(std::slice::from_ref(&two)).contains("the first segment of the tree is missing"));
        assert!(reason(&[one.clone(), one.clone()]).contains("does not begin where that one ends"));
        let other = Segment { chain_id: "c".to_owned(), ..two.clone() };
        assert!(reason(&[one.clone(), other]).contains("it is of another tree"));
        let with = |start| Segment { start, ..two.clone() };
        let other = with(Start { below: Some(block_of(1)), ..two.start });
        assert!(reason(&[one.clone(), other]).contains("names another block below"));
        // Anybody can sign heights that name a real block below, as validators whom nobody announced.
        let other = with(Start { validators: [8; 32], ..two.start });
        assert!(reason(&[one.clone(), other]).contains("its validators are not those"));
        let other = Segment { nodes: Vec::new(), ..two };
        assert!(reason(&[one, other]).contains("hashes, not 0"));
    }

    #[test]
    fn only_whole_segments_are_taken() {
        assert_eq!(whole(5, 5, 65_540).map_err(|error| error.to_string()), Ok(()));
        for (from, to) in [(4, 10), (6, 10), (5, 65_541), (5, 4)] {
            assert!(whole(5, from, to).is_err(), "{from} to {to}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_changed_line_is_refused_or_a_segment(
            place in proptest::prelude::any::<proptest::sample::Index>(), with in "[a-f0-9 |-]{0,3}"
        ) {
            let line = segment(65_541, 65_800).to_string();
            let place = place.index(line.len());
            if let Some(read) = Segment::parse(&format!("{}{with}{}", &line[..place], &line[place + 1..])) {
                proptest::prop_assert_eq!(Segment::parse(&read.to_string()), Some(read.clone()));
                if whole(read.first, read.from, read.to).is_ok() {
                    proptest::prop_assert!(join_all(&[read]).is_err(), "its first segment is missing");
                }
            }
        }
    }
}
