//! Commits: each way not to prove a block has its own reason.

use ed25519_zebra::SigningKey;
use proofs::commit::{
    BlockId, Commit, CommitError, CommitSignature, Flag, SignatureBatch, SignaturePlace, Tally, Timestamp,
    ValidatorSet, VoteTemplate,
};

use crate::signatures::{public_key, signing_key};

const CHAIN: &str = "test-chain";
const BLOCK: BlockId = BlockId { hash: [1; 32], part_count: 3, part_set_hash: [2; 32] };

/// What a signature of a test owns.
struct Place {
    flag: Flag,
    address: Vec<u8>,
    time: Timestamp,
    signature: Vec<u8>,
}

fn keys() -> Vec<SigningKey> {
    (0..4).map(signing_key).collect()
}

/// Four validators with the powers 10, 11, 12 and 13.
fn validators() -> ValidatorSet {
    ValidatorSet::new(keys().iter().map(public_key).zip(10..)).expect("a set")
}

fn places(height: i64, flags: [Flag; 4]) -> Vec<Place> {
    let mut template = VoteTemplate::new(CHAIN);
    template.set(height, 0, &BLOCK);
    let make = |(index, (flag, key)): (usize, (Flag, &SigningKey))| {
        let time = Timestamp { seconds: 1_700_000_000 + height, nanos: i32::try_from(index).expect("small") };
        let message = match flag {
            Flag::Absent => return Place { flag, address: Vec::new(), time, signature: Vec::new() },
            Flag::Commit => template.for_block(time),
            Flag::Nil => template.for_nil(time),
        };
        let signature = key.sign(message).to_bytes().to_vec();
        Place { flag, address: public_key(key).address().to_vec(), time, signature }
    };
    flags.into_iter().zip(&keys()).enumerate().map(make).collect()
}

fn verify(places: &[Place], height: i64) -> Result<Tally, CommitError> {
    let signatures = signatures(places);
    let commit = Commit { height, round: 0, block: BLOCK, signatures: &signatures };
    commit.verify(CHAIN, &validators())
}

fn signatures(places: &[Place]) -> Vec<CommitSignature<'_>> {
    let lend = |place: &'_ Place| (place.flag, place.time);
    places
        .iter()
        .map(|place| {
            let (flag, time) = lend(place);
            CommitSignature { flag, address: &place.address, time, signature: &place.signature }
        })
        .collect()
}

use Flag::{Absent, Commit as Signed, Nil};

#[test]
fn signatures_for_the_block_count_and_others_do_not() {
    assert_eq!(verify(&places(5, [Signed; 4]), 5), Ok(Tally { signed: 46, total: 46 }));
    assert_eq!(verify(&places(5, [Absent, Signed, Signed, Signed]), 5), Ok(Tally { signed: 36, total: 46 }));
    assert_eq!(verify(&places(5, [Nil, Signed, Signed, Signed]), 5), Ok(Tally { signed: 36, total: 46 }));
}

#[test]
fn two_thirds_or_less_are_not_enough() {
    let expected = CommitError::NotEnoughPower { height: 5, signed: 25, total: 46 };
    assert_eq!(verify(&places(5, [Nil, Absent, Signed, Signed]), 5), Err(expected));
}

#[test]
fn a_bad_signature_is_named_even_when_it_is_for_nil() {
    for (index, flags) in [(2, [Signed; 4]), (0, [Nil, Signed, Signed, Signed])] {
        let mut places = places(5, flags);
        places[index].signature[40] ^= 1;
        assert_eq!(verify(&places, 5), Err(CommitError::BadSignature { height: 5, index }));
    }
}

#[test]
fn a_vote_for_nil_does_not_pass_for_one_for_the_block() {
    let mut places = places(5, [Nil, Signed, Signed, Signed]);
    places[0].flag = Signed;
    assert_eq!(verify(&places, 5), Err(CommitError::BadSignature { height: 5, index: 0 }));
}

#[test]
fn the_address_must_be_that_of_the_validator_at_the_place() {
    // CometBFT advisory GHSA-c32p-wcqj-j677: the signatures hold whatever address stands beside them.
    let mut places = places(5, [Signed; 4]);
    let (actual, expected) = (places[3].address.clone(), validators().validators()[1].address());
    places[1].address.clone_from(&actual);
    assert_eq!(verify(&places, 5), Err(CommitError::AddressMismatch { height: 5, index: 1, expected, actual }));
}

#[test]
fn signatures_of_another_height_round_or_chain_do_not_hold() {
    let places = places(5, [Signed; 4]);
    assert_eq!(verify(&places, 6), Err(CommitError::BadSignature { height: 6, index: 0 }));
    let signatures = signatures(&places);
    let commit = Commit { height: 5, round: 1, block: BLOCK, signatures: &signatures };
    assert!(matches!(commit.verify(CHAIN, &validators()), Err(CommitError::BadSignature { .. })));
    let commit = Commit { round: 0, ..commit };
    assert!(matches!(commit.verify("test-chain-2", &validators()), Err(CommitError::BadSignature { .. })));
}

#[test]
fn a_commit_for_another_height_block_or_set_is_told_apart() {
    let places = places(5, [Signed; 4]);
    let signatures = signatures(&places);
    let commit = Commit { height: 5, round: 0, block: BLOCK, signatures: &signatures };
    assert_eq!(commit.is_for(5, &BLOCK), Ok(()));
    assert_eq!(commit.is_for(6, &BLOCK), Err(CommitError::WrongHeight { expected: 6, actual: 5 }));
    let other = BlockId { part_count: 4, ..BLOCK };
    assert_eq!(
        commit.is_for(5, &other),
        Err(CommitError::WrongBlock { height: 5, expected: other.into(), actual: BLOCK.into() })
    );
    let short = Commit { signatures: &signatures[..3], ..commit };
    let expected = CommitError::SignatureCount { height: 5, expected: 4, actual: 3 };
    assert_eq!(short.verify(CHAIN, &validators()), Err(expected));
}

#[test]
fn a_walk_over_many_heights_names_height_and_index() {
    let (validators, mut template) = (validators(), VoteTemplate::new(CHAIN));
    let mut batch = SignatureBatch::new();
    for height in 1..=700 {
        let mut places = places(height, [Signed; 4]);
        if height == 600 {
            places[2].signature[0] ^= 1;
        }
        let signatures = signatures(&places);
        let commit = Commit { height, round: 0, block: BLOCK, signatures: &signatures };
        // The commit and the seen commit of a height.
        for _ in 0..2 {
            let tally = commit.queue(&validators, &mut template, &mut batch);
            assert_eq!(tally, Ok(Tally { signed: 46, total: 46 }));
        }
    }
    let bad = batch.finish().expect_err("one is bad").tags;
    assert_eq!(bad, [SignaturePlace { height: 600, index: 2 }; 2]);
    assert_eq!(batch.checked(), 4 * 700);
}
