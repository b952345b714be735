//! Any bytes as a signed note: never a panic, and what is read is written again as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofs::note::Note;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
    }
});
