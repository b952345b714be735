//! Any bytes as a block: first as they are on disk, then as they are expanded.
#![no_main]

use ledger_formats::engine::block;
use ledger_formats::engine::block_codec;
use ledger_formats::engine::checksum::Checksum;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut expanded = Vec::new();
    // The checksum is made right, so that the compressed bodies are reached.
    let stored = [bytes, &Checksum::Crc32c.of(bytes).to_le_bytes()].concat();
    let _ = block_codec::open(&stored, Checksum::Crc32c, &mut expanded);
    let _ = block::check(bytes);
});
