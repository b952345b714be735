//! From text to a receipt, line by line in the one order there is.

use std::iter::{Enumerate, Peekable};
use std::str::Split;

use super::{DatabaseReceipt, HEADER, Receipt, SideReceipt};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::encoding::{DecimalError, decimal};
use crate::merkle::Hash;

/// Why text is not a receipt. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The first line is another.
    #[error("receipt does not begin with {HEADER}")]
    Header,
    /// The last line does not end in a newline.
    #[error("receipt does not end in a newline")]
    Truncated,
    /// A line that must be there is not.
    #[error("receipt ends before its line {key:?}")]
    Missing {
        /// Key of the line.
        key: String,
    },
    /// A line is out of order, repeated, or of no known key.
    #[error("line {line} of the receipt begins with {actual:?} where {expected:?} stands")]
    Unexpected {
        /// Number of the line.
        line: usize,
        /// Key that stands there in a receipt.
        expected: String,
        /// The word that it begins with.
        actual: String,
    },
    /// A text is empty or has control characters.
    #[error("{key} {text:?} of the receipt is empty or has control characters")]
    Text {
        /// Key of the line.
        key: String,
        /// The text.
        text: String,
    },
    /// A number is none.
    #[error("line {line} of the receipt: {source}")]
    Number {
        /// Number of the line.
        line: usize,
        /// Why.
        source: DecimalError,
    },
    /// A hash is not 64 lower-case hex digits.
    #[error("line {line} of the receipt: {text:?} is not 64 lower-case hex digits")]
    Hash {
        /// Number of the line.
        line: usize,
        /// The text in its place.
        text: String,
    },
    /// A line does not have its values, divided by one space.
    #[error("line {line} of the receipt does not have {expected} values")]
    Values {
        /// Number of the line.
        line: usize,
        /// Values that stand there.
        expected: usize,
    },
    /// The checkpoint is none.
    #[error("line {line} of the receipt: {source}")]
    Checkpoint {
        /// Number of the line.
        line: usize,
        /// Why.
        source: CheckpointError,
    },
}

impl Receipt {
    /// Reads canonical text.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn parse_text(text: &str) -> Result<Self, ReceiptError> {
        let body = text.strip_suffix('\n').ok_or(ReceiptError::Truncated)?;
        let mut lines = Lines(body.split('\n').enumerate().peekable());
        if lines.0.next().is_none_or(|(_, line)| line != HEADER) {
            return Err(ReceiptError::Header);
        }
        let receipt = Self {
            migration: lines.required("migration")?.text()?,
            tool: lines.required("tool")?.text()?,
            time: lines.required("time")?.number()?,
            chain_id: lines.optional("chain").map(Line::text).transpose()?,
            heights: lines.optional("heights").map(Line::heights).transpose()?,
            journal_head: lines.required("journal")?.hash()?,
            checkpoint: lines.optional("checkpoint").map(Line::checkpoint).transpose()?,
            databases: std::iter::from_fn(|| lines.database().transpose()).collect::<Result<_, _>>()?,
            verified: lines.texts("verified")?,
            exceptions: lines.texts("exception")?,
            not_checked: lines.texts("not-checked")?,
        };
        match lines.0.next() {
            None => Ok(receipt),
            Some((place, line)) => Err(unexpected(place, line, "not-checked")),
        }
    }
}

/// The lines that are left, each with its place from 0.
struct Lines<'a>(Peekable<Enumerate<Split<'a, char>>>);

/// The value of a line.
struct Line<'a> {
    number: usize,
    key: &'a str,
    value: &'a str,
}

impl<'a> Lines<'a> {
    fn optional(&mut self, key: &'a str) -> Option<Line<'a>> {
        let value_of = |line: &'a str| line.strip_prefix(key)?.strip_prefix(' ');
        let (place, line) = self.0.next_if(|(_, line)| value_of(line).is_some())?;
        Some(Line { number: place + 1, key, value: value_of(line)? })
    }

    fn required(&mut self, key: &'a str) -> Result<Line<'a>, ReceiptError> {
        if let Some(line) = self.optional(key) {
            return Ok(line);
        }
        Err(match self.0.peek() {
            None => ReceiptError::Missing { key: key.to_owned() },
            Some((place, line)) => unexpected(*place, line, key),
        })
    }

    fn texts(&mut self, key: &'a str) -> Result<Vec<String>, ReceiptError> {
        std::iter::from_fn(|| self.optional(key)).map(Line::text).collect()
    }

    fn database(&mut self) -> Result<Option<DatabaseReceipt>, ReceiptError> {
        let Some(name) = self.optional("database") else { return Ok(None) };
        let source = ["source-format", "source-keys", "source-key-bytes", "source-value-bytes", "source-sha256"];
        let target = ["target-format", "target-keys", "target-key-bytes", "target-value-bytes", "target-sha256"];
        Ok(Some(DatabaseReceipt {
            name: name.text()?,
            source: self.side(source, "source-root")?,
            target: self.side(target, "target-root")?,
        }))
    }

    fn side(&mut self, keys: [&'a str; 5], root: &'a str) -> Result<SideReceipt, ReceiptError> {
        let [format, entries, key_bytes, value_bytes, sha256] = keys;
        Ok(SideReceipt {
            format: self.required(format)?.text()?,
            keys: self.required(entries)?.number()?,
            key_bytes: self.required(key_bytes)?.number()?,
            value_bytes: self.required(value_bytes)?.number()?,
            sha256: self.required(sha256)?.hash()?,
            root: self.optional(root).map(Line::hash).transpose()?,
        })
    }
}

impl Line<'_> {
    fn text(self) -> Result<String, ReceiptError> {
        if self.value.is_empty() || self.value.contains(char::is_control) {
            return Err(ReceiptError::Text { key: self.key.to_owned(), text: self.value.to_owned() });
        }
        Ok(self.value.to_owned())
    }

    fn number(self) -> Result<u64, ReceiptError> {
        self.to_number(self.value)
    }

    fn hash(self) -> Result<Hash, ReceiptError> {
        self.to_hash(self.value)
    }

    fn heights(self) -> Result<(u64, u64), ReceiptError> {
        let [first, last] = self.values()?;
        Ok((self.to_number(first)?, self.to_number(last)?))
    }

    fn checkpoint(self) -> Result<Checkpoint, ReceiptError> {
        let [origin, size, root] = self.values()?;
        let checkpoint = Checkpoint::new(origin, self.to_number(size)?, self.to_hash(root)?);
        checkpoint.map_err(|source| ReceiptError::Checkpoint { line: self.number, source })
    }

    fn values<const N: usize>(&self) -> Result<[&str; N], ReceiptError> {
        let values: Vec<&str> = self.value.splitn(N + 1, ' ').collect();
        values.try_into().map_err(|_| ReceiptError::Values { line: self.number, expected: N })
    }

    fn to_number(&self, text: &str) -> Result<u64, ReceiptError> {
        decimal(text).map_err(|source| ReceiptError::Number { line: self.number, source })
    }

    fn to_hash(&self, text: &str) -> Result<Hash, ReceiptError> {
        let mut hash = [0; 32];
        let is_hex =
            !text.contains(|letter: char| letter.is_ascii_uppercase()) && hex::decode_to_slice(text, &mut hash).is_ok();
        if is_hex { Ok(hash) } else { Err(ReceiptError::Hash { line: self.number, text: text.to_owned() }) }
    }
}

fn unexpected(place: usize, line: &str, expected: &str) -> ReceiptError {
    let word = line.split(' ').next().unwrap_or_default();
    ReceiptError::Unexpected { line: place + 1, expected: expected.to_owned(), actual: word.to_owned() }
}
