//! Store roots of real homes: equal in every layout and dialect, changed by any changed byte, and what the definition
//! says when it is followed in the plainest way.

use std::collections::BTreeMap;

use ledger_formats::comet::class::{Database, Kind};
use ledger_formats::comet::convert::{Conversion, ConvertedStore, survey};
use ledger_formats::comet::dialect::{Change, Target, canonical};
use ledger_formats::comet::key::{BlockKey, Layout};
use ledger_formats::root::{
    Assembly, Content, DatabaseRoot, LeafReader, ProofError, RootError, Side, database_root, late_results, leaf_of,
};
use proofs::merkle::{Hash, leaf_hash, root_of_hashes};
use proptest::prelude::*;

use super::comet_convert::{rows as rows_of, store};
use super::comet_home::{Home, Rows, homes};

const CONVERTED: [Database; 3] = [Database::BlockStore, Database::State, Database::Evidence];

fn root(rows: &Rows, database: Database) -> DatabaseRoot {
    database_root(&store(rows), Content::Records(database)).expect("has a root")
}

fn conversions(from: Layout) -> impl Iterator<Item = Conversion> {
    let dialects = [None].into_iter().chain(Target::ALL.map(Some));
    dialects.flat_map(move |dialect| Layout::ALL.map(|to| Conversion { from, to, dialect }))
}

/// The rows of a home after a conversion; `None` where it is refused.
fn converted(rows: &Rows, database: Database, conversion: Conversion) -> Option<Rows> {
    let source = store(rows);
    if survey(&source, database, conversion).expect("reads").refused_total > 0 {
        return None;
    }
    let target = ConvertedStore::new(Box::new(source), database, conversion).expect("wraps");
    Some(rows_of(&target).into_iter().collect())
}

#[test]
fn the_root_is_the_same_in_every_layout_and_dialect() {
    let mut held = 0;
    for home in homes() {
        for database in CONVERTED {
            let expected = root(home.rows(database), database);
            assert_eq!(expected.unclear_total, 0, "{}: {:?}", home.name, expected.unclear);
            for first in conversions(home.layout) {
                let Some(once) = converted(home.rows(database), database, first) else { continue };
                let place = format!("{} {}: {first:?}", home.name, database.name());
                assert_eq!(root(&once, database).shared, expected.shared, "{place}");
                held += 1;
                // And from there on to every other form, and to the same once more.
                if home.name.contains("mixed") || home.name.ends_with("-ext") {
                    for second in conversions(first.to) {
                        let Some(twice) = converted(&once, database, second) else { continue };
                        assert_eq!(root(&twice, database).shared, expected.shared, "{place}, then {second:?}");
                        assert!(
                            second != Conversion { from: first.to, ..first }
                                || root(&twice, database) == root(&once, database)
                        );
                    }
                }
            }
        }
    }
    assert!(held >= 20 * 3 * 7, "{held} conversions were held");
}

#[test]
fn results_that_only_the_last_response_has_count_as_a_record() {
    let home = home("cometbft-0.38-goleveldb");
    let mut rows = home.rows(Database::State).clone();
    let complete = root(&rows, Database::State);
    let top = format!("abciResponsesKey:{}", home.number("height"));
    // As a node that discards results has it.
    rows.remove(top.as_bytes()).expect("the results of the last block");
    assert_eq!(root(&rows, Database::State).shared, complete.shared);
    let to = Conversion { from: Layout::V1, to: Layout::V1, dialect: Some(Target::V1_0) };
    let made = converted(&rows, Database::State, to).expect("converts");
    assert!(made.contains_key(top.as_bytes()));
    assert_eq!(root(&made, Database::State).shared, complete.shared);
    rows.remove(b"lastABCIResponseKey".as_slice());
    assert_ne!(root(&rows, Database::State).shared.root, complete.shared.root);
}

#[test]
fn keys_of_two_layouts_have_no_root() {
    let home = home("cometbft-1.0-v2-goleveldb");
    let mut rows = home.rows(Database::BlockStore).clone();
    rows.insert(b"H:1".to_vec(), Vec::new());
    let refused = database_root(&store(&rows), Content::Records(Database::BlockStore));
    assert!(matches!(refused, Err(RootError::BothLayouts { first, .. }) if first == "H:1"));
}

#[test]
fn values_that_cannot_be_understood_are_named_and_stand_as_they_are() {
    let home = home("cometbft-0.38-goleveldb");
    let mut rows = home.rows(Database::State).clone();
    let before = root(&rows, Database::State);
    rows.insert(b"validatorsKey:7".to_vec(), vec![0x0a, 0x7f]);
    let after = root(&rows, Database::State);
    assert_eq!(after.unclear_total, 1);
    assert!(after.unclear[0].starts_with("state, height 7, key validatorsKey:7: "), "{:?}", after.unclear);
    assert_ne!(after.shared.root, before.shared.root);
}

fn home(name: &str) -> &'static Home {
    homes().iter().find(|home| home.name == name).expect("the home")
}

/// A segment's leaf, and so on, as docs/formats.md has them.
fn level(tag: u8, head: &[u8], records: usize, root: &Hash) -> Hash {
    leaf_hash(&[&[tag], head, &(records as u64).to_be_bytes(), root].concat())
}

fn framed(text: &[u8]) -> Vec<u8> {
    [&u32::try_from(text.len()).expect("short").to_be_bytes(), text].concat()
}

#[test]
fn the_root_is_what_its_definition_says() {
    for name in ["cometbft-1.0-v1-goleveldb", "cometbft-1.0-v2-goleveldb", "cometbft-0.38-initial-height"] {
        let home = home(name);
        // Metas of blocks: one segment for each thousand heights.
        let mut segments: BTreeMap<u64, Vec<(u64, Hash)>> = BTreeMap::new();
        for (key, value) in home.rows(Database::BlockStore) {
            if let Some(BlockKey::Meta { height }) = BlockKey::decode(home.layout, key) {
                let leaf = leaf_hash(&[&[1][..], &framed(&height.to_be_bytes()), value].concat());
                segments.entry(height / 1_000).or_default().push((height, leaf));
            }
        }
        let mut records = 0;
        let mut leaves = Vec::new();
        for (number, mut rows) in segments {
            rows.sort_unstable();
            let mut hashes: Vec<Hash> = rows.iter().map(|(_, leaf)| *leaf).collect();
            leaves.push(level(2, &number.to_be_bytes(), rows.len(), &root_of_hashes(&mut hashes)));
            records += rows.len() as u64;
        }
        let actual = root(home.rows(Database::BlockStore), Database::BlockStore).shared;
        let metas = actual.kinds.iter().find(|kind| kind.kind.name() == "block-meta").expect("metas");
        assert_eq!((metas.records, metas.root), (records, root_of_hashes(&mut leaves)), "{name}");
        let mut kinds: Vec<Hash> = Vec::new();
        for kind in &actual.kinds {
            let records = usize::try_from(kind.records).expect("few");
            kinds.push(level(3, &framed(kind.kind.name().as_bytes()), records, &kind.root));
        }
        assert_eq!(actual.root, root_of_hashes(&mut kinds), "{name}");
    }
}

#[test]
fn every_record_has_a_proof_that_leads_to_the_root() {
    let (mut proven, mut own) = (0, 0);
    for name in ["cometbft-1.0-v1-goleveldb", "cometbft-1.0-v2-goleveldb", "cometbft-0.38-initial-height"] {
        for database in Database::ALL {
            let home = home(name);
            let content = Content::of(database.name());
            let source = store(home.rows(database));
            let expected = database_root(&source, content).expect("has a root");
            // Watched in handfuls: each costs a scan.
            let rows: Vec<_> = home.rows(database).iter().step_by(3).collect();
            let some = |rows: &[(&Vec<u8>, &Vec<u8>)]| {
                let leaves: Vec<_> = rows.iter().map(|(key, value)| leaf_of(content, key, value)).collect();
                let late = late_results(&source, content).expect("reads");
                let mut assembly = Assembly::watching(late, leaves.iter().copied());
                let mut reader = LeafReader::new(content);
                home.rows(database).iter().for_each(|(key, value)| reader.add(key, value));
                assembly.take(reader.finish()).expect("in order");
                (leaves, assembly.finish().expect("in order"))
            };
            for handful in rows.chunks(200) {
                let (leaves, roots) = some(handful);
                assert_eq!((&roots.shared, &roots.own), (&expected.shared, &expected.own));
                assert_eq!(roots.proofs.len(), leaves.len(), "{name} {}", database.name());
                for proof in &roots.proofs {
                    proof.verify().expect("leads to the root");
                    let side = if proof.is_own { &expected.own } else { &expected.shared };
                    assert_eq!(proof.database_rung.root, side.root);
                    assert!(leaves.iter().any(|leaf| leaf.hash == proof.segment_rung.leaf));
                    own += u32::from(proof.is_own);
                    proven += 1;
                    let mut other = proof.clone();
                    other.segment_rung.leaf[0] ^= 1;
                    assert!(other.verify().is_err());
                    let mut other = proof.clone();
                    other.segment_number += 1;
                    assert!(matches!(other.verify(), Err(ProofError::Leaf { level: "segment", .. })));
                    let mut other = proof.clone();
                    other.kind_records += 1;
                    assert!(matches!(other.verify(), Err(ProofError::Leaf { level: "kind", .. })));
                }
            }
        }
    }
    assert!(proven > 4_000 && own >= 3, "{proven} proofs, {own} of them under own roots");
}

/// A few rows of every kind of a real store.
fn small(home: &Home, database: Database) -> Rows {
    let mut taken: BTreeMap<&str, u32> = BTreeMap::new();
    let mut small = Rows::new();
    for (key, value) in home.rows(database) {
        let class = ledger_formats::comet::class::class(database, key);
        let count = taken.entry(class.name()).or_default();
        // Parts of 64 KiB would only make the test slow.
        if *count < 3 && value.len() < 4_096 {
            *count += 1;
            small.insert(key.clone(), value.clone());
        }
    }
    small
}

/// The row that `at` counts to, and the byte in it; keys come before values.
fn byte_at(rows: &Rows, mut at: usize) -> (Vec<u8>, usize) {
    for (key, value) in rows {
        let bytes = key.len() + value.len();
        if at < bytes {
            return (key.clone(), at);
        }
        at -= bytes;
    }
    panic!("the rows have fewer bytes");
}

fn encoding(database: Database, key: &[u8]) -> Option<Kind> {
    use ledger_formats::comet::key::StateRecord;
    let kind = ledger_formats::comet::class::class(database, key).kind;
    let differs = [
        Kind::Validators,
        Kind::ConsensusParams,
        Kind::AbciResponses,
        Kind::PendingEvidence,
        Kind::State(StateRecord::State),
    ];
    differs.contains(&kind).then_some(kind)
}

fn form(kind: Kind, value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match canonical(kind, value, &mut out).ok()? {
        Change::None => Some(value.to_vec()),
        Change::Rewritten => Some(out),
    }
}

/// Changes one byte and says whether a root differs, as it must, or the reading refuses.
fn is_seen(database: Database, rows: &Rows, before: &DatabaseRoot, at: usize, change: u8) -> Result<(), String> {
    let (key, byte) = byte_at(rows, at);
    let mut changed = rows.clone();
    let value = changed.remove(&key).expect("the row");
    let (mut new_key, mut new_value) = (key.clone(), value.clone());
    match byte.checked_sub(key.len()) {
        None => new_key[byte] ^= change,
        Some(byte) => new_value[byte] ^= change,
    }
    changed.insert(new_key.clone(), new_value.clone());
    let place = format!("byte {byte} of {} ^ {change:02x}", key.escape_ascii());
    let Ok(after) = database_root(&store(&changed), Content::Records(database)) else { return Ok(()) };
    let differs = |one: &Side, two: &Side| one.root != two.root;
    if !differs(&after.shared, &before.shared) {
        // Only what the root is said to leave out may be missing in it: the store's own root must have it.
        let is_own_way =
            encoding(database, &key).is_some_and(|kind| new_key == key && form(kind, &value) == form(kind, &new_value));
        let is_own_record = before.own.records > 0 && encoding(database, &key).is_none();
        if !differs(&after.own, &before.own) || !(is_own_way || is_own_record) {
            return Err(place);
        }
    }
    Ok(())
}

#[test]
fn every_changed_byte_of_a_small_store_changes_a_root() {
    for name in ["cometbft-1.0-v1-goleveldb", "cometbft-0.38-goleveldb-ext"] {
        for database in CONVERTED {
            let rows = small(home(name), database);
            let before = root(&rows, database);
            let bytes: usize = rows.iter().map(|(key, value)| key.len() + value.len()).sum();
            let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) };
            proptest!(config, |(at in 0..bytes.max(1), change in 1..=u8::MAX)| {
                if bytes > 0 {
                    let seen = is_seen(database, &rows, &before, at, change);
                    prop_assert!(seen.is_ok(), "{name} {}: {seen:?}", database.name());
                }
            });
        }
    }
}

#[test]
fn what_the_root_leaves_out_is_under_the_own_root() {
    let home = home("cometbft-1.0-v1-goleveldb");
    let rows = home.rows(Database::State);
    let before = root(rows, Database::State);
    let with = |key: &[u8], value: &[u8]| {
        let mut rows = rows.clone();
        rows.insert(key.to_vec(), value.to_vec());
        root(&rows, Database::State)
    };
    for key in ["version", "genesisDoc", "genesisDocHash", "AppRetainHeightKey", "DCBlockRetainHeightKey"] {
        let after = with(key.as_bytes(), b"other");
        assert_eq!(after.shared, before.shared, "{key}");
        assert_ne!(after.own.root, before.own.root, "{key}");
    }
    // The bounds of clocks in the first parameters.
    let mut value = rows[b"consensusParamsKey:1".as_slice()].clone();
    let delay = hex::decode("1202080f").expect("hex");
    let at = value.windows(4).position(|bytes| bytes == delay).expect("v1.0 writes a delay of 15 seconds");
    value[at + 3] += 1;
    let after = with(b"consensusParamsKey:1", &value);
    assert_eq!(after.shared, before.shared);
    assert_ne!(after.own.root, before.own.root);
    for key in ["offlineStateSyncHeightKey", "anything"] {
        assert_ne!(with(key.as_bytes(), b"other").shared.root, before.shared.root, "{key}");
    }
}
