//! The store of a light client through the whole program: converted to what another release's light client wrote of
//! the same blocks, checked block by block, and back.

use std::fs;

use crate::fixture::Fixture;
use crate::program::{digests, roots, run, text, tree};

#[test]
fn a_light_clients_home_becomes_what_another_release_writes() {
    for (from, words, to) in [
        ("v1_0-v2", &["--for", "cometbft-0.38"][..], "v0_38"),
        ("v1_0-v1", &["--for", "cometbft-0.34"], "v0_38"),
        ("v0_38", &["--for", "cometbft-1.0", "--to", "goleveldb"], "v1_0-v1"),
        ("v0_38", &["--to", "goleveldb,layout=v2,dialect=v1_0"], "v1_0-v2"),
        ("v1_0-v2", &["--to", "goleveldb,layout=v1"], "v1_0-v1"),
    ] {
        let (fixture, expected) =
            (Fixture::unpack(&format!("light-client/{from}")), Fixture::unpack(&format!("light-client/{to}")));
        let home = fixture.home();
        let (before, root) = (tree(&home), roots(&home));
        run(&[&["migrate", text(&home)], words, &["--execute"]].concat()).ok();
        assert_eq!(digests(&home), digests(&expected.home()), "{from} {words:?}");
        assert_eq!(roots(&home), root, "{from} {words:?}");
        let verified = run(&["verify", text(&home)]).ok().out;
        assert!(verified.contains("6 light blocks against their own validators"), "{verified}");
        run(&["rollback", text(&home), "--execute"]).ok();
        for (path, (size, _, _, content)) in &before {
            let now = fs::symlink_metadata(path).expect("is there");
            assert!(!now.is_file() || (now.len() == *size && fs::read(path).expect("reads") == *content), "{path:?}");
        }
    }
}

#[test]
fn a_light_store_beside_a_node_is_converted_when_it_is_named() {
    let (node, light) = (Fixture::unpack("cometbft-1.0-v1-goleveldb"), Fixture::unpack("light-client/v1_0-v1"));
    let home = node.home();
    let store = home.join("data/light-client-db.db");
    fs::create_dir(&store).expect("makes a folder");
    for entry in fs::read_dir(light.home().join("light-client-db.db")).expect("lists") {
        let entry = entry.expect("lists");
        fs::copy(entry.path(), store.join(entry.file_name())).expect("copies");
    }
    let before = digests(&home);
    let words = ["--to", "goleveldb,dialect=v0_38", "--db", "light-client-db", "--execute"];
    run(&[&["migrate", text(&home)], &words[..]].concat()).ok();
    let expected = digests(&Fixture::unpack("light-client/v0_38").home());
    for (dir, digest) in digests(&home) {
        let expected = if dir == "light-client-db.db" { &expected[&dir] } else { &before[&dir] };
        assert_eq!(digest, *expected, "{dir}");
    }
    run(&["finalise", text(&home), "--execute"]).ok();
    let plan = run(&["plan", text(&home), "--for", "cometbft-0.38"]).ok().out;
    assert!(!plan.contains("0x8b") && plan.contains("validatorsKey:"), "{plan}");
}

#[test]
fn a_light_block_that_does_not_prove_itself_is_found() {
    let fixture = Fixture::unpack("light-client/v0_38");
    let home = fixture.home();
    let log = home.join("light-client-db.db/000001.log");
    run(&["verify", text(&home)]).ok();
    // One bit of the first signature: first under a checksum that tells, then under one that does not.
    let mut bytes = fs::read(&log).expect("reads");
    let at = bytes.windows(2).position(|pair| pair == [0x22, 0x40]).expect("a signature of 64 bytes");
    bytes[at + 9] ^= 1;
    fs::write(&log, &bytes).expect("writes");
    run(&["verify", text(&home)]).failed(5, "");
    mend_checksums(&mut bytes);
    fs::write(&log, &bytes).expect("writes");
    run(&["verify", text(&home)]).failed(6, "commit-signature");
}

/// Writes the checksum of every chunk of a goleveldb log anew: masked CRC-32C over type and payload.
fn mend_checksums(log: &mut [u8]) {
    const BLOCK: usize = 32 << 10;
    for block in log.chunks_mut(BLOCK) {
        let mut at = 0;
        while at + 7 <= block.len() {
            let length = usize::from(u16::from_le_bytes([block[at + 4], block[at + 5]]));
            let end = at + 7 + length;
            if block[at + 6] == 0 || end > block.len() {
                break;
            }
            let crc = crc32c::crc32c(&block[at + 6..end]);
            let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
            block[at..at + 4].copy_from_slice(&masked.to_le_bytes());
            at = end;
        }
    }
}
