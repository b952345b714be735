//! The keys of signed notes and their text forms.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::encoding::{Base64Error, decode, encode};

const SIGNER_PREFIX: &str = "PRIVATE+KEY+";

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// The text of the note.
    Ed25519,
    /// A checkpoint, together with the time of signing, by a witness.
    Cosignature,
}

impl Algorithm {
    const fn code(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// Why text is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteKeyError {
    /// The parts between the plus signs are not there.
    #[error("key is not made of a name, a key id and base64, joined by \"+\"")]
    Shape,
    /// A private key that does not say so.
    #[error("private key does not begin with \"PRIVATE+KEY+\"")]
    NotPrivate,
    /// The name is empty, or has spaces, control characters or plus signs.
    #[error("key name {name:?} is empty or has spaces, control characters or \"+\"")]
    Name {
        /// The name.
        name: String,
    },
    /// The key id is not eight lower-case hex digits.
    #[error("key id {text:?} is not eight lower-case hex digits")]
    IdText {
        /// The text in its place.
        text: String,
    },
    /// The key id is not that of the name and key.
    #[error("key id is {actual:08x}, but name and key give {expected:08x}")]
    Id {
        /// What name and key give.
        expected: u32,
        /// What is written.
        actual: u32,
    },
    /// The key is not base64.
    #[error("key: {source}")]
    Base64 {
        /// Why.
        source: Base64Error,
    },
    /// The key has another length than one byte and 32.
    #[error("key has {actual} bytes instead of 33")]
    Length {
        /// Bytes there.
        actual: usize,
    },
    /// The algorithm is none of those known here.
    #[error("key is for the unknown algorithm {code:#04x}")]
    Algorithm {
        /// Its code.
        code: u8,
    },
    /// The public key is not a point, or one for which anybody can sign.
    #[error("public key is not a point of large order")]
    Point,
}

/// Who signs notes: a name and a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    algorithm: Algorithm,
    key: VerifyingKey,
}

impl VerifierKey {
    /// Names a public key.
    ///
    /// # Errors
    /// [`NoteKeyError::Name`] or [`NoteKeyError::Point`].
    pub fn new(name: &str, algorithm: Algorithm, public: &[u8; 32]) -> Result<Self, NoteKeyError> {
        if !is_key_name(name) {
            return Err(NoteKeyError::Name { name: name.to_owned() });
        }
        let key = VerifyingKey::from_bytes(public).map_err(|_| NoteKeyError::Point)?;
        if key.is_weak() {
            return Err(NoteKeyError::Point);
        }
        Ok(Self { name: name.to_owned(), id: key_id(name, algorithm, public), algorithm, key })
    }

    /// Reads a vkey.
    ///
    /// # Errors
    /// [`NoteKeyError`] but [`NoteKeyError::NotPrivate`].
    pub fn parse(text: &str) -> Result<Self, NoteKeyError> {
        let parts = KeyText::parse(text)?;
        let key = Self::new(parts.name, parts.algorithm, &parts.key)?;
        parts.check_id(key.id)?;
        Ok(key)
    }

    /// The name, which is also a log's origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// What the key signs.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) const fn key(&self) -> &VerifyingKey {
        &self.key
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&key_text(&self.name, self.id, self.algorithm, self.key.as_bytes()))
    }
}

/// The secret half. Its debug output shows the public half only; its memory is cleared when dropped.
#[derive(Clone)]
pub struct SignerKey {
    public: VerifierKey,
    secret: SigningKey,
}

impl SignerKey {
    /// Names a secret key. `seed` must be 32 random bytes.
    ///
    /// # Errors
    /// [`NoteKeyError::Name`].
    pub fn from_seed(name: &str, algorithm: Algorithm, seed: &[u8; 32]) -> Result<Self, NoteKeyError> {
        let secret = SigningKey::from_bytes(seed);
        let public = VerifierKey::new(name, algorithm, secret.verifying_key().as_bytes())?;
        Ok(Self { public, secret })
    }

    /// Reads an skey.
    ///
    /// # Errors
    /// [`NoteKeyError`].
    pub fn parse(text: &str) -> Result<Self, NoteKeyError> {
        let parts = KeyText::parse(text.strip_prefix(SIGNER_PREFIX).ok_or(NoteKeyError::NotPrivate)?)?;
        let key = Self::from_seed(parts.name, parts.algorithm, &parts.key)?;
        parts.check_id(key.public.id)?;
        Ok(key)
    }

    /// The skey: whoever reads it can sign. Nothing else gives the secret away.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        let public = &self.public;
        let text = key_text(&public.name, public.id, public.algorithm, self.secret.as_bytes());
        format!("{SIGNER_PREFIX}{text}")
    }

    /// The public half.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.public
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

impl std::fmt::Debug for SignerKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SignerKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Whether `name` can name a key: not empty, no Unicode space, no control character, no plus sign.
pub(crate) fn is_key_name(name: &str) -> bool {
    let forbidden = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
    !name.is_empty() && !name.contains(forbidden)
}

/// The parts of a vkey, or of an skey after its prefix; the name and id are not checked yet.
struct KeyText<'a> {
    name: &'a str,
    id: u32,
    algorithm: Algorithm,
    key: [u8; 32],
}

impl<'a> KeyText<'a> {
    fn parse(text: &'a str) -> Result<Self, NoteKeyError> {
        // Base64 may hold further plus signs.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id_text), Some(base64)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteKeyError::Shape);
        };
        let is_hex = id_text.len() == 8 && id_text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let id = u32::from_str_radix(id_text, 16).ok().filter(|_| is_hex);
        let id = id.ok_or_else(|| NoteKeyError::IdText { text: id_text.to_owned() })?;
        let bytes = decode(base64).map_err(|source| NoteKeyError::Base64 { source })?;
        let length = NoteKeyError::Length { actual: bytes.len() };
        let Some((code, key)) = bytes.split_first() else { return Err(length) };
        let algorithm = Algorithm::from_code(*code).ok_or(NoteKeyError::Algorithm { code: *code })?;
        let key = key.try_into().map_err(|_| length)?;
        Ok(Self { name, id, algorithm, key })
    }

    const fn check_id(&self, expected: u32) -> Result<(), NoteKeyError> {
        if self.id == expected { Ok(()) } else { Err(NoteKeyError::Id { expected, actual: self.id }) }
    }
}

fn key_text(name: &str, id: u32, algorithm: Algorithm, key: &[u8; 32]) -> String {
    let mut bytes = [0; 33];
    bytes[0] = algorithm.code();
    bytes[1..].copy_from_slice(key);
    format!("{name}+{id:08x}+{}", encode(&bytes))
}

fn key_id(name: &str, algorithm: Algorithm, public: &[u8; 32]) -> u32 {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', algorithm.code()]).chain_update(public).finalize();
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Go's `golang.org/x/mod/sumdb/note` (its package documentation and tests).
    const GO_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const GO_SKEY: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

    #[test]
    fn the_keys_of_go_are_read_and_written_as_they_are() {
        let public = VerifierKey::parse(GO_VKEY).expect("a vkey");
        assert_eq!((public.name(), public.id()), ("PeterNeumann", 0xc74f_20a3));
        assert_eq!(public.to_string(), GO_VKEY);
        let secret = SignerKey::parse(GO_SKEY).expect("an skey");
        assert_eq!(secret.verifier(), &public);
        assert_eq!(secret.to_secret_text(), GO_SKEY);
    }

    #[test]
    fn each_hostile_key_has_its_reason() {
        let parse = |text: &str| VerifierKey::parse(text).expect_err("a hostile key");
        assert_eq!(parse("PeterNeumann"), NoteKeyError::Shape);
        assert_eq!(parse("PeterNeumann+c74f20a3"), NoteKeyError::Shape);
        assert_eq!(parse(&GO_VKEY.replace("PeterNeumann", "")), NoteKeyError::Name { name: String::new() });
        let spaced = NoteKeyError::Name { name: "Peter\u{a0}Neumann".to_owned() };
        assert_eq!(parse(&GO_VKEY.replace("PeterNeumann", "Peter\u{a0}Neumann")), spaced);
        for text in ["C74F20A3", "c74f20a", "+74f20a3", "0c74f20a3"] {
            assert!(matches!(parse(&GO_VKEY.replace("c74f20a3", text)), NoteKeyError::IdText { .. }), "{text}");
        }
        let id = parse(&GO_VKEY.replace("c74f20a3", "c74f20a4"));
        assert_eq!(id, NoteKeyError::Id { expected: 0xc74f_20a3, actual: 0xc74f_20a4 });
        assert!(matches!(parse(&GO_VKEY.replace("Peter", "Pierre")), NoteKeyError::Id { .. }));
        let base64 = NoteKeyError::Base64 { source: Base64Error::Character { offset: 0 } };
        assert_eq!(parse(&GO_VKEY.replace("+ARpc", "+!Rpc")), base64);
        assert_eq!(parse(&GO_VKEY.replace("y10TW", "y")), NoteKeyError::Length { actual: 30 });
        assert_eq!(parse("PeterNeumann+c74f20a3+"), NoteKeyError::Length { actual: 0 });
        assert_eq!(parse(&GO_VKEY.replace("+ARpc", "+Ahpc")), NoteKeyError::Algorithm { code: 2 });
        let identity: [u8; 32] = std::array::from_fn(|place| u8::from(place == 0));
        assert_eq!(VerifierKey::new("n", Algorithm::Ed25519, &identity), Err(NoteKeyError::Point));
        assert_eq!(SignerKey::parse(GO_VKEY).expect_err("public"), NoteKeyError::NotPrivate);
    }

    #[test]
    fn debug_output_keeps_the_secret() {
        let secret = SignerKey::from_seed("name", Algorithm::Ed25519, &[0xab; 32]).expect("a name");
        let shown = format!("{secret:?}");
        assert!(!shown.contains("171, 171") && !shown.contains("abab"), "{shown}");
    }
}
