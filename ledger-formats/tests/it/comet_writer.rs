//! Who wrote a home last, on real homes: made by one release, upgraded in place, and converted.

use ledger_formats::comet::class::Database;
use ledger_formats::comet::convert::{Conversion, ConvertedStore};
use ledger_formats::comet::dialect::{Dialect, Target};
use ledger_formats::comet::key::Layout;
use ledger_formats::comet::writer::writer;
use ledger_formats::engine::memory::MemoryStore;

use super::comet_home::{Home, homes};

fn state(home: &Home) -> MemoryStore {
    MemoryStore::new(home.rows(Database::State).iter().map(|(key, value)| (key.clone(), value.clone())))
}

#[test]
fn the_last_writer_counts_not_the_one_that_began_the_state() {
    for home in homes() {
        let expected = match home.name.trim_start_matches("cometbft-") {
            name if name.starts_with("0.34") => Dialect::V0_34,
            "0.37-to-0.38-goleveldb" | "1.0-mislabelled" => Dialect::V0_38,
            name if name.starts_with("0.37") => Dialect::V0_37,
            name if name.starts_with("0.38") => Dialect::V0_38,
            name if name.starts_with("0.40") => Dialect::V0_40,
            _ => Dialect::V1_0,
        };
        let found = writer(&state(home)).expect("reads").expect("a known line");
        assert_eq!(found.dialect, expected, "{}: {:?}", home.name, found.evidence);
        assert_eq!(found.is_mixed, home.name.contains("mixed"), "{}: {:?}", home.name, found.evidence);
    }
}

#[test]
fn a_converted_state_is_of_the_release_that_it_was_converted_for() {
    for home in homes() {
        for target in Target::ALL {
            let conversion = Conversion { from: home.layout, to: Layout::V1, dialect: Some(target) };
            let store = ConvertedStore::new(Box::new(state(home)), Database::State, conversion).expect("wraps");
            let found = writer(&store).expect("reads").expect("a known line");
            assert!(!found.is_mixed, "{} to {target}: {:?}", home.name, found.evidence);
            // Of parameters before v0.38 only the missing field 5 tells, and it may stay missing.
            let stays_old = target == Target::V0_38 && found.dialect <= Dialect::V0_37;
            assert!(found.dialect == target.dialect() || stays_old, "{} to {target}: {:?}", home.name, found.evidence);
        }
    }
}

#[test]
fn states_of_nobody_known_are_not_guessed() {
    let store = |value: &str| MemoryStore::new([(b"stateKey".to_vec(), hex::decode(value).expect("hex"))]);
    // Version {software "2.0.0-rc1"}; then nothing of it; then bytes that do not decode.
    for value in ["0a0b1209322e302e302d726331", "", "0a7f"] {
        assert_eq!(writer(&store(value)).expect("reads"), None, "{value}");
    }
    assert_eq!(writer(&MemoryStore::default()).expect("reads"), None);
}
