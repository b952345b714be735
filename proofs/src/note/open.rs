//! Whose signatures stand under a note: the only way from a [`Note`] to text that means something.

use ed25519_dalek::Signature;

use super::key::{Algorithm, SignerKey, VerifierKey};
use super::signed::{Note, NoteSignature};

/// A text and the known keys that signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened<'a> {
    text: &'a str,
    signers: Vec<Signer<'a>>,
}

/// A known key that signed a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signer<'a> {
    /// The key.
    pub key: &'a VerifierKey,
    /// When it signed, in seconds since 1970, by its own account; only cosignatures say.
    pub time: Option<u64>,
}

/// Why nobody known vouches for a note.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// All signatures are by unknown keys, which are ignored.
    #[error("none of the {signatures} signatures is by a known key")]
    NoKnownKey {
        /// Signature lines of the note.
        signatures: usize,
    },
    /// A known key has two signature lines.
    #[error("key {name}+{id:08x} has more than one signature")]
    Duplicate {
        /// Name of the key.
        name: String,
        /// Id of the key.
        id: u32,
    },
    /// The signature of a known key has the wrong length for its algorithm.
    #[error("signature of {name}+{id:08x} has {actual} bytes instead of {expected}")]
    Length {
        /// Name of the key.
        name: String,
        /// Id of the key.
        id: u32,
        /// Bytes of a signature by its algorithm.
        expected: usize,
        /// Bytes there.
        actual: usize,
    },
    /// A cosignature says a time past 2^63 - 1.
    #[error("cosignature of {name}+{id:08x} has the impossible time {time}")]
    Time {
        /// Name of the key.
        name: String,
        /// Id of the key.
        id: u32,
        /// Seconds since 1970.
        time: u64,
    },
    /// The signature of a known key does not hold; then no other counts.
    #[error("signature of {name}+{id:08x} does not hold")]
    BadSignature {
        /// Name of the key.
        name: String,
        /// Id of the key.
        id: u32,
    },
}

impl<'a> Opened<'a> {
    /// The text, ending in a newline.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// Those who signed it, in the order of their lines; at least one.
    #[must_use]
    pub fn signers(&self) -> &[Signer<'a>] {
        &self.signers
    }
}

impl Note {
    /// Checks the signatures of all `known` keys; lines of other keys are ignored.
    ///
    /// # Errors
    /// [`OpenError`]: one bad signature of a known key condemns the note.
    pub fn open<'a>(&'a self, known: &'a [VerifierKey]) -> Result<Opened<'a>, OpenError> {
        let mut signers: Vec<Signer<'a>> = Vec::new();
        for line in self.signatures() {
            let Some(key) = known.iter().find(|key| key.name() == line.name && key.id() == line.id) else {
                continue;
            };
            if signers.iter().any(|signer| signer.key == key) {
                return Err(OpenError::Duplicate { name: line.name.clone(), id: line.id });
            }
            signers.push(Signer { key, time: check(key, self.unverified_text(), line)? });
        }
        if signers.is_empty() {
            return Err(OpenError::NoKnownKey { signatures: self.signatures().len() });
        }
        Ok(Opened { text: self.unverified_text(), signers })
    }

    /// Adds the signature of a log or an operator, or the cosignature of a witness at `time`, as the key's
    /// algorithm asks. Only those who make or check texts sign them.
    pub(crate) fn sign(&mut self, key: &SignerKey, time: u64) {
        let text = self.unverified_text();
        let signature = match key.verifier().algorithm() {
            Algorithm::Ed25519 => key.sign(text.as_bytes()).to_vec(),
            Algorithm::Cosignature => {
                let signature = key.sign(&cosigned_message(time, text));
                [&time.to_be_bytes()[..], &signature].concat()
            }
        };
        self.add(NoteSignature { name: key.verifier().name().to_owned(), id: key.verifier().id(), signature });
    }
}

/// Checks one signature of a known key, and gives the time that it says.
fn check(key: &VerifierKey, text: &str, line: &NoteSignature) -> Result<Option<u64>, OpenError> {
    let (name, id, actual) = (line.name.clone(), line.id, line.signature.len());
    match key.algorithm() {
        Algorithm::Ed25519 => {
            let signature = line.signature.as_slice().try_into();
            let signature = signature.map_err(|_| OpenError::Length { name, id, expected: 64, actual })?;
            holds(key, text.as_bytes(), &signature, line)?;
            Ok(None)
        }
        Algorithm::Cosignature => {
            let parts = line.signature.split_first_chunk();
            let parts = parts.and_then(|(time, signature)| Some((*time, signature.try_into().ok()?)));
            let Some((time, signature)) = parts else {
                return Err(OpenError::Length { name, id, expected: 72, actual });
            };
            let time = u64::from_be_bytes(time);
            if i64::try_from(time).is_err() {
                return Err(OpenError::Time { name, id, time });
            }
            holds(key, &cosigned_message(time, text), &signature, line)?;
            Ok(Some(time))
        }
    }
}

fn holds(key: &VerifierKey, message: &[u8], signature: &[u8; 64], line: &NoteSignature) -> Result<(), OpenError> {
    // The strict rule of dalek, unlike a chain's: these keys and signatures are made by tools like this one.
    let verdict = key.key().verify_strict(message, &Signature::from_bytes(signature));
    verdict.map_err(|_| OpenError::BadSignature { name: line.name.clone(), id: line.id })
}

fn cosigned_message(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(name: &str, algorithm: Algorithm) -> SignerKey {
        SignerKey::from_seed(name, algorithm, &[7; 32]).expect("a name")
    }

    fn note(text: &str, keys: &[&SignerKey]) -> Note {
        let mut note = Note::unsigned(text.to_owned()).expect("a text");
        keys.iter().for_each(|key| note.sign(key, 1_679_315_147));
        Note::parse(note.to_string().as_bytes()).expect("what was written is read")
    }

    #[test]
    fn a_note_of_go_opens() {
        // golang.org/x/mod/sumdb/note, package documentation.
        let key = VerifierKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        let text =
            "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let note = Note::parse(format!("{text}\n\u{2014} PeterNeumann {signature}\n").as_bytes()).expect("a note");
        assert_eq!(note.open(&[key.expect("a vkey")]).expect("signed").text(), text);
    }

    #[test]
    fn known_signers_are_named_and_unknown_ones_ignored() {
        let (log, witness) = (signer("log", Algorithm::Ed25519), signer("witness", Algorithm::Cosignature));
        let stranger = signer("stranger", Algorithm::Ed25519);
        let note = note("text\n", &[&stranger, &log, &witness]);
        let known = [log.verifier().clone(), witness.verifier().clone()];
        let opened = note.open(&known).expect("signed by both");
        assert_eq!(opened.text(), "text\n");
        let expected = [(&known[0], None), (&known[1], Some(1_679_315_147))];
        assert_eq!(opened.signers().iter().map(|signer| (signer.key, signer.time)).collect::<Vec<_>>(), expected);
        let other = [signer("other", Algorithm::Ed25519).verifier().clone()];
        assert_eq!(note.open(&other), Err(OpenError::NoKnownKey { signatures: 3 }));
    }

    #[test]
    fn one_bad_signature_of_a_known_key_condemns_the_note() {
        let (log, witness) = (signer("log", Algorithm::Ed25519), signer("witness", Algorithm::Cosignature));
        let known = [log.verifier().clone(), witness.verifier().clone()];
        let honest = note("text\n", &[&log, &witness]).to_string();
        let changed = Note::parse(honest.replace("text", "test").as_bytes()).expect("a note");
        let bad = OpenError::BadSignature { name: "log".to_owned(), id: known[0].id() };
        assert_eq!(changed.open(&known), Err(bad));

        let mut late = note("text\n", &[&log, &witness]);
        let mut line = late.signatures()[1].clone();
        line.signature[7] ^= 1;
        late.add(line);
        let bad = OpenError::BadSignature { name: "witness".to_owned(), id: known[1].id() };
        assert_eq!(late.open(&known), Err(bad));
    }

    #[test]
    fn a_signature_does_not_pass_under_the_other_algorithm() {
        // The same key and name with both algorithms: the key ids keep them apart.
        let (plain, witness) = (signer("name", Algorithm::Ed25519), signer("name", Algorithm::Cosignature));
        assert_ne!(plain.verifier().id(), witness.verifier().id());
        let signed = note("text\n", &[&plain]);
        let other = [witness.verifier().clone()];
        assert_eq!(signed.open(&other), Err(OpenError::NoKnownKey { signatures: 1 }));
    }

    #[test]
    fn duplicates_lengths_and_times_have_their_reasons() {
        let (log, witness) = (signer("log", Algorithm::Ed25519), signer("witness", Algorithm::Cosignature));
        let known = [log.verifier().clone(), witness.verifier().clone()];
        let (id, name) = (known[0].id(), "log".to_owned());
        let honest = note("text\n", &[&log]).to_string();
        let line = honest.lines().last().expect("a line");
        let twice = Note::parse(format!("{honest}{line}\n").as_bytes()).expect("a note");
        assert_eq!(twice.open(&known), Err(OpenError::Duplicate { name: name.clone(), id }));

        let with = |line: NoteSignature| {
            let mut note = Note::unsigned("text\n".to_owned()).expect("a text");
            note.add(line);
            note
        };
        let short = with(NoteSignature { name: name.clone(), id, signature: vec![1; 63] });
        assert_eq!(short.open(&known), Err(OpenError::Length { name, id, expected: 64, actual: 63 }));
        let (id, name) = (known[1].id(), "witness".to_owned());
        let short = with(NoteSignature { name: name.clone(), id, signature: vec![1; 64] });
        assert_eq!(short.open(&known), Err(OpenError::Length { name: name.clone(), id, expected: 72, actual: 64 }));
        let late = with(NoteSignature { name: name.clone(), id, signature: vec![0xff; 72] });
        assert_eq!(late.open(&known), Err(OpenError::Time { name, id, time: u64::MAX }));
    }
}
