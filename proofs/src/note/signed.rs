//! A note as it is written: its text and signature lines, not yet verified.

use crate::encoding::{Base64Error, decode, encode};

use super::key::is_key_name;

/// Longest note, as in Go's `sumdb/note`.
const NOTE_BYTES_MAX: usize = 1_000_000;

/// Most signatures of a note, as in Go's `sumdb/note`; at least 16 must be taken.
const SIGNATURES_MAX: usize = 100;

/// A note whose signatures nobody has checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    pub id: u32,
    /// What the key's algorithm made.
    pub signature: Vec<u8>,
}

/// Why bytes are not a note.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Longer than a note may be.
    #[error("note of {bytes} bytes is longer than {NOTE_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("note is not UTF-8 from byte {offset}")]
    NotUtf8 {
        /// Where it stops being.
        offset: usize,
    },
    /// A control character other than a newline.
    #[error("note has control character {code:#04x} at byte {offset}")]
    Control {
        /// Where.
        offset: usize,
        /// The character.
        code: u8,
    },
    /// No blank line between text and signatures.
    #[error("note has no blank line before its signatures")]
    NoSeparator,
    /// No line after the blank line.
    #[error("note has no signatures")]
    NoSignatures,
    /// More signatures than a note may have.
    #[error("note has more than {SIGNATURES_MAX} signatures")]
    TooManySignatures,
    /// The last line does not end in a newline.
    #[error("note does not end in a newline")]
    Truncated,
    /// The text to be signed is empty or does not end in a newline.
    #[error("text of a note must end in a newline")]
    TextEnd,
    /// A signature line is not one.
    #[error("signature line {line} {source}")]
    SignatureLine {
        /// Its number after the blank line, from 1.
        line: usize,
        /// Why.
        source: SignatureLineError,
    },
}

/// Why a line is not a signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureLineError {
    /// It does not begin with an em dash and a space.
    #[error("does not begin with an em dash and a space")]
    Prefix,
    /// It has no key name and base64 divided by one space.
    #[error("is not a key name, a space and base64")]
    Shape,
    /// The name of the key is none.
    #[error("has the bad key name {name:?}")]
    Name {
        /// The name.
        name: String,
    },
    /// The base64 is none.
    #[error("has bad base64: {source}")]
    Base64 {
        /// Why.
        source: Base64Error,
    },
    /// The signature is shorter than a key id and one byte.
    #[error("has a signature of only {bytes} bytes")]
    Short {
        /// Its length, key id included.
        bytes: usize,
    },
}

impl Note {
    /// A note without signatures.
    ///
    /// # Errors
    /// [`NoteError::TextEnd`], [`NoteError::Control`] or [`NoteError::TooLong`].
    pub(crate) fn unsigned(text: String) -> Result<Self, NoteError> {
        check_characters(&text)?;
        if !text.ends_with('\n') {
            return Err(NoteError::TextEnd);
        }
        // Signature lines come on top; notes this long could not be read again.
        if text.len() > NOTE_BYTES_MAX / 2 {
            return Err(NoteError::TooLong { bytes: text.len() });
        }
        Ok(Self { text, signatures: Vec::new() })
    }

    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { bytes: bytes.len() });
        }
        let note = str::from_utf8(bytes).map_err(|error| NoteError::NotUtf8 { offset: error.valid_up_to() })?;
        check_characters(note)?;
        let (before, lines) = note.rsplit_once("\n\n").ok_or(NoteError::NoSeparator)?;
        if lines.is_empty() {
            return Err(NoteError::NoSignatures);
        }
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Truncated)?;
        let mut signatures = Vec::new();
        for (place, line) in lines.split('\n').enumerate() {
            if place == SIGNATURES_MAX {
                return Err(NoteError::TooManySignatures);
            }
            let signature = NoteSignature::parse(line);
            signatures.push(signature.map_err(|source| NoteError::SignatureLine { line: place + 1, source })?);
        }
        Ok(Self { text: format!("{before}\n"), signatures })
    }

    /// The text, which means nothing before [`Note::open`] says who signed it.
    #[must_use]
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line, in place of an earlier one by the same key.
    pub(super) fn add(&mut self, line: NoteSignature) {
        self.signatures.retain(|earlier| earlier.name != line.name || earlier.id != line.id);
        self.signatures.push(line);
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(formatter, "{signature}"))
    }
}

impl NoteSignature {
    /// Reads a signature line without its newline.
    ///
    /// # Errors
    /// [`SignatureLineError`].
    pub fn parse(line: &str) -> Result<Self, SignatureLineError> {
        let line = line.strip_prefix("\u{2014} ").ok_or(SignatureLineError::Prefix)?;
        let (name, base64) = line.split_once(' ').ok_or(SignatureLineError::Shape)?;
        if !is_key_name(name) {
            return Err(SignatureLineError::Name { name: name.to_owned() });
        }
        let bytes = decode(base64).map_err(|source| SignatureLineError::Base64 { source })?;
        match bytes.split_first_chunk() {
            Some((id, signature)) if !signature.is_empty() => {
                Ok(Self { name: name.to_owned(), id: u32::from_be_bytes(*id), signature: signature.to_vec() })
            }
            _ => Err(SignatureLineError::Short { bytes: bytes.len() }),
        }
    }
}

impl std::fmt::Display for NoteSignature {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let blob = [&self.id.to_be_bytes(), self.signature.as_slice()].concat();
        write!(formatter, "\u{2014} {} {}", self.name, encode(&blob))
    }
}

fn check_characters(text: &str) -> Result<(), NoteError> {
    match text.bytes().position(|byte| byte < 0x20 && byte != b'\n') {
        Some(offset) => Err(NoteError::Control { offset, code: text.as_bytes()[offset] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "\u{2014} name AAAAAQI=";

    #[test]
    fn text_ends_at_the_last_blank_line() {
        let bytes = format!("a\n\nb\n\n{LINE}\n\u{2014} other AAAAAgM=\n");
        let note = Note::parse(bytes.as_bytes()).expect("a note");
        assert_eq!(note.unverified_text(), "a\n\nb\n");
        let names: Vec<_> = note.signatures().iter().map(|line| (line.name.as_str(), line.id)).collect();
        assert_eq!(names, [("name", 1), ("other", 2)]);
        assert_eq!(note.to_string(), bytes);
    }

    #[test]
    fn each_hostile_note_has_its_reason() {
        let parse = |text: &str| Note::parse(text.as_bytes()).expect_err("a hostile note");
        assert_eq!(parse(""), NoteError::NoSeparator);
        assert_eq!(parse(&format!("a\n{LINE}\n")), NoteError::NoSeparator);
        assert_eq!(parse("a\n\n"), NoteError::NoSignatures);
        assert_eq!(parse(&format!("a\n\n{LINE}")), NoteError::Truncated);
        assert_eq!(parse(&format!("a\r\n\n{LINE}\n")), NoteError::Control { offset: 1, code: 13 });
        assert_eq!(parse(&format!("a\n\n{}", format!("{LINE}\n").repeat(101))), NoteError::TooManySignatures);
        assert_eq!(Note::parse(b"a\xff\n\n"), Err(NoteError::NotUtf8 { offset: 1 }));
        assert_eq!(Note::parse(&vec![b'a'; 1_000_001]), Err(NoteError::TooLong { bytes: 1_000_001 }));
        assert_eq!(Note::unsigned("a".to_owned()), Err(NoteError::TextEnd));
        assert_eq!(Note::unsigned(String::new()), Err(NoteError::TextEnd));
        assert_eq!(Note::unsigned("a\tb\n".to_owned()), Err(NoteError::Control { offset: 1, code: 9 }));
    }

    #[test]
    fn each_hostile_signature_line_has_its_reason() {
        let parse = |line: &str| match Note::parse(format!("a\n\n{LINE}\n{line}\n").as_bytes()) {
            Err(NoteError::SignatureLine { line: 2, source }) => source,
            other => panic!("{line:?} gave {other:?}"),
        };
        assert_eq!(parse("- name AAAAAQI="), SignatureLineError::Prefix);
        assert_eq!(parse("\u{2014}name AAAAAQI="), SignatureLineError::Prefix);
        assert_eq!(parse("\u{2014} nameAAAAAQI="), SignatureLineError::Shape);
        assert_eq!(parse("\u{2014}  AAAAAQI="), SignatureLineError::Name { name: String::new() });
        assert_eq!(parse("\u{2014} a+b AAAAAQI="), SignatureLineError::Name { name: "a+b".to_owned() });
        let spaced = SignatureLineError::Name { name: "a\u{2003}b".to_owned() };
        assert_eq!(parse("\u{2014} a\u{2003}b AAAAAQI="), spaced);
        let base64 = |source| SignatureLineError::Base64 { source };
        assert_eq!(parse("\u{2014} name AAAAAQJ="), base64(Base64Error::NotCanonical));
        assert_eq!(parse("\u{2014} name AAAAAQI"), base64(Base64Error::Length { length: 7 }));
        assert_eq!(parse("\u{2014} name AAAAAQI= "), base64(Base64Error::Length { length: 9 }));
        assert_eq!(parse("\u{2014} name AAAAAQ=="), SignatureLineError::Short { bytes: 4 });
        assert_eq!(parse("\u{2014} name "), SignatureLineError::Short { bytes: 0 });
    }

    proptest::proptest! {
        #[test]
        fn hostile_bytes_never_panic_and_notes_have_one_spelling(
            bytes in proptest::string::bytes_regex("(?s-u:[a\n+ ]{0,4})\n\n(\u{2014} [a+]{0,2} [AQI=]{0,8}\n){0,3}.?")
                .expect("a pattern")
        ) {
            if let Ok(note) = Note::parse(&bytes) {
                proptest::prop_assert_eq!(note.to_string().into_bytes(), bytes);
            }
        }
    }
}
