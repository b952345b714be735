//! Any hashes as proofs of inclusion and consistency: refused or not, never a panic, and as told twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofs::merkle::{Consistency, Inclusion, root_from_path};

fuzz_target!(|input: (u64, u64, [u8; 32], Vec<[u8; 32]>)| {
    let (one, other, hash, path) = input;
    let reached = root_from_path(one, other, hash, &path);
    if let Ok(root) = reached {
        let claim = Inclusion { total: one, index: other, leaf_hash: hash, aunts: &path };
        assert_eq!(claim.verify(&root), Ok(()));
    }
    let claim = Consistency { old_size: one, new_size: other, path: &path };
    let _ = claim.verify(&hash, path.last().unwrap_or(&hash));
});
