//! Any bytes as a MANIFEST, and as a record of one whose checksums are right.
#![no_main]

use std::path::Path;

use ledger_formats::engine::log_writer::frame;
use ledger_formats::engine::manifest::Version;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("MANIFEST-000001");
    let halves = bytes.split_at(bytes.len() / 2);
    for manifest in [bytes.to_vec(), frame(&[bytes]), frame(&[halves.0, halves.1])] {
        let Ok(version) = Version::decode(path, manifest.as_slice()) else { continue };
        assert!(version.length <= manifest.len() as u64);
        for table in &version.tables {
            assert!(table.first_key() <= table.last_key());
        }
    }
});
