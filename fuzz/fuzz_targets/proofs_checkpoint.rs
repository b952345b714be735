//! Any text as a checkpoint and as the origin of one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofs::checkpoint::{Checkpoint, LedgerOrigin};

fuzz_target!(|text: &str| {
    if let Ok(checkpoint) = Checkpoint::parse_text(text) {
        assert_eq!(checkpoint.to_text(), text);
    }
    if let Ok(origin) = LedgerOrigin::parse(text) {
        assert_eq!(origin.to_string(), text);
    }
});
