//! Commits that real nodes wrote (`data/commits.txt`): CometBFT 0.34, 0.37, 0.38, 0.40 and 1.0, four validators
//! each, made for these tests with unmodified releases.
//!
//! One a line: chain id | height | round | block hash | parts | part-set hash | validators | signatures; a
//! validator is `type:key:power`, a signature `flag:address:seconds:nanos:signature`.

use proofs::commit::{
    BlockId, Commit, CommitError, CommitSignature, Flag, KeyType, PublicKey, SignatureBatch, Tally, Timestamp,
    ValidatorSet, VoteTemplate,
};

/// A line of the file.
struct Stored {
    chain_id: String,
    height: i64,
    round: i32,
    block: BlockId,
    validators: ValidatorSet,
    signatures: Vec<StoredSignature>,
}

struct StoredSignature {
    flag: Flag,
    address: Vec<u8>,
    time: Timestamp,
    signature: Vec<u8>,
}

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a number")
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).expect("hex")
}

fn parts<const N: usize>(text: &str, by: char) -> [&str; N] {
    text.split(by).collect::<Vec<_>>().try_into().expect("as many parts as the format has")
}

fn hash(text: &str) -> [u8; 32] {
    bytes(text).try_into().expect("32 bytes")
}

fn stored() -> Vec<Stored> {
    include_str!("data/commits.txt").lines().map(read).collect()
}

fn read(line: &str) -> Stored {
    let [chain_id, height, round, block_hash, part_count, part_set_hash, validators, signatures] = parts(line, '|');
    let validators = validators.split(',').map(|validator| {
        let [key_type, key, power] = parts(validator, ':');
        let key_type = if key_type == "ed25519" { KeyType::Ed25519 } else { KeyType::Secp256k1 };
        (PublicKey::new(key_type, &bytes(key)).expect("a key"), number(power))
    });
    let signatures = signatures.split(',').map(|signature| {
        let [flag, address, seconds, nanos, signature] = parts(signature, ':');
        StoredSignature {
            flag: Flag::try_from(number::<i32>(flag)).expect("a flag"),
            address: bytes(address),
            time: Timestamp { seconds: number(seconds), nanos: number(nanos) },
            signature: bytes(signature),
        }
    });
    Stored {
        chain_id: chain_id.to_owned(),
        height: number(height),
        round: number(round),
        block: BlockId { hash: hash(block_hash), part_count: number(part_count), part_set_hash: hash(part_set_hash) },
        validators: ValidatorSet::new(validators).expect("a set"),
        signatures: signatures.collect(),
    }
}

impl Stored {
    fn signatures(&self) -> Vec<CommitSignature<'_>> {
        let lend = |stored: &StoredSignature| (stored.flag, stored.time);
        let with = |stored| {
            let (flag, time) = lend(stored);
            CommitSignature { flag, address: &stored.address, time, signature: &stored.signature }
        };
        self.signatures.iter().map(with).collect()
    }

    fn commit<'a>(&self, signatures: &'a [CommitSignature<'a>]) -> Commit<'a> {
        Commit { height: self.height, round: self.round, block: self.block, signatures }
    }
}

#[test]
fn every_commit_proves_its_block() {
    for stored in stored() {
        let verdict = stored.commit(&stored.signatures()).verify(&stored.chain_id, &stored.validators);
        assert!(verdict.is_ok_and(Tally::is_enough), "{} height {}", stored.chain_id, stored.height);
    }
}

#[test]
fn all_commits_of_a_walk_are_proven_in_one_batch() {
    let (all, mut batch) = (stored(), SignatureBatch::new());
    for stored in &all {
        let mut template = VoteTemplate::new(&stored.chain_id);
        let tally = stored.commit(&stored.signatures()).queue(&stored.validators, &mut template, &mut batch);
        assert!(tally.is_ok(), "{} height {}", stored.chain_id, stored.height);
    }
    assert_eq!(batch.finish(), Ok(()));
}

#[test]
fn no_commit_proves_another_block() {
    for stored in stored() {
        let block = BlockId { part_set_hash: [1; 32], ..stored.block };
        let signatures = stored.signatures();
        let commit = Commit { block, ..stored.commit(&signatures) };
        let verdict = commit.verify(&stored.chain_id, &stored.validators);
        assert!(
            matches!(verdict, Err(CommitError::BadSignature { .. })),
            "{} height {}",
            stored.chain_id,
            stored.height
        );
    }
}
