//! Converted homes against their own headers: what the records of each height say in their new form is still what the chain signed.
//!
//! The decoders of this crate read every dialect, and so would not see that a record kept its old form. So the records are read a second
//! time here by a reader that knows only the fields of the release in question.

use ledger_formats::comet::dialect::Target;
use ledger_formats::comet::key::{BlockKey, StateKey};
use ledger_formats::comet::wire::{Decode, Field, Reader, Value};
use ledger_formats::comet::{PublicKey, Results, ResultsForm, ValidatorSet};

use super::comet_home::{Home, homes};
use super::comet_state::{assert_parameters, assert_results, assert_validators, parameters_at, validators_at};

/// Every home as each release would have it, with the home that it was.
fn each(mut check: impl FnMut(&Home, &Home, Target)) {
    for home in homes() {
        for target in Target::ALL {
            check(&home.converted_to(target), home, target);
        }
    }
}

#[test]
fn hashes_of_converted_records_equal_the_headers_at_every_height() {
    each(|converted, home, _| {
        assert_validators(converted);
        assert_parameters(converted);
        assert_eq!(assert_results(converted), assert_results(home));
    });
}

/// Numbers of the fields for a key: one of releases before v1.0, bytes and type of v1.0.
struct KeyFields(u32, [u32; 2]);

const VALIDATOR: KeyFields = KeyFields(2, [5, 6]);
const UPDATE: KeyFields = KeyFields(1, [3, 4]);

fn fields<'a>(bytes: &'a [u8], number: u32) -> Vec<Field<'a>> {
    let mut reader = Reader::new(bytes);
    let mut found = Vec::new();
    while let Some(field) = reader.next().expect("decodes") {
        if field.number == number {
            found.push(field);
        }
    }
    found
}

fn content<'a>(field: &Field<'a>) -> &'a [u8] {
    match field.value {
        Value::Bytes(bytes) => bytes,
        other => panic!("{other:?} instead of bytes"),
    }
}

/// Name of the kind, and bytes.
type Key<'a> = (&'a [u8], &'a [u8]);

fn known(key: PublicKey<'_>) -> Key<'_> {
    (key.kind.name.as_bytes(), key.bytes)
}

/// The key that a release finds in a validator or update, which must have nothing of the other form.
fn key_of<'a>(message: &'a [u8], KeyFields(plain, [bytes, name]): &KeyFields, target: Target) -> Key<'a> {
    let found = |number: u32| fields(message, number).into_iter().next();
    let place = hex::encode(message);
    if target == Target::V1_0 {
        assert!(found(*plain).is_none(), "a key of the releases before v1.0: {place}");
        let (bytes, name) = found(*bytes).zip(found(*name)).unwrap_or_else(|| panic!("no key: {place}"));
        return (content(&name), content(&bytes));
    }
    assert!(found(*bytes).is_none() && found(*name).is_none(), "a key of v1.0: {place}");
    known(PublicKey::decode(content(&found(*plain).unwrap_or_else(|| panic!("no key: {place}")))).expect("a known key"))
}

/// The keys in a set, read as a release reads them.
fn keys<'a>(set: &'a [u8], target: Target) -> Vec<Key<'a>> {
    fields(set, 1).iter().map(|validator| key_of(content(validator), &VALIDATOR, target)).collect()
}

fn known_keys<'a>(set: &ValidatorSet<'a>) -> Vec<Key<'a>> {
    set.validators.iter().map(|validator| known(validator.pub_key)).collect()
}

#[test]
fn each_release_finds_the_keys_of_all_validators_where_it_looks_for_them() {
    let mut sets = 0;
    each(|converted, home, target| {
        for (height, _) in home.blocks() {
            let value = converted.state(&StateKey::Validators { height }).expect("a record");
            let Some(set) = fields(value, 1).first().map(content) else { continue };
            assert_eq!(keys(set, target), known_keys(&validators_at(home, height)), "{} height {height}", home.name);
            sets += 1;
        }
        for number in [6, 7, 8] {
            let found = fields(converted.tip(), number);
            let before = fields(home.tip(), number);
            assert_eq!(found.len(), before.len(), "{}: set {number} of the state", home.name);
            found.iter().for_each(|set| assert!(!keys(content(set), target).is_empty(), "{}", home.name));
        }
    });
    assert!(sets >= 450, "{sets} sets");
}

#[test]
fn each_release_finds_the_keys_of_validator_updates() {
    let mut updates = 0;
    each(|converted, home, target| {
        for (height, _) in home.blocks() {
            let Some(value) = converted.state(&StateKey::AbciResponses { height }) else { continue };
            let before = home.state(&StateKey::AbciResponses { height }).expect("results before");
            let before = Results::decode(before).expect("decodes");
            if before.form == ResultsForm::Legacy {
                continue;
            }
            let found: Vec<_> =
                fields(value, 3).iter().map(|update| key_of(content(update), &UPDATE, target)).collect();
            let known: Vec<_> = before.validator_updates.iter().map(|update| known(update.pub_key)).collect();
            assert_eq!(found, known, "{} height {height}", home.name);
            updates += found.len();
        }
    });
    assert!(updates >= 300, "{updates} updates");
}

/// From which height on a release finds vote extensions enabled; 0 for never.
fn extensions_by(target: Target, params: &[u8]) -> u64 {
    let wrapped = |message: &[u8], number: u32| {
        let field = fields(message, number).first().map(content)?;
        fields(field, 1).first().map(|field| match field.value {
            Value::Varint(height) => Some(height),
            Value::Bytes(inner) => fields(inner, 1).first().and_then(|height| match height.value {
                Value::Varint(height) => Some(height),
                _ => None,
            }),
            _ => None,
        })?
    };
    let number = if target == Target::V1_0 { 7 } else { 5 };
    wrapped(params, number).unwrap_or(0)
}

#[test]
fn vote_extensions_stay_enabled_for_the_release_that_reads_the_parameters() {
    let mut enabled = 0;
    each(|converted, home, target| {
        let at_the_tip = fields(converted.tip(), 10).first().map(content).expect("parameters");
        for (height, _) in home.blocks() {
            let expected = parameters_at(home, height).vote_extensions_enable_height();
            let value = converted.state(&StateKey::ConsensusParams { height }).expect("a record");
            let params = fields(value, 1).first().map(content).unwrap_or_default();
            if parameters_at(converted, height) == Decode::decode(params).expect("decodes") {
                assert_eq!(extensions_by(target, params), expected, "{} height {height}", home.name);
            }
            let has_commit = converted.block(&BlockKey::ExtendedCommit { height }).is_some();
            assert_eq!(has_commit, expected > 0 && height >= expected, "{} height {height}", home.name);
            enabled += u64::from(has_commit);
        }
        let last = home.blocks().map(|(height, _)| height).max().expect("a block");
        let expected = parameters_at(home, last).vote_extensions_enable_height();
        assert_eq!(extensions_by(target, at_the_tip), expected, "{}: the state", home.name);
    });
    assert!(enabled >= 3 * 400, "{enabled} extended commits");
}
