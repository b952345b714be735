//! Short printable texts, safe for a log line and a terminal whoever sent them.

/// A text of 1 to `LIMIT` printable ASCII characters, the space among them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Printable<const LIMIT: usize>(String);

/// The id of a chain; the limit is CometBFT's (types/genesis.go).
pub type ChainId = Printable<50>;

/// The program and release of a node.
pub type Agent = Printable<64>;

impl<const LIMIT: usize> Printable<LIMIT> {
    /// Most characters.
    pub const MAX: usize = LIMIT;

    /// Checks a text.
    ///
    /// # Errors
    /// The length of a text that is not one.
    pub fn new(text: impl Into<String>) -> Result<Self, usize> {
        let text = text.into();
        let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if is_printable && (1..=LIMIT).contains(&text.len()) { Ok(Self(text)) } else { Err(text.len()) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const LIMIT: usize> std::fmt::Display for Printable<LIMIT> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
