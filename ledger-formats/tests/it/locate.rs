//! Where a row is said to lie, it lies: a byte changed there is missed by every row of that place.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use ledger_formats::engine::EngineKind;
use ledger_formats::engine::lsm::LsmStore;
use ledger_formats::store::{KeyRange, Location, ReadStore, StoreError};

use crate::homes;

/// The keys of a store by where they are said to lie.
fn places(store: &dyn ReadStore) -> BTreeMap<(PathBuf, u64, bool), Vec<Vec<u8>>> {
    let mut places: BTreeMap<_, Vec<Vec<u8>>> = BTreeMap::new();
    let mut cursor = store.scan(&KeyRange::all()).expect("scan");
    while let Some((key, _)) = cursor.next().expect("row") {
        let place = match store.locate(key).expect("locates") {
            Some(Location::Block { file, offset }) => (file, offset, false),
            Some(Location::LogRecord { file, offset }) => (file, offset, true),
            other => panic!("{}: {other:?}", key.escape_ascii()),
        };
        places.entry(place).or_default().push(key.to_vec());
        assert_eq!(store.locate(&[key, &[0]].concat()).expect("locates"), None);
    }
    places
}

#[test]
fn a_damaged_place_is_missed_by_the_rows_that_are_said_to_lie_there() {
    let (mut blocks, mut records) = (0, 0);
    for (name, engine) in [
        ("cometbft-0.38-goleveldb-killed", EngineKind::LevelDb),
        ("cometbft-0.38-goleveldb-pruned", EngineKind::LevelDb),
        ("cometbft-1.0-v2-pebble", EngineKind::Pebble),
    ] {
        let unpacked = homes::named(name).unpack();
        let dir = unpacked.path("data/state.db".as_ref());
        let open = || LsmStore::open(&dir, engine, 0);
        let places = places(&open().expect("opens"));
        let last_log = places.keys().filter(|(_, _, is_log)| *is_log).max().cloned();
        for (place, keys) in places.iter().step_by(5) {
            let (file, offset, is_log) = place;
            let whole = fs::read(file).expect("reads");
            let mut damaged = whole.clone();
            // Behind the header of a chunk; anywhere in a block.
            damaged[usize::try_from(*offset).expect("small") + 12] ^= 0x55;
            fs::write(file, damaged).expect("writes");
            if *is_log {
                // At the very end of the log it is a torn write, and anywhere else damage.
                match open() {
                    Ok(store) => assert!(Some(place) == last_log.as_ref() || store.notices().len() == 1),
                    Err(StoreError::Corrupt(found)) => assert_eq!((&found.file, found.offset), (file, Some(*offset))),
                    Err(other) => panic!("{other}"),
                }
                records += 1;
            } else {
                let store = open().expect("opens");
                for key in keys {
                    match store.get(key) {
                        Err(StoreError::Corrupt(found)) => {
                            assert_eq!((&found.file, found.offset), (file, Some(*offset)), "{}", key.escape_ascii());
                        }
                        other => panic!("{}: {other:?}", key.escape_ascii()),
                    }
                }
                // Rows of other places are missed only where an older version of them lies here.
                let others = || places.iter().filter(|(other, _)| *other != place);
                assert!(others().next().is_none() || others().any(|(_, keys)| store.get(&keys[0]).is_ok()));
                blocks += 1;
            }
            fs::write(file, whole).expect("writes");
        }
    }
    assert!(blocks >= 10 && records >= 10, "{blocks} blocks and {records} records");
}
