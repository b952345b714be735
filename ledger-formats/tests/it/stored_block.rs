//! The rows made from the bytes of a block are those that the node wrote when it saved it.

use ledger_formats::comet::key::BlockKey;
use ledger_formats::comet::{BlockMeta, Decode, Part, StoredBlock, StoredBlockError};

use super::comet_home::{Home, homes};

/// The bytes of a block, from its parts.
fn bytes(home: &Home, height: u64) -> Vec<u8> {
    let meta = BlockMeta::decode(home.block(&BlockKey::Meta { height }).expect("a meta")).expect("decodes");
    let parts = (0..meta.block_id.part_set_header.total).flat_map(|part| {
        let value = home.block(&BlockKey::Part { height, part }).expect("a part");
        Part::decode(value).expect("decodes").bytes
    });
    parts.copied().collect()
}

#[test]
fn every_block_of_every_home_gives_the_rows_that_its_node_wrote() {
    let mut of_many_parts = 0;
    for home in homes() {
        for (height, _) in home.blocks() {
            let bytes = bytes(home, height);
            let stored = StoredBlock::new(&bytes).expect("a block");
            for (key, value) in stored.rows() {
                let place = format!("{} height {height} {key:?}", home.name);
                // A pruned store has lost the commit below its base.
                let Some(expected) = home.block(&key) else {
                    assert_eq!(key, BlockKey::Commit { height: home.number("base") - 1 }, "{place}");
                    continue;
                };
                assert_eq!(hex::encode(value), hex::encode(expected), "{place}");
            }
            of_many_parts += u64::from(bytes.len() > 65_536);
        }
    }
    assert!(of_many_parts > 0, "no block of several parts was met");
}

#[test]
fn what_is_no_block_gives_no_rows() {
    let home = &homes()[0];
    let whole = bytes(home, home.number("height"));
    for cut in 0..whole.len() {
        // A cut may leave a block without its last field: a block of another name, which the caller's proof refuses.
        if let Ok(stored) = StoredBlock::new(&whole[..cut]) {
            assert_ne!(stored.part_set_hash, StoredBlock::new(&whole).expect("a block").part_set_hash);
        }
    }
    assert!(matches!(StoredBlock::new(&[]), Err(StoredBlockError::Decode(_))));
}
