//! What a verification says: counts, findings with what to do about each, and what was not looked at.
//!
//! A report holds no time and no duration: two verifications of the same databases say the same.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::what::What;

/// The result of a verification. It passed when [`Report::findings`] is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What each layer checked.
    pub layers: Vec<Layer>,
    /// The databases read, by name.
    pub databases: Vec<DatabaseCounts>,
    /// The heights of the chain, when the block store could be read.
    pub heights: Option<Heights>,
    /// Signatures checked.
    pub signatures: Signatures,
    /// What is wrong: the first of each kind, by database, height and key.
    pub findings: Vec<Finding>,
    /// How many findings there are in all.
    pub findings_total: u64,
    /// Findings that are explained by what the operator quarantined: the first of each kind.
    pub exceptions: Vec<Finding>,
    /// How many exceptions there are in all.
    pub exceptions_total: u64,
    /// What is odd and legitimate.
    pub remarks: Vec<String>,
    /// What these databases did not allow to check, or what no check here covers.
    pub not_checked: Vec<String>,
    /// A few blocks in words, to compare with an explorer.
    pub sample: Vec<String>,
}

/// Findings of one kind that a report keeps; the others are counted.
pub const FINDINGS_OF_A_KIND: usize = 100;

/// One layer of the verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// Its number.
    pub number: u8,
    /// What it shows.
    pub name: &'static str,
    /// How many of what it checked.
    pub checked: BTreeMap<&'static str, u64>,
}

/// What a database holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DatabaseCounts {
    /// The database.
    pub name: String,
    /// Rows.
    pub keys: u64,
    /// Bytes of the keys.
    pub key_bytes: u64,
    /// Bytes of the values.
    pub value_bytes: u64,
    /// Rows by class of key.
    pub classes: BTreeMap<&'static str, u64>,
    /// Whether every shard equals what was read from the source; `None` without a source.
    pub equals_source: Option<bool>,
}

/// The heights of the stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Heights {
    /// First block of the block store.
    pub base: u64,
    /// Last block of the block store.
    pub tip: u64,
    /// Height of the state, when there is one.
    pub state: Option<u64>,
}

/// Signatures of votes and of vote extensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Signatures {
    /// Signatures checked.
    pub checked: u64,
    /// Signatures that a second record holds too, checked once.
    pub deduplicated: u64,
}

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The database.
    pub database: String,
    /// The key, as text where it is printable, in hex otherwise.
    pub key: String,
    /// The height that is hit, where there is one.
    pub height: Option<u64>,
    /// What was checked.
    pub what: What,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub actual: String,
    /// What to do.
    pub remedy: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, key {}", self.database, self.key)?;
        if let Some(height) = self.height {
            write!(f, ", height {height}")?;
        }
        let Self { what, expected, actual, remedy, .. } = self;
        write!(f, ": {what}: expected {expected}, actual {actual}; {remedy}")
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layer {}, {}:", self.number, self.name)?;
        if self.checked.values().all(|count| *count == 0) {
            return f.write_str(" nothing to check");
        }
        for (at, (what, count)) in self.checked.iter().filter(|(_, count)| **count > 0).enumerate() {
            write!(f, "{} {count} {what}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// A key for people: as it is when printable, else in hex; long ones are cut.
#[must_use]
pub fn printable(key: &[u8]) -> String {
    const SHOWN: usize = 96;
    let shown = key.get(..SHOWN).unwrap_or(key);
    let is_text = !key.is_empty() && shown.iter().all(|byte| byte.is_ascii_graphic());
    let text = if is_text { String::from_utf8_lossy(shown).into_owned() } else { format!("0x{}", hex::encode(shown)) };
    if key.len() > SHOWN { format!("{text}... ({} bytes)", key.len()) } else { text }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn keys_are_shown_as_text_or_hex_and_never_at_length() {
        assert_eq!(printable(b"SC:17"), "SC:17");
        assert_eq!(printable(&[0x80, 0x81]), "0x8081");
        assert_eq!(printable(b"a b"), "0x612062");
        assert_eq!(printable(b""), "0x");
        assert_eq!(printable(&[b'x'; 97]), format!("{}... (97 bytes)", "x".repeat(96)));
    }
}
