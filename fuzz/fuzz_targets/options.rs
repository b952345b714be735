//! Any bytes as an OPTIONS file, and behind the section that names its writer.
#![no_main]

use ledger_formats::engine::options::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse(bytes);
    let _ = parse(&[b"[Version]\npebble_version=0.1\n[Options]\n", bytes].concat());
});
