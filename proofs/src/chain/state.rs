//! A walk that is put aside, as text.
//!
//! ```text
//! ledger-proof-walk/v1
//! chain <chain id>
//! first <height>
//! first-block <block hash> <parts> <part-set hash> <hash of its validators>     from here on only if there are heights
//! first-below <block hash> <parts> <part-set hash>                              only if there is one
//! size <heights taken>
//! below <block hash> <parts> <part-set hash> <hash of the next validators>      of the last height taken
//! node <hash>                                                                   one for each bit set in the size
//! sum <SHA-256 of all lines before, hex>
//! ```
//! The sum tells damage, not malice: whoever can write the text can have anything believed below its height.

use std::fmt::{self, Display, Formatter};
use std::iter::Peekable;
use std::str::Split;

use sha2::{Digest, Sha256};

use super::spelling::{block, block_and_validators, hash, put_block};
use super::walk::{Border, Start};
use crate::encoding::decimal;
use crate::merkle::Hash;

const HEADER: &str = "ledger-proof-walk/v1";

/// A walk put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalkState {
    /// Name of the chain.
    pub chain_id: String,
    /// First height.
    pub first: u64,
    /// The first height taken; `None` before it.
    pub start: Option<Start>,
    /// The last height taken; `None` before the first.
    pub below: Option<Border>,
    /// Number of heights taken.
    pub size: u64,
    /// The frontier's nodes.
    pub nodes: Vec<Hash>,
}

/// Why text is not the state of a walk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WalkStateError {
    /// It does not end in the line of its sum.
    #[error("it does not end in its sum")]
    Truncated,
    /// The sum is another.
    #[error("its sum is {actual}, expected {expected}")]
    Sum {
        /// Of the lines there.
        expected: String,
        /// What is written.
        actual: String,
    },
    /// It is of another version, or of something else.
    #[error("it does not begin with {HEADER}")]
    Header,
    /// A line is missing, or is not what stands in its place.
    #[error("it has no {key} where one belongs")]
    Line {
        /// The word that the line begins with.
        key: &'static str,
    },
}

impl WalkState {
    /// Reads what [`WalkState`] displays.
    ///
    /// # Errors
    /// [`WalkStateError`].
    pub fn parse(text: &str) -> Result<Self, WalkStateError> {
        let lines = text.strip_suffix('\n').and_then(|text| text.rsplit_once("\nsum "));
        let (body, actual) = lines.ok_or(WalkStateError::Truncated)?;
        let expected = hex::encode(Sha256::digest(&text[..=body.len()]));
        if actual != expected {
            return Err(WalkStateError::Sum { expected, actual: actual.to_owned() });
        }
        let mut lines = Values(body.split('\n').peekable());
        if lines.0.next() != Some(HEADER) {
            return Err(WalkStateError::Header);
        }
        let chain_id = lines.required("chain", |text| Some(text.to_owned()))?;
        let first = lines.required("first", |text| decimal(text).ok())?;
        let mut start = None;
        if let Some((taken, validators)) = lines.optional("first-block", block_and_validators)? {
            start = Some(Start { below: lines.optional("first-below", block)?, block: taken, validators });
        }
        let size = lines.required("size", |text| decimal(text).ok())?;
        let below = lines.optional("below", block_and_validators)?;
        let below = below.map(|(block, next_validators)| Border { block, next_validators });
        let nodes = std::iter::from_fn(|| lines.optional("node", hash).transpose()).collect::<Result<_, _>>()?;
        if lines.0.next().is_some() || (size > 0) != below.is_some() || below.is_some() != start.is_some() {
            return Err(WalkStateError::Line { key: if size > 0 { "below" } else { "sum" } });
        }
        Ok(Self { chain_id, first, start, below, size, nodes })
    }
}

/// The lines that are left.
struct Values<'a>(Peekable<Split<'a, char>>);

impl<'a> Values<'a> {
    fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&'a str) -> Option<T>,
    ) -> Result<Option<T>, WalkStateError> {
        let value = |line: &'a str| line.strip_prefix(key)?.strip_prefix(' ');
        let Some(line) = self.0.next_if(|line| value(line).is_some()) else { return Ok(None) };
        value(line).and_then(read).map(Some).ok_or(WalkStateError::Line { key })
    }

    fn required<T>(&mut self, key: &'static str, read: impl Fn(&'a str) -> Option<T>) -> Result<T, WalkStateError> {
        self.optional(key, read)?.ok_or(WalkStateError::Line { key })
    }
}

impl Display for WalkState {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut text = format!("{HEADER}\nchain {}\nfirst {}\n", self.chain_id, self.first);
        if let Some(start) = &self.start {
            text.push_str(&format!("first-block {} {}\n", put_block(&start.block), hex::encode(start.validators)));
            if let Some(block) = &start.below {
                text.push_str(&format!("first-below {}\n", put_block(block)));
            }
        }
        text.push_str(&format!("size {}\n", self.size));
        if let Some(below) = &self.below {
            text.push_str(&format!("below {} {}\n", put_block(&below.block), hex::encode(below.next_validators)));
        }
        for node in &self.nodes {
            text.push_str(&format!("node {}\n", hex::encode(node)));
        }
        let sum = hex::encode(Sha256::digest(&text));
        writeln!(formatter, "{text}sum {sum}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::BlockId;
    use proptest::prelude::*;

    fn states() -> [WalkState; 3] {
        let block = |byte| BlockId { hash: [byte; 32], part_count: byte.into(), part_set_hash: [byte + 1; 32] };
        let (chain_id, nodes) = ("a chain".to_owned(), vec![[1; 32], [2; 32]]);
        let new = WalkState { chain_id, first: 5, start: None, below: None, size: 0, nodes: Vec::new() };
        let from_first = WalkState {
            start: Some(Start { below: None, block: block(3), validators: [5; 32] }),
            below: Some(Border { block: block(7), next_validators: [9; 32] }),
            size: 3,
            nodes,
            ..new.clone()
        };
        let start = from_first.start.map(|start| Start { below: Some(block(1)), ..start });
        [new, from_first.clone(), WalkState { start, ..from_first }]
    }

    /// The text with another body, summed up again.
    fn summed(body: &str) -> String {
        format!("{body}sum {}\n", hex::encode(Sha256::digest(body)))
    }

    #[test]
    fn a_state_reads_back() {
        for state in states() {
            assert_eq!(WalkState::parse(&state.to_string()), Ok(state));
        }
    }

    #[test]
    fn each_damaged_text_has_its_reason() {
        let [new, _, state] = states();
        let text = state.to_string();
        let body = &text[..text.rfind("sum ").expect("a sum")];
        let parse = |text: &str| WalkState::parse(text).expect_err("damaged");
        assert_eq!(parse(""), WalkStateError::Truncated);
        assert_eq!(parse(body), WalkStateError::Truncated);
        assert!(matches!(parse(&text.replace("size 3", "size 2")), WalkStateError::Sum { .. }));
        assert_eq!(parse(text.trim_end()), WalkStateError::Truncated);
        assert!(matches!(parse(&text.replace("\nsum ", "\nsum  ")), WalkStateError::Sum { .. }));
        assert!(matches!(parse(&format!("{} \n", text.trim_end())), WalkStateError::Sum { .. }));
        assert_eq!(parse(&summed(&body.replace("/v1", "/v2"))), WalkStateError::Header);
        for (key, from, to) in [
            ("chain", "chain ", "name "),
            ("first", "first 5", "first 05"),
            ("first-block", "first-block 0", "first-block A"),
            ("first-below", "first-below 0", "first-below  0"),
            ("size", "size 3", "size +3"),
            ("first", "first 5", "first 5\r"),
            ("below", "\nbelow ", "\nbelow 1 "),
            ("node", "\nnode ", "\nnode 1"),
            ("below", "\nnode ", "\nnodes "),
        ] {
            let changed = body.replacen(from, to, 1);
            assert_ne!(changed, body, "{from:?} is there");
            assert_eq!(parse(&summed(&changed)), WalkStateError::Line { key }, "{from:?} for {to:?}");
        }
        for (state, key) in [
            (WalkState { start: None, ..state.clone() }, "below"),
            (WalkState { below: None, ..state.clone() }, "below"),
            (WalkState { size: 0, ..state }, "sum"),
            (WalkState { size: 1, ..new }, "below"),
        ] {
            assert_eq!(parse(&state.to_string()), WalkStateError::Line { key });
        }
    }

    proptest! {
        #[test]
        fn changed_text_is_refused_or_a_state_with_that_text(
            which in 0..3_usize, place in any::<prop::sample::Index>(), with in "[a-f0-9 \n|-]{0,3}"
        ) {
            let text = states()[which].to_string();
            let place = place.index(text.len());
            let changed = format!("{}{with}{}", &text[..place], &text[place + 1..]);
            prop_assert!(changed == text || WalkState::parse(&changed).is_err(), "the sum tells");
            let again = summed(&changed[..changed.rfind("sum ").unwrap_or(0)]);
            if let Ok(state) = WalkState::parse(&again) {
                prop_assert_eq!(state.to_string(), again);
            }
        }
    }
}
