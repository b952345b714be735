//! Looks up single strings in a TOML file, with the place where each stands in the text.
//!
//! It only reads. Keys are compared without regard to case, because the nodes' configuration library does so too.

use std::ops::Range;

use toml_edit::{Document, Item, Iter, TomlError};

/// What is wrong in a TOML text, and in which line (from 1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct TomlFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there, in lower case without a full stop.
    pub reason: String,
}

/// A string found in a TOML text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The string itself, escapes resolved.
    pub value: String,
    /// Bytes of the text that spell it, quotes included.
    pub span: Range<usize>,
}

/// A parsed TOML text.
pub(super) struct TomlText<'a> {
    text: &'a str,
    document: Document<&'a str>,
}

impl<'a> TomlText<'a> {
    /// Parses a text as strictly as the nodes do: a key that is given twice is a fault.
    pub fn parse(text: &'a str) -> Result<Self, TomlFault> {
        let document = Document::parse(text).map_err(|error| syntax_fault(text, &error))?;
        Ok(Self { text, document })
    }

    /// The string `key` at the top level.
    pub fn top(&self, key: &str) -> Result<Option<Found>, TomlFault> {
        self.find(self.document.iter(), key)
    }

    /// The string `key` in the table `[table]`.
    pub fn within(&self, table: &str, key: &str) -> Result<Option<Found>, TomlFault> {
        let inner = self.item(self.document.iter(), table)?.and_then(Item::as_table_like);
        inner.map_or(Ok(None), |inner| self.find(inner.iter(), key))
    }

    fn find(&self, table: Iter<'_>, key: &str) -> Result<Option<Found>, TomlFault> {
        let Some(item) = self.item(table, key)? else { return Ok(None) };
        let found = item.as_str().zip(item.span()).map(|(value, span)| Found { value: value.to_owned(), span });
        match found {
            Some(found) => Ok(Some(found)),
            None => Err(self.fault(item.span().map_or(0, |span| span.start), format!("`{key}` is not a string"))),
        }
    }

    fn item<'t>(&self, table: Iter<'t>, key: &str) -> Result<Option<&'t Item>, TomlFault> {
        let mut spellings = table.filter(|(name, _)| name.eq_ignore_ascii_case(key));
        let Some((_, item)) = spellings.next() else { return Ok(None) };
        match spellings.next() {
            None => Ok(Some(item)),
            Some((other, twin)) => {
                let start = twin.span().map_or(0, |span| span.start);
                Err(self.fault(start, format!("`{key}` is given twice, the second time as `{other}`")))
            }
        }
    }

    fn fault(&self, offset: usize, reason: String) -> TomlFault {
        TomlFault { line: line_of(self.text, offset), reason }
    }
}

/// The line (from 1) in which byte `offset` lies.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

fn syntax_fault(text: &str, error: &TomlError) -> TomlFault {
    let line = line_of(text, error.span().map_or(0, |span| span.start));
    TomlFault { line, reason: error.message().trim().replace('\n', ", ") }
}

#[cfg(test)]
mod tests {
    use super::TomlText;

    #[test]
    fn strings_are_found_with_their_place() {
        let text = "a = 1\n'Db_Backend' = 'x' # why\n[tx_index]\nindexer = \"kv\"\n";
        let toml = TomlText::parse(text).expect("parses");
        let found = toml.top("db_backend").expect("no fault").expect("is there");
        assert_eq!((found.value.as_str(), &text[found.span]), ("x", "'x'"));
        let found = toml.within("tx_index", "indexer").expect("no fault").expect("is there");
        assert_eq!((found.value.as_str(), &text[found.span]), ("kv", "\"kv\""));
        let inline = TomlText::parse("tx_index = { indexer = 'null' }").expect("parses");
        assert_eq!(
            inline.within("tx_index", "indexer").expect("no fault").map(|found| found.value).as_deref(),
            Some("null")
        );
        assert_eq!(toml.top("indexer").expect("no fault"), None);
        assert_eq!(toml.within("storage", "indexer").expect("no fault"), None);
    }

    #[test]
    fn faults_name_the_line() {
        let fault = |text: &str| match TomlText::parse(text).map(|toml| toml.top("key")) {
            Err(fault) | Ok(Err(fault)) => fault,
            Ok(Ok(found)) => panic!("no fault: {found:?}"),
        };
        assert_eq!(fault("a = 1\nb = = 2\n").line, 2);
        assert_eq!(fault("key = 'x'\n\nkey = 'y'\n").line, 3);
        assert_eq!(fault("\n\n\nkey = 7\n").to_string(), "line 4: `key` is not a string");
        assert_eq!(fault("key = 'x'\nKEY = 'y'\n").line, 2);
        assert_eq!(fault("x = 'unclosed\ny = 1\n").line, 1);
    }
}
