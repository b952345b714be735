//! What holds for arbitrary records: converting there and back gives the same bytes, converting twice changes nothing
//! more, and every dialect's record decodes to the same values.

use proptest::prelude::*;

use super::{Change, Target, canonical, convert};
use crate::comet::class::Kind;
use crate::comet::key::StateRecord;
use crate::comet::wire::{put_bytes, put_int, put_message, put_uint, put_varint};
use crate::comet::{Decode, Results, ValidatorsInfo};

/// A validator's values: address, key (kind 0 or 1), power, priority.
type Row = (Vec<u8>, bool, [u8; 32], u64, i64);

fn any_validator() -> impl Strategy<Value = Row> {
    (proptest::collection::vec(any::<u8>(), 0..21), any::<bool>(), any::<[u8; 32]>(), 0..1_u64 << 60, any::<i64>())
}

fn key_of(row: &Row) -> (u32, &'static str, Vec<u8>) {
    if row.1 { (2, "secp256k1", [&row.2[..], &[2]].concat()) } else { (1, "ed25519", row.2.to_vec()) }
}

fn put_validator(out: &mut Vec<u8>, number: u32, row: &Row, is_v1: bool) {
    let (kind, name, key) = key_of(row);
    put_message(out, number, |out| {
        put_bytes(out, 1, &row.0);
        if !is_v1 {
            put_message(out, 2, |out| put_bytes(out, kind, &key));
        }
        put_uint(out, 3, row.3);
        put_int(out, 4, row.4);
        if is_v1 {
            put_bytes(out, 5, &key);
            put_bytes(out, 6, name.as_bytes());
        }
        // A field that no release has: it must survive.
        put_uint(out, 19, row.3 & 1);
    });
}

fn info(rows: &[Row], changed: u64, is_v1: bool) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(proposer) = rows.first() {
        put_message(&mut out, 1, |out| {
            rows.iter().for_each(|row| put_validator(out, 1, row, is_v1));
            put_validator(out, 2, proposer, is_v1);
        });
    }
    put_uint(&mut out, 2, changed);
    out
}

fn results(updates: &[Row], height: Option<u64>, app_hash: &[u8], is_v1: bool) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, 2, &[0x08, 0x01]);
    for row in updates {
        let (kind, name, key) = key_of(row);
        put_message(&mut out, 3, |out| {
            if is_v1 {
                put_uint(out, 2, row.3);
                put_bytes(out, 3, &key);
                put_bytes(out, 4, name.as_bytes());
            } else {
                put_message(out, 1, |out| put_bytes(out, kind, &key));
                put_uint(out, 2, row.3);
            }
        });
    }
    if let Some(height) = height {
        put_message(&mut out, 4, |out| {
            let wrapped = |out: &mut Vec<u8>| put_uint(out, 1, height);
            if is_v1 {
                put_message(out, 7, |out| put_message(out, 1, wrapped));
            } else {
                put_message(out, 5, wrapped);
            }
        });
    }
    put_message(&mut out, 5, |out| out.extend_from_slice(app_hash));
    out
}

fn params(block: (i64, i64), height: u64, changed: u64, to: Target) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(&mut out, 1, |out| {
        put_message(out, 1, |out| {
            put_int(out, 1, block.0);
            put_int(out, 2, block.1);
        });
        let wrapped = |out: &mut Vec<u8>, number| put_message(out, number, |out| put_uint(out, 1, height));
        if to == Target::V1_0 {
            put_message(out, 6, |out| {
                put_message(out, 1, |_| {});
                put_message(out, 2, |_| {});
            });
            put_message(out, 7, |out| {
                wrapped(out, 1);
                put_message(out, 2, |_| {});
            });
        } else {
            wrapped(out, 5);
        }
        if to == Target::V0_40 {
            put_message(out, 6, |_| {});
        }
    });
    put_uint(&mut out, 2, changed);
    out
}

/// The value in the form of `to`; the value itself where nothing changes.
fn converted(kind: Kind, value: &[u8], to: Target) -> Vec<u8> {
    let mut out = Vec::new();
    match convert(kind, value, to, &mut out).expect("converts") {
        Change::None => value.to_vec(),
        Change::Rewritten => out,
    }
}

/// The kinds whose values differ between dialects.
const KINDS: [Kind; 5] = [
    Kind::Validators,
    Kind::ConsensusParams,
    Kind::AbciResponses,
    Kind::PendingEvidence,
    Kind::State(StateRecord::State),
];

/// The value in its canonical form, if it has one.
fn canonical_of(kind: Kind, value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match canonical(kind, value, &mut out).ok()? {
        Change::None => Some(value.to_vec()),
        Change::Rewritten => Some(out),
    }
}

/// Messages of messages with the numbers that matter here: what a release never writes, but a decoder may meet.
fn any_message() -> impl Strategy<Value = Vec<u8>> {
    let number = || prop_oneof![1..9_u32, Just(19)];
    let integer = || prop_oneof![Just(0), Just(1), 0..300_u64, any::<u64>()];
    let key = (1..3_u32, any::<bool>()).prop_map(|(kind, is_long)| {
        let mut out = Vec::new();
        put_bytes(&mut out, kind, &vec![7; if is_long { 33 } else { 32 }]);
        out
    });
    let leaf = prop_oneof![
        (number(), integer()).prop_map(|(number, value)| {
            let mut out = Vec::new();
            put_varint(&mut out, u64::from(number) << 3);
            put_varint(&mut out, value);
            out
        }),
        key,
        proptest::sample::select(vec![b"ed25519".to_vec(), b"secp256k1".to_vec(), vec![7; 32], vec![8; 32], vec![]])
            .prop_flat_map(move |text| (number(), Just(text)))
            .prop_map(|(number, text)| {
                let mut out = Vec::new();
                put_message(&mut out, number, |out| out.extend_from_slice(&text));
                out
            }),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        (number(), proptest::collection::vec(inner, 0..6)).prop_map(|(number, fields)| {
            let mut out = Vec::new();
            put_message(&mut out, number, |out| fields.iter().for_each(|field| out.extend_from_slice(field)));
            out
        })
    })
}

proptest! {
    #[test]
    fn validators_convert_to_what_the_other_release_writes_and_back(rows in proptest::collection::vec(any_validator(), 0..6), changed in 0..1_u64 << 40) {
        let (old, v1) = (info(&rows, changed, false), info(&rows, changed, true));
        for to in [Target::V0_38, Target::V0_40] {
            prop_assert_eq!(&converted(Kind::Validators, &v1, to), &old);
            prop_assert_eq!(&converted(Kind::Validators, &old, to), &old);
        }
        prop_assert_eq!(&converted(Kind::Validators, &old, Target::V1_0), &v1);
        prop_assert_eq!(&converted(Kind::Validators, &v1, Target::V1_0), &v1);
        prop_assert_eq!(ValidatorsInfo::decode(&old).expect("decodes"), ValidatorsInfo::decode(&v1).expect("decodes"));
    }

    #[test]
    fn results_convert_to_what_the_other_release_writes_and_back(
        updates in proptest::collection::vec(any_validator(), 0..4),
        height in proptest::option::of(0..1_u64 << 40),
        app_hash in proptest::collection::vec(any::<u8>(), 0..33),
    ) {
        let (old, v1) = (results(&updates, height, &app_hash, false), results(&updates, height, &app_hash, true));
        prop_assert_eq!(&converted(Kind::AbciResponses, &v1, Target::V0_38), &old);
        prop_assert_eq!(&converted(Kind::AbciResponses, &old, Target::V1_0), &v1);
        prop_assert_eq!(&converted(Kind::AbciResponses, &old, Target::V0_40), &old);
        let (old, v1) = (Results::decode(&old).expect("decodes"), Results::decode(&v1).expect("decodes"));
        prop_assert_eq!(old.validator_updates, v1.validator_updates);
        prop_assert_eq!(old.app_hash, v1.app_hash);
    }

    #[test]
    fn parameters_convert_between_all_targets(block in (1..i64::MAX, -1..i64::MAX), height in 0..1_u64 << 40, changed in 1..1_u64 << 40) {
        for from in Target::ALL {
            for to in Target::ALL {
                let value = converted(Kind::ConsensusParams, &params(block, height, changed, from), to);
                prop_assert_eq!(&value, &params(block, height, changed, to), "{} to {}", from, to);
            }
        }
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut out = Vec::new();
        for to in Target::ALL {
            for kind in [Kind::Validators, Kind::ConsensusParams, Kind::AbciResponses, Kind::PendingEvidence] {
                let outcome = convert(kind, &bytes, to, &mut out);
                // What was converted is in the wanted form: converting it again changes nothing.
                if outcome == Ok(Change::Rewritten) {
                    let mut again = Vec::new();
                    prop_assert_eq!(convert(kind, &out, to, &mut again), Ok(Change::None));
                }
            }
        }
    }

    #[test]
    fn all_dialects_of_a_record_have_one_canonical_form(
        rows in proptest::collection::vec(any_validator(), 0..5),
        height in 0..1_u64 << 40,
        app_hash in proptest::collection::vec(any::<u8>(), 0..33),
    ) {
        let same = |kind, forms: &[Vec<u8>]| {
            let first = canonical_of(kind, &forms[0]).expect("has a form");
            forms.iter().all(|form| canonical_of(kind, form).as_ref() == Some(&first))
        };
        prop_assert!(same(Kind::Validators, &[info(&rows, height, false), info(&rows, height, true)]));
        let of = |is_v1| results(&rows, Some(height), &app_hash, is_v1);
        prop_assert!(same(Kind::AbciResponses, &[of(false), of(true)]));
        let of = |target| params((5, -1), height, 7, target);
        prop_assert!(same(Kind::ConsensusParams, &Target::ALL.map(of)));
    }

    #[test]
    fn the_canonical_form_outlives_every_conversion(bytes in any_message(), kind in proptest::sample::select(KINDS.to_vec())) {
        let canonical = canonical_of(kind, &bytes);
        if let Some(canonical) = &canonical {
            let again = canonical_of(kind, canonical);
            prop_assert_eq!(again.as_ref(), Some(canonical), "of the canonical form itself");
        }
        for to in Target::ALL {
            let mut out = Vec::new();
            if convert(kind, &bytes, to, &mut out) == Ok(Change::Rewritten) {
                prop_assert!(canonical.is_some());
                prop_assert_eq!(&canonical_of(kind, &out), &canonical, "{}", to);
            }
        }
    }
}
