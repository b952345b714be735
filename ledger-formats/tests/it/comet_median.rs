//! Block times by the two rules, on blocks for which they differ: captured from nodes of either kind.
//!
//! The `.hex` files are answers of a node's block sync, a block in two wrappers; every validator of those
//! networks has power 1.

use ledger_formats::comet::wire::Reader;
use ledger_formats::comet::{Block, Decode, TimeRule, Validator, ValidatorSet, median_time};
use proofs::commit::Timestamp;

/// `1a LL LL 0a LL LL` before the block: field 3 of the message, field 1 of the answer.
fn block_of(answer: &[u8]) -> Block<'_> {
    let answer = Reader::new(answer).next().expect("decodes").expect("a field");
    let block = answer.reader("block_response").expect("a message").next().expect("decodes").expect("a field");
    Block::decode(block.bytes("block").expect("bytes")).expect("a block")
}

/// The voters of a commit with power 1 each, under keys that do not matter here.
fn voters<'a>(block: &Block<'a>) -> ValidatorSet<'a> {
    let key = [&[0x12, 0x22, 0x0a, 0x20][..], &[0; 32], &[0x18, 0x01]].concat();
    let key: &'static [u8] = key.leak();
    let any = Validator::decode(key).expect("decodes");
    let voter = |address| Validator { address, ..any };
    let validators = block.last_commit.signatures.iter().map(|signature| voter(signature.address)).collect();
    ValidatorSet { validators, ..ValidatorSet::default() }
}

fn times(hexadecimal: &str) -> (u64, Timestamp, [Option<Timestamp>; 2]) {
    let answer = hex::decode(hexadecimal.split_whitespace().collect::<String>()).expect("hex");
    let block = block_of(&answer);
    let voters = voters(&block);
    let by = |rule| median_time(&block.last_commit, &voters, rule);
    (block.header.height, block.header.time, [by(TimeRule::AllVotes), by(TimeRule::VotesForBlock)])
}

#[test]
fn a_block_of_0_40_has_the_median_of_the_votes_for_the_block() {
    let (height, time, [all, for_block]) = times(include_str!("comet_block_316_of_0.40.0.hex"));
    assert_eq!(height, 316);
    assert_eq!(for_block, Some(time));
    assert_eq!(all, Some(Timestamp { nanos: 254_736_497, ..time }));
    assert_eq!(time.nanos, 248_807_662);
}

#[test]
fn a_block_of_0_38_has_the_median_of_all_votes() {
    let (height, time, [all, for_block]) = times(include_str!("comet_block_1267_of_0.38.26.hex"));
    assert_eq!(height, 1267);
    assert_eq!(all, Some(time));
    assert_eq!(for_block, Some(Timestamp { nanos: 672_798_133, ..time }));
    assert_eq!(time.nanos, 730_600_296);
}

#[test]
fn votes_count_by_power_and_only_if_the_validator_is_known() {
    let answer = hex::decode(include_str!("comet_block_316_of_0.40.0.hex").split_whitespace().collect::<String>());
    let answer = answer.expect("hex");
    let block = block_of(&answer);
    let mut voters = voters(&block);
    let times: Vec<Timestamp> = block.last_commit.signatures.iter().map(|signature| signature.time).collect();
    let by = |voters: &ValidatorSet<'_>| median_time(&block.last_commit, voters, TimeRule::AllVotes);
    for (index, time) in times.iter().enumerate() {
        voters.validators[index].voting_power = 100;
        assert_eq!(by(&voters), Some(*time), "a vote of more than half of the power");
        voters.validators[index].voting_power = 1;
    }
    let in_order = by(&voters);
    voters.validators.reverse();
    assert_eq!(by(&voters), in_order, "validators are found by address");
    voters.validators.clear();
    assert_eq!(by(&voters), None);
}
