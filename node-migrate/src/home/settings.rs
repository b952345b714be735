//! Rewrites one setting in the text of a configuration file: its value changes, every other byte stays.
//!
//! It is pure. The new value replaces exactly the bytes that spell the old one; nothing is parsed and printed again, so comments, order,
//! blank lines, line ends and odd spacing cannot move. Only a key that is missing costs a new line: the first of the file, where a
//! top-level key is valid whatever follows.

use super::setting::Setting;
use super::toml_text::{TomlFault, TomlText};

/// What a rewrite came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rewritten {
    /// The setting has the value already.
    NoChange,
    /// The new text.
    Changed(String),
}

impl Rewritten {
    /// The text after the rewrite, given the one before.
    #[must_use]
    pub fn or(self, original: &str) -> String {
        match self {
            Self::NoChange => original.to_owned(),
            Self::Changed(text) => text,
        }
    }
}

/// The value of `setting` in `text`: `None` when the key is missing; an empty string means the node's fallback.
///
/// # Errors
/// When the text is not TOML, or the value is not a string.
pub fn read(text: &str, setting: Setting) -> Result<Option<String>, TomlFault> {
    Ok(TomlText::parse(text)?.top(setting.key())?.map(|found| found.value))
}

/// The text with `setting` changed to `value`.
///
/// # Errors
/// When the text is not TOML (also for a key given twice), or the present value is not a string.
pub fn rewrite(text: &str, setting: Setting, value: &str) -> Result<Rewritten, TomlFault> {
    let quoted = toml_edit::Value::from(value).to_string();
    let Some(found) = TomlText::parse(text)?.top(setting.key())? else {
        return Ok(Rewritten::Changed(with_first_line(text, &format!("{} = {quoted}", setting.key()))));
    };
    if found.value == value {
        return Ok(Rewritten::NoChange);
    }
    let (before, rest) = text.split_at(found.span.start);
    let after = rest.get(found.span.len()..).unwrap_or_default();
    Ok(Rewritten::Changed([before, &quoted, after].concat()))
}

/// Puts `line` before everything but a byte order mark, with the line end that the text uses.
fn with_first_line(text: &str, line: &str) -> String {
    const MARK: &str = "\u{feff}";
    let (mark, rest) = text.strip_prefix(MARK).map_or(("", text), |rest| (MARK, rest));
    let first_end = text.find('\n').and_then(|end| text.get(..end));
    let line_end = if first_end.is_some_and(|first| first.ends_with('\r')) { "\r\n" } else { "\n" };
    [mark, line, line_end, rest].concat()
}

#[cfg(test)]
mod tests {
    use super::super::setting::Setting;
    use super::{Rewritten, read, rewrite};

    /// Rewrites, and holds the outcome against `expected` and the rules that hold for every rewrite.
    fn check(text: &str, setting: Setting, expected: &str) {
        let changed = rewrite(text, setting, "pebbledb").expect("rewrites").or(text);
        assert_eq!(changed, expected);
        assert_eq!(read(&changed, setting).expect("reads").as_deref(), Some("pebbledb"));
        assert_eq!(rewrite(&changed, setting, "pebbledb").expect("rewrites"), Rewritten::NoChange);
    }

    #[test]
    fn only_the_value_changes() {
        check("db_backend = \"goleveldb\"\n", Setting::DbBackend, "db_backend = \"pebbledb\"\n");
        check(
            "# db_backend = \"a\"\r\n\r\ndb_backend='goleveldb'\t# why\r\n",
            Setting::DbBackend,
            "# db_backend = \"a\"\r\n\r\ndb_backend=\"pebbledb\"\t# why\r\n",
        );
        check("x = 1\n\"db_backend\"   =\"\"", Setting::DbBackend, "x = 1\n\"db_backend\"   =\"pebbledb\"");
        check("app-db-backend = '''a\nb'''\n[p]\n", Setting::AppDbBackend, "app-db-backend = \"pebbledb\"\n[p]\n");
        check("'é' = 'ü'\nDB_BACKEND = 'x'\n", Setting::DbBackend, "'é' = 'ü'\nDB_BACKEND = \"pebbledb\"\n");
    }

    #[test]
    fn a_key_inside_a_table_is_another_key() {
        let text = "[storage]\ndb_backend = \"goleveldb\"\n";
        check(text, Setting::DbBackend, &format!("db_backend = \"pebbledb\"\n{text}"));
    }

    #[test]
    fn a_missing_key_becomes_the_first_line() {
        check("", Setting::DbBackend, "db_backend = \"pebbledb\"\n");
        check("# a\r\nb = 1\r\n", Setting::AppDbBackend, "app-db-backend = \"pebbledb\"\r\n# a\r\nb = 1\r\n");
        check("\u{feff}[p]\n", Setting::DbBackend, "\u{feff}db_backend = \"pebbledb\"\n[p]\n");
    }

    #[test]
    fn what_is_not_clear_is_refused_with_its_line() {
        let line = |text: &str| rewrite(text, Setting::DbBackend, "pebbledb").expect_err("must refuse").line;
        assert_eq!(line("a = 1\ndb_backend = 'x'\ndb_backend = 'y'\n"), 3);
        assert_eq!(line("a = 1\ndb_backend = 'x'\nDb_Backend = 'y'\n"), 3);
        assert_eq!(line("\ndb_backend = [1]\n"), 2);
        assert_eq!(line("\n\ndb_backend = goleveldb\n"), 3);
    }

    #[test]
    fn a_value_is_quoted_as_it_needs() {
        let changed = rewrite("db_backend = 'x'", Setting::DbBackend, "a\"\\\n").expect("rewrites").or("");
        assert_eq!(read(&changed, Setting::DbBackend).expect("reads").as_deref(), Some("a\"\\\n"));
    }
}
