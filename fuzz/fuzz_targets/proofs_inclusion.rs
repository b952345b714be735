//! Any bytes as a tlog-proof file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofs::checkpoint::ProofFile;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = ProofFile::parse(bytes) {
        assert_eq!(file.to_string().as_bytes(), bytes);
    }
});
