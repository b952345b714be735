//! Any text as a receipt.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofs::receipt::Receipt;

fuzz_target!(|text: &str| {
    if let Ok(receipt) = Receipt::parse_text(text) {
        assert_eq!(receipt.to_text().as_deref(), Ok(text));
    }
});
