//! Lines of a log: what happened, when, and its particulars by name; the same for people and programs.

use serde_json::{Map, Value, json};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// As it should be.
    Info,
    /// Somebody should look at it.
    Warn,
}

/// A line.
pub(crate) struct Line<'a> {
    /// RFC 3339.
    pub time: String,
    /// How much it matters.
    pub level: Level,
    /// What happened, in a word or two.
    pub event: &'a str,
    /// Its particulars.
    pub fields: Vec<(&'static str, Value)>,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
        }
    }
}

impl Line<'_> {
    /// One object of JSON.
    pub(super) fn json(&self) -> Value {
        let mut object = Map::new();
        for (name, value) in [
            ("type", json!("log")),
            ("time", json!(self.time)),
            ("level", json!(self.level.name())),
            ("event", json!(self.event)),
        ] {
            object.insert(name.to_owned(), value);
        }
        object.extend(self.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Value::Object(object)
    }

    /// `time level event name=value ...`; a value with spaces stands in quotes.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} {} {}", self.time, self.level.name(), self.event);
        for (name, value) in &self.fields {
            let plain = value.as_str().filter(|value| !value.is_empty() && value.chars().all(is_plain));
            match plain {
                Some(value) => text.push_str(&format!(" {name}={value}")),
                None => text.push_str(&format!(" {name}={value}")),
            }
        }
        text
    }
}

fn is_plain(character: char) -> bool {
    character.is_ascii_graphic() && !matches!(character, '"' | '=' | '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_the_same_to_people_and_programs() {
        let fields = vec![("peer", json!("a@b:1")), ("height", json!(7)), ("reason", json!("two words\n\"quoted\""))];
        let line = Line { time: "2026-01-01T00:00:00Z".to_owned(), level: Level::Warn, event: "closed", fields };
        let expected = r#"2026-01-01T00:00:00Z warn closed peer=a@b:1 height=7 reason="two words\n\"quoted\"""#;
        assert_eq!(line.text(), expected);
        let expected = json!({
            "type": "log", "time": "2026-01-01T00:00:00Z", "level": "warn", "event": "closed", "peer": "a@b:1", "height": 7,
            "reason": "two words\n\"quoted\"",
        });
        assert_eq!(line.json(), expected);
    }
}
