//! The keys of all homes: counts by class, both layouts, and what the index and the evidence store hold.

use std::collections::BTreeMap;

use ledger_formats::comet::class::{Database, Kind, class};
use ledger_formats::comet::key::{BlockKey, EvidenceKey, Layout, LightKey, StateKey, StateRecord};
use ledger_formats::comet::{Decode, EventKey, Evidence, Int64Value, TxResult, decode_layout, decode_zigzag_height};
use sha2::{Digest, Sha256};

use super::comet_home::{Home, Rows, assert_is_what_the_oracle_saw, homes, summary_of};

/// The oracle's name of a class. It knows events only by the application's prefix, and takes every key of 32
/// bytes in the index for a hash, which some keys of events are not.
fn oracle_name(database: Database, key: &[u8]) -> &'static str {
    let class = class(database, key);
    match class.kind {
        Kind::TxEvent if key.len() == 32 => "bytes32",
        Kind::TxEvent => "app.",
        _ => class.name(),
    }
}

#[test]
fn counts_by_class_equal_the_oracle() {
    for home in homes() {
        for database in Database::ALL {
            let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
            for key in home.rows(database).keys() {
                *counts.entry(oracle_name(database, key)).or_default() += 1;
            }
            let expected = summary_of(&home.oracle, database)["classes"].as_object().expect("classes");
            let expected: BTreeMap<&str, u64> =
                expected.iter().map(|(name, count)| (name.as_str(), count.as_u64().expect("a count"))).collect();
            assert_eq!(counts, expected, "{} {}", home.name, database.name());
        }
    }
}

/// A key of a database in another layout.
fn respelled(database: Database, key: &[u8], from: Layout, to: Layout) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match database {
        Database::BlockStore => BlockKey::decode(from, key)?.encode(to, &mut out),
        Database::State => StateKey::decode(from, key)?.encode(to, &mut out),
        Database::Evidence => EvidenceKey::decode(from, key)?.encode(to, &mut out),
        Database::LightStore => LightKey::decode(from, key)?.encode(to, &mut out),
        Database::TxIndex => out.extend_from_slice(key),
    }
    Some(out)
}

#[test]
fn every_key_reads_back_in_its_layout_and_through_the_other() {
    for home in homes() {
        let other = if home.layout == Layout::V1 { Layout::V2 } else { Layout::V1 };
        for database in Database::ALL {
            for key in home.rows(database).keys() {
                let place = || format!("{} {} {}", home.name, database.name(), key.escape_ascii());
                let spelled =
                    |key: &[u8], from, to| respelled(database, key, from, to).unwrap_or_else(|| panic!("{}", place()));
                assert_eq!(spelled(key, home.layout, home.layout), *key, "{}", place());
                let there = spelled(key, home.layout, other);
                assert_eq!(spelled(&there, other, home.layout), *key, "{}", place());
            }
        }
    }
}

#[test]
fn a_home_in_the_other_layout_has_the_digests_that_upstreams_code_gives_it() {
    let mut converted = 0;
    for (home, to, expected) in
        homes().iter().flat_map(|home| home.converted.iter().map(move |(to, it)| (home, *to, it)))
    {
        for database in [Database::BlockStore, Database::State, Database::Evidence] {
            let rows: Rows = home
                .rows(database)
                .iter()
                .map(|(key, value)| {
                    let value = if key == b"version" { to.label().as_bytes() } else { value };
                    (respelled(database, key, home.layout, to).expect("a known key"), value.to_vec())
                })
                .collect();
            assert_is_what_the_oracle_saw(&home.name, &rows, summary_of(expected, database));
        }
        converted += 1;
    }
    assert!(converted >= 2, "only {converted} homes have an expected conversion");
}

#[test]
fn evidence_has_the_height_and_hash_of_its_key() {
    let (mut committed, mut pending) = (0, 0);
    for home in homes() {
        for (key, value) in home.rows(Database::Evidence) {
            match EvidenceKey::decode(home.layout, key).expect("a known key") {
                EvidenceKey::Committed { height, .. } => {
                    assert_eq!(Int64Value::decode(value), Ok(Int64Value(height)), "{}", home.name);
                    committed += 1;
                }
                EvidenceKey::Pending { height, hash } => {
                    let evidence = Evidence::decode(value).unwrap_or_else(|error| panic!("{}: {error}", home.name));
                    assert_eq!(evidence.identity(), Ok((height, hash)), "{}", home.name);
                    pending += 1;
                }
                EvidenceKey::Version => assert_is_label(home, value),
            }
        }
    }
    assert!(committed >= 20 && pending >= 2, "{committed} committed, {pending} pending");
}

fn assert_is_label(home: &Home, value: &[u8]) {
    let label = decode_layout(value).expect("a label");
    assert_eq!(label == home.layout, !home.name.contains("mislabelled"), "{}", home.name);
}

#[test]
fn indexed_transactions_are_those_of_their_hash_and_events_lead_to_them() {
    let mut events = 0;
    for home in homes() {
        let rows = home.rows(Database::TxIndex);
        for (key, value) in rows {
            match class(Database::TxIndex, key).kind {
                Kind::TxResult => {
                    let result = TxResult::decode(value).unwrap_or_else(|error| panic!("{}: {error}", home.name));
                    assert_eq!(Sha256::digest(result.tx)[..], key[..], "{}", home.name);
                }
                Kind::TxEvent | Kind::TxHeight => {
                    let event = EventKey::decode(key).expect("an event key");
                    let result = TxResult::decode(rows.get(value).expect("the transaction is there")).expect("decodes");
                    // A transaction that was included twice is stored with its last place.
                    assert!(event.height <= result.height, "{} {}", home.name, event.event.escape_ascii());
                    events += 1;
                }
                Kind::BlockEvent => assert!(decode_zigzag_height(value).is_ok(), "{}", home.name),
                kind => panic!("{}: {kind:?} {}", home.name, key.escape_ascii()),
            }
        }
    }
    assert!(events > 10_000, "only {events} events");
}

#[test]
fn single_numbers_of_the_state_store_decode() {
    let mut seen = 0;
    for home in homes() {
        for record in [StateRecord::OfflineStateSyncHeight, StateRecord::AppRetainHeight] {
            if let Some(value) = home.state(&StateKey::Single(record)) {
                assert_eq!(decode_zigzag_height(value), Ok(0), "{} {}", home.name, record.key());
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "only {seen} numbers");
}
