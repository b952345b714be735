//! Words of a peer, fit for a log line.

use super::limits::WORDS_BYTES_MAX;

/// A text of bounded length in one line without control characters, whoever wrote it.
#[must_use]
pub fn words(text: &str) -> String {
    let mut words = String::new();
    for character in text.chars().map(|each| if each.is_control() { ' ' } else { each }) {
        if words.len() + character.len_utf8() > WORDS_BYTES_MAX {
            break;
        }
        words.push(character);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_peer_fit_into_a_log_line() {
        assert_eq!(words("a\nb\u{1b}[31m\u{e4}"), "a b [31m\u{e4}");
        let long = words(&"\u{20ac}".repeat(1_000));
        assert_eq!(long.len(), WORDS_BYTES_MAX / 3 * 3);
    }
}
