//! Checked segments of a chain, as lines that anybody can put together.
//!
//! ```text
//! segment <chain id> | <first height of the tree> <from> <to> | <block below> | <first block> <its validators>
//!     | <last block> <next validators> | <nodes>                        (in one line)
//! ```
//! Blocks are `<hash> <parts> <part-set hash>`, or `none` below the first of a chain; nodes are the perfect
//! subtrees under the heights, one for a whole segment.
//!
//! A segment alone is signed by validators that nobody vouches for: joining holds its first ones against those that
//! the segment below announces. Whoever joins lines must trust those who made them, or check samples of them again.

use std::fmt::{self, Display, Formatter};
use std::ops::RangeInclusive;

use super::spelling::{block, block_and_validators, hash, put_block, words};
use super::walk::{Border, Start, Walk};
use crate::encoding::decimal;
use crate::merkle::{Frontier, FrontierError, Hash, SEGMENT_LEAVES};

/// A checked segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Name of the chain.
    pub chain_id: String,
    /// First height of the tree.
    pub first: u64,
    /// Heights of the segment.
    pub heights: RangeInclusive<u64>,
    /// Its first height.
    pub start: Start,
    /// Its last one.
    pub border: Border,
    /// The frontier's nodes.
    pub nodes: Vec<Hash>,
}

/// Why something is not a segment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// The line is not made as one.
    #[error("it is not a checked segment")]
    Shape,
    /// It begins below the tree.
    #[error("it begins at height {from}, below the tree's first, {first}")]
    Below {
        /// First height of the tree.
        first: u64,
        /// First height of the segment.
        from: u64,
    },
    /// It begins within a segment.
    #[error("it begins at height {from}, which is no multiple of {SEGMENT_LEAVES} leaves above {first}")]
    Misaligned {
        /// First height of the tree.
        first: u64,
        /// First height of the segment.
        from: u64,
    },
    /// It has no heights.
    #[error("it ends at height {to}, before it begins at {from}")]
    Empty {
        /// First height of the segment.
        from: u64,
        /// Its last one.
        to: u64,
    },
    /// It has more heights than a segment.
    #[error("heights {from} to {to} are more than {SEGMENT_LEAVES}")]
    Long {
        /// First height of the segment.
        from: u64,
        /// Its last one.
        to: u64,
    },
    /// The chain's name has control characters, which would make other lines.
    #[error("the chain's name {name:?} has control characters")]
    ChainName {
        /// The name.
        name: String,
    },
    /// The nodes are too many or too few.
    #[error(transparent)]
    Nodes(#[from] FrontierError),
}

/// Why segments are not one chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("segment of height {height} does not join the one before: {fault}")]
pub struct JoinError {
    /// First height of the segment; 0 without any.
    pub height: u64,
    /// What is wrong.
    pub fault: JoinFault,
}

/// What keeps a segment from joining.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinFault {
    /// There are none.
    #[error("there are no segments")]
    None,
    /// The first one is missing.
    #[error("the first segment of the tree is missing")]
    NotFirst,
    /// It is of another chain, or of a tree that begins elsewhere.
    #[error("it is of another tree")]
    OtherTree,
    /// There is a gap, or an overlap.
    #[error("it does not begin where that one ends")]
    Gap,
    /// Its first header does not name the last block before.
    #[error("it names another block below than that one's last")]
    Below,
    /// Its validators are not those that were announced: anybody could have signed it.
    #[error("its validators are not those that that one's last header announces")]
    Validators,
    /// It is none by itself.
    #[error(transparent)]
    Segment(#[from] SegmentError),
}

/// Segments put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Name of the chain.
    pub chain_id: String,
    /// The first height.
    pub start: Start,
    /// All heights.
    pub heights: RangeInclusive<u64>,
    /// The tree over them.
    pub frontier: Frontier,
}

impl Segment {
    /// Checks that heights are a segment of the tree that begins at `first`: it begins at a multiple of 2^16 leaves
    /// and is no longer; shorter is only the last one of a tree.
    ///
    /// # Errors
    /// [`SegmentError`] but `Shape`, `ChainName` and `Nodes`.
    pub fn check(first: u64, heights: &RangeInclusive<u64>) -> Result<(), SegmentError> {
        let (from, to) = (*heights.start(), *heights.end());
        let index = from.checked_sub(first).ok_or(SegmentError::Below { first, from })?;
        if !index.is_multiple_of(SEGMENT_LEAVES) {
            return Err(SegmentError::Misaligned { first, from });
        }
        let length = to.checked_sub(from).ok_or(SegmentError::Empty { from, to })?;
        if length >= SEGMENT_LEAVES { Err(SegmentError::Long { from, to }) } else { Ok(()) }
    }

    /// The segment that a walk took, of the tree that begins at `first`; its signatures are the caller's business.
    ///
    /// # Errors
    /// As [`Segment::check`], or [`SegmentError::ChainName`].
    pub fn of(walk: &Walk, first: u64) -> Result<Self, SegmentError> {
        let (state, to) = (walk.state(), walk.next().saturating_sub(1));
        if state.chain_id.contains(char::is_control) {
            return Err(SegmentError::ChainName { name: state.chain_id });
        }
        let heights = walk.first()..=to;
        Self::check(first, &heights)?;
        let (start, border) = state.start.zip(state.below).ok_or(SegmentError::Empty { from: walk.first(), to })?;
        Ok(Self { chain_id: state.chain_id, first, heights, start, border, nodes: state.nodes })
    }

    /// Reads a line.
    ///
    /// # Errors
    /// [`SegmentError`].
    pub fn parse(line: &str) -> Result<Self, SegmentError> {
        let segment = Self::fields(line).ok_or(SegmentError::Shape)?;
        segment.frontier()?;
        Ok(segment)
    }

    fn fields(line: &str) -> Option<Self> {
        if line.contains(char::is_control) {
            return None;
        }
        // The chain's name may hold anything; the other fields do not hold the divider.
        let mut fields = line.strip_prefix("segment ")?.rsplitn(6, " | ");
        let (nodes, last, start, below) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let (heights, chain_id) = (fields.next()?, fields.next()?);
        let [first, from, to] = words(heights)?.map(|word| decimal(word).ok());
        let below = if below == "none" { None } else { Some(block(below)?) };
        let (block, validators) = block_and_validators(start)?;
        let start = Start { below, block, validators };
        let (block, next_validators) = block_and_validators(last)?;
        let border = Border { block, next_validators };
        let nodes = nodes.split(' ').map(hash).collect::<Option<_>>()?;
        Some(Self { chain_id: chain_id.to_owned(), first: first?, heights: from?..=to?, start, border, nodes })
    }

    fn frontier(&self) -> Result<Frontier, SegmentError> {
        Self::check(self.first, &self.heights)?;
        let leaves = self.heights.end() - self.heights.start() + 1;
        Ok(Frontier::from_parts(leaves, self.nodes.clone())?)
    }

    /// Puts segments together, which are in order: each must begin where the one before ends, name its last block, and
    /// have the validators that its last header announces.
    ///
    /// # Errors
    /// [`JoinError`].
    pub fn join(segments: &[Self]) -> Result<Joined, JoinError> {
        let [first, ..] = segments else { return Err(JoinError { height: 0, fault: JoinFault::None }) };
        let mut frontier = Frontier::new();
        let mut before: Option<&Self> = None;
        for segment in segments {
            let error = |fault| JoinError { height: *segment.heights.start(), fault };
            segment.follows(before).map_err(error)?;
            let own = segment.frontier().map_err(|source| error(source.into()))?;
            frontier.append(&own).map_err(|source| error(JoinFault::Segment(source.into())))?;
            before = Some(segment);
        }
        let last = before.map_or(first.first, |last| *last.heights.end());
        Ok(Joined { chain_id: first.chain_id.clone(), start: first.start, heights: first.first..=last, frontier })
    }

    fn follows(&self, before: Option<&Self>) -> Result<(), JoinFault> {
        let from = *self.heights.start();
        let Some(before) = before else {
            return if from == self.first { Ok(()) } else { Err(JoinFault::NotFirst) };
        };
        if self.first != before.first || self.chain_id != before.chain_id {
            return Err(JoinFault::OtherTree);
        }
        if before.heights.end().checked_add(1) != Some(from) {
            return Err(JoinFault::Gap);
        }
        if self.start.below != Some(before.border.block) {
            return Err(JoinFault::Below);
        }
        if self.start.validators == before.border.next_validators { Ok(()) } else { Err(JoinFault::Validators) }
    }
}

impl Display for Segment {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let nodes: Vec<String> = self.nodes.iter().map(hex::encode).collect();
        let (from, to) = (self.heights.start(), self.heights.end());
        let below = self.start.below.as_ref().map_or_else(|| "none".to_owned(), put_block);
        let (start, border) = (put_block(&self.start.block), put_block(&self.border.block));
        let [validators, next] = [self.start.validators, self.border.next_validators].map(hex::encode);
        write!(formatter, "segment {} | {} {from} {to} | {below} | ", self.chain_id, self.first)?;
        write!(formatter, "{start} {validators} | {border} {next} | {}", nodes.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::BlockId;
    use crate::merkle::{leaf_hash, root_of_hashes};

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
            heights: from..=to,
            start: Start { below: (from > 5).then(|| block_of(from - 1)), block: block_of(from), validators: [9; 32] },
            border: Border { block: block_of(to), next_validators: [9; 32] },
            nodes: frontier.nodes().to_vec(),
        }
    }

    #[test]
    fn a_segment_reads_back_from_its_line() {
        for segment in [segment(5, 9), segment(5 + 65_536, 5 + 65_540)] {
            assert_eq!(Segment::parse(&segment.to_string()), Ok(segment));
        }
    }

    #[test]
    fn joined_segments_have_the_root_of_all_heights() {
        let joined = Segment::join(&[segment(5, 65_540), segment(65_541, 65_800)]).expect("they join");
        let mut leaves: Vec<Hash> = (5..=65_800).map(leaf).collect();
        assert_eq!(joined.frontier.root(), root_of_hashes(&mut leaves));
        assert_eq!((joined.heights, joined.start.block), (5..=65_800, block_of(5)));
    }

    #[test]
    fn segments_that_do_not_meet_are_refused() {
        let fault = |segments: &[Segment]| Segment::join(segments).expect_err("refused").fault;
        let (one, two) = (segment(5, 65_540), segment(65_541, 65_800));
        assert_eq!(fault(&[]), JoinFault::None);
        assert_eq!(fault(std::slice::from_ref(&two)), JoinFault::NotFirst);
        assert_eq!(fault(&[one.clone(), one.clone()]), JoinFault::Gap);
        assert_eq!(fault(&[segment(5, 65_539), two.clone()]), JoinFault::Gap);
        let second = |other| fault(&[one.clone(), other]);
        assert_eq!(second(Segment { chain_id: "c".to_owned(), ..two.clone() }), JoinFault::OtherTree);
        let with = |start| Segment { start, ..two.clone() };
        assert_eq!(second(with(Start { below: Some(block_of(1)), ..two.start })), JoinFault::Below);
        assert_eq!(second(with(Start { below: None, ..two.start })), JoinFault::Below);
        // Anybody can sign heights that name a real block below, as validators whom nobody announced.
        assert_eq!(second(with(Start { validators: [8; 32], ..two.start })), JoinFault::Validators);
        let none = Segment { nodes: Vec::new(), ..two.clone() };
        assert!(matches!(second(none), JoinFault::Segment(SegmentError::Nodes(_))));
    }

    #[test]
    fn only_whole_segments_are_taken() {
        let check = |from, to| Segment::check(5, &(from..=to));
        assert_eq!(check(5, 65_540), Ok(()));
        assert_eq!(check(5 + 65_536, 5 + 65_536), Ok(()));
        assert_eq!(check(4, 10), Err(SegmentError::Below { first: 5, from: 4 }));
        assert_eq!(check(6, 10), Err(SegmentError::Misaligned { first: 5, from: 6 }));
        assert_eq!(check(5, 65_541), Err(SegmentError::Long { from: 5, to: 65_541 }));
        assert_eq!(check(5, 4), Err(SegmentError::Empty { from: 5, to: 4 }));
    }

    #[test]
    fn a_chain_cannot_be_named_so_as_to_make_lines() {
        let name = format!("a\n{}", segment(65_541, 65_800));
        let walk = Walk::new(&name, 5);
        assert_eq!(Segment::of(&walk, 5), Err(SegmentError::ChainName { name }));
        assert_eq!(Segment::parse(&format!("{}\n", segment(5, 9))), Err(SegmentError::Shape));
    }

    #[test]
    fn each_hostile_line_has_its_reason() {
        let line = segment(5, 9).to_string();
        let parse = |from: &str, to: &str| Segment::parse(&line.replacen(from, to, 1)).expect_err("hostile");
        for (from, to) in
            [("segment ", ""), (" 5 9 ", " 05 9 "), (" 5 9 ", " 5 "), ("none", "nobody"), ("0707", "0G07")]
        {
            assert_eq!(parse(from, to), SegmentError::Shape, "{from:?} for {to:?}");
        }
        assert_eq!(parse("| 5 5 9 |", "| 6 5 9 |"), SegmentError::Below { first: 6, from: 5 });
        assert!(matches!(parse("| 5 5 9 |", "| 5 5 11 |"), SegmentError::Nodes(_)));
        assert_eq!(parse("| 5 5 9 |", "| 5 5 18446744073709551615 |"), SegmentError::Long { from: 5, to: u64::MAX });
    }

    proptest::proptest! {
        #[test]
        fn a_changed_line_is_refused_or_a_segment_with_that_line(
            place in proptest::prelude::any::<proptest::sample::Index>(), with in "[a-f0-9 |-]{0,3}"
        ) {
            let line = segment(65_541, 65_800).to_string();
            let place = place.index(line.len());
            let changed = format!("{}{with}{}", &line[..place], &line[place + 1..]);
            if let Ok(read) = Segment::parse(&changed) {
                proptest::prop_assert_eq!(read.to_string(), changed);
                proptest::prop_assert_eq!(Segment::join(&[read]).expect_err("alone").fault, JoinFault::NotFirst);
            }
        }
    }
}
