//! Conversions of real homes: what upstream's own code makes of them, there and back, in pieces and by point reads.

use ledger_formats::comet::class::Database;
use ledger_formats::comet::convert::{Conversion, ConvertedStore, survey};
use ledger_formats::comet::dialect::Target;
use ledger_formats::comet::key::Layout;
use ledger_formats::digest::summarise;
use ledger_formats::engine::memory::MemoryStore;
use ledger_formats::store::{KeyRange, ReadStore};

use super::comet_home::{Home, Rows, homes, summary_of};
use super::homes;

/// The databases that a conversion concerns.
const CONVERTED: [Database; 3] = [Database::BlockStore, Database::State, Database::Evidence];

pub fn store(rows: &Rows) -> MemoryStore {
    MemoryStore::new(rows.iter().map(|(key, value)| (key.clone(), value.clone())))
}

fn converted(source: MemoryStore, database: Database, conversion: Conversion) -> ConvertedStore<'static> {
    ConvertedStore::new(Box::new(source), database, conversion).expect("wraps")
}

pub fn rows(store: &dyn ReadStore) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut cursor = store.scan(&KeyRange::all()).expect("a scan");
    let mut rows = Vec::new();
    while let Some((key, value)) = cursor.next().expect("reads") {
        rows.push((key.to_vec(), value.to_vec()));
    }
    rows
}

/// The conversion that a suffix of the oracles names.
fn conversion(from: Layout, form: &str) -> Conversion {
    let layout = Layout::from_label(form.as_bytes());
    let dialect = match form {
        "0.38" => Some(Target::V0_38),
        "0.40" => Some(Target::V0_40),
        "1.0" => Some(Target::V1_0),
        _ => None,
    };
    Conversion { from, to: layout.unwrap_or(Layout::V1), dialect }
}

#[test]
fn every_home_becomes_what_upstream_makes_of_it() {
    let mut held = 0;
    for home in homes() {
        for form in ["v1", "v2", "0.38", "0.40", "1.0"] {
            let Some(oracle) = homes::named(&home.name).oracle_as(form) else { continue };
            for database in CONVERTED {
                let conversion = conversion(home.layout, form);
                let place = format!("{} as {form}: {}", home.name, database.name());
                let source = store(home.rows(database));
                let found = survey(&source, database, conversion).expect(&place);
                assert_eq!(found.refused, [], "{place}");
                let target = converted(source, database, conversion);
                let actual = summarise(&target, &KeyRange::all()).expect(&place);
                let expected = summary_of(&oracle, database);
                assert_eq!(actual.keys, expected["keys"].as_u64().expect("a number"), "{place}");
                assert_eq!(hex::encode(actual.sha256), expected["sha256"].as_str().expect("a digest"), "{place}");
                assert!(found.rows_after.is_none_or(|rows| rows == actual.keys), "{place}: {found:?}");
                held += 1;
            }
        }
    }
    assert!(held >= 33, "{held} databases were held against upstream's");
}

/// Every home in the other layout, pruned, halted and mixed ones too.
fn there(home: &Home, database: Database) -> (Conversion, MemoryStore) {
    let to = if home.layout == Layout::V1 { Layout::V2 } else { Layout::V1 };
    let there = Conversion { from: home.layout, to, dialect: None };
    let target = converted(store(home.rows(database)), database, there);
    (there, MemoryStore::new(rows(&target)))
}

#[test]
fn layouts_go_there_and_back_byte_for_byte_in_every_home() {
    for home in homes() {
        for database in CONVERTED {
            let (there, target) = there(home, database);
            let back = Conversion { from: there.to, to: there.from, dialect: None };
            let mut again = rows(&converted(target, database, back));
            let mut before: Vec<_> = home.rows(database).clone().into_iter().collect();
            // The label is written anew, whether there was one, and whether it was true.
            for rows in [&mut again, &mut before] {
                rows.retain(|(key, _)| key != b"version");
            }
            assert!(again == before, "{}: {}", home.name, database.name());
        }
    }
}

#[test]
fn dialects_go_there_and_back_byte_for_byte() {
    // Not the home that was v0.37's: its oldest parameters lack a field that v0.38 always writes.
    for (name, to) in [
        ("cometbft-0.38-goleveldb", Target::V0_38),
        ("cometbft-0.38-goleveldb-ext", Target::V0_38),
        ("cometbft-0.38-goleveldb-pruned", Target::V0_38),
        ("cometbft-0.38-initial-height", Target::V0_38),
        ("cometbft-0.38-goleveldb-killed-gap", Target::V0_38),
        ("cometbft-0.38-halted", Target::V0_38),
        ("cometbft-0.40-goleveldb", Target::V0_40),
    ] {
        let home = homes().iter().find(|home| home.name == name).expect("the home");
        for database in CONVERTED {
            let there = Conversion { from: Layout::V1, to: Layout::V2, dialect: Some(Target::V1_0) };
            let back = Conversion { from: Layout::V2, to: Layout::V1, dialect: Some(to) };
            let target = MemoryStore::new(rows(&converted(store(home.rows(database)), database, there)));
            let again = rows(&converted(target, database, back));
            let mut before = home.rows(database).clone();
            before.remove(b"genesisDoc".as_slice());
            assert!(again == before.into_iter().collect::<Vec<_>>(), "{name}: {}", database.name());
        }
    }
}

#[test]
fn a_conversion_applied_twice_changes_nothing_more() {
    for home in homes() {
        for dialect in Target::ALL {
            for database in CONVERTED {
                let first = Conversion { from: home.layout, to: Layout::V1, dialect: Some(dialect) };
                let second = Conversion { from: Layout::V1, ..first };
                let once = rows(&converted(store(home.rows(database)), database, first));
                let twice = rows(&converted(MemoryStore::new(once.clone()), database, second));
                assert!(once == twice, "{} to {dialect}: {}", home.name, database.name());
            }
        }
    }
}

#[test]
fn pieces_make_the_whole_and_point_reads_agree() {
    for home in homes().iter().filter(|home| home.name.contains("1.0-v") || home.name.ends_with("initial-height")) {
        for database in CONVERTED {
            let to = if home.layout == Layout::V1 { Layout::V2 } else { Layout::V1 };
            for conversion in [
                Conversion { from: home.layout, to, dialect: None },
                Conversion { from: home.layout, to: Layout::V1, dialect: Some(Target::V0_38) },
            ] {
                let target = converted(store(home.rows(database)), database, conversion);
                let whole = rows(&target);
                assert!(whole.is_sorted_by(|a, b| a.0 < b.0), "{}", home.name);
                let mut starts = target.split_points(20_000).expect("points");
                assert!(database == Database::Evidence || starts.len() >= 3, "{}: {} points", home.name, starts.len());
                assert!(starts.is_sorted_by(|a, b| a < b));
                starts.insert(0, Vec::new());
                let mut pieces = Vec::new();
                for (at, start) in starts.iter().enumerate() {
                    let range = KeyRange { start: start.clone(), end: starts.get(at + 1).cloned() };
                    let mut cursor = target.scan(&range).expect("a scan");
                    while let Some((key, value)) = cursor.next().expect("reads") {
                        pieces.push((key.to_vec(), value.to_vec()));
                    }
                }
                assert!(pieces == whole, "{}: {} in pieces", home.name, database.name());
                for (key, value) in &whole {
                    assert_eq!(target.get(key).expect("reads").as_ref(), Some(value), "{}", home.name);
                }
                assert_eq!(target.get(b"genesisDocHashX").expect("reads"), None);
            }
        }
    }
}
