//! Any bytes as a proof of growth.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofs::checkpoint::GrowthFile;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = GrowthFile::parse(bytes) {
        assert_eq!(file.to_string().as_bytes(), bytes);
    }
});
