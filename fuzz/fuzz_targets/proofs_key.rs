//! Any text as a public or private key of notes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofs::note::{SignerKey, VerifierKey};

fuzz_target!(|text: &str| {
    if let Ok(key) = VerifierKey::parse(text) {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(key) = SignerKey::parse(text) {
        assert_eq!(key.to_secret_text(), text);
    }
});
