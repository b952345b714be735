//! Damaged values: real ones cut at every length and changed at every byte never make a decoder panic, and
//! what they say is either refused or read to the end.

use std::collections::BTreeMap;

use ledger_formats::comet::class::{Class, Database, Kind, class};
use ledger_formats::comet::key::StateRecord;
use ledger_formats::comet::{
    Block, BlockMeta, BlockStoreState, Commit, ConsensusParams, ConsensusParamsInfo, Decode, DecodeError, Evidence,
    ExtendedCommit, Int64Value, LastResults, LightBlock, Part, PartSetHeader, Results, State, TimeRule, TxResult,
    ValidatorSet, ValidatorsInfo, decode_decimal_height, decode_layout, decode_zigzag_height, median_time,
};

use super::comet_home::homes;

/// Longest value that is damaged at every byte.
const BYTES_MAX: usize = 4_000;

/// Decodes a value as what its class says, and uses what came out.
fn decode(class: Class, value: &[u8]) -> Result<(), DecodeError> {
    match class.kind {
        Kind::BlockMeta => used(BlockMeta::decode(value)?.header.hash()),
        Kind::BlockPart => use_part(&Part::decode(value)?),
        Kind::Commit | Kind::SeenCommit => {
            let commit = Commit::decode(value)?;
            used((commit.hash(), commit.to_proof()));
        }
        Kind::ExtendedCommit => used(ExtendedCommit::decode(value)?),
        Kind::BlockHash => used(decode_decimal_height(value)?),
        Kind::BlockStoreState => used(BlockStoreState::decode(value)?),
        Kind::Validators => use_validators(&ValidatorsInfo::decode(value)?.validator_set.unwrap_or_default()),
        Kind::ConsensusParams => use_params(&ConsensusParamsInfo::decode(value)?.consensus_params),
        Kind::AbciResponses => used(Results::decode(value)?.hash()),
        Kind::State(StateRecord::State) => used(State::decode(value)?),
        Kind::State(StateRecord::LastAbciResponse) => used(LastResults::decode(value)?),
        Kind::State(StateRecord::Version) | Kind::LayoutVersion => used(decode_layout(value)?),
        Kind::State(StateRecord::GenesisDoc | StateRecord::GenesisDocHash) | Kind::TxHeight | Kind::TxEvent => {}
        Kind::State(_) | Kind::BlockEvent | Kind::IndexRetainHeight => used(decode_zigzag_height(value)?),
        Kind::CommittedEvidence => used(Int64Value::decode(value)?),
        Kind::PendingEvidence => used(Evidence::decode(value)?.identity()?),
        Kind::TxResult => used(TxResult::decode(value)?),
        Kind::LightBlock => {
            let block = LightBlock::decode(value)?;
            used((block.header.hash(), block.commit.hash()));
            use_validators(&block.validator_set);
        }
        Kind::LightSize | Kind::LightProvider => {}
        Kind::Unknown => panic!("a key of no known class"),
    }
    Ok(())
}

fn used<T>(value: T) {
    std::hint::black_box(value);
}

fn use_part(part: &Part<'_>) {
    used(part.verify(part.index, &PartSetHeader { total: 1, hash: &[0; 32] }));
    if let Ok(block) = Block::decode(part.bytes) {
        used((block.header.hash(), block.data_hash(), block.evidence_hash(), block.last_commit.hash()));
        block.evidence.iter().for_each(|evidence| used(evidence.identity()));
    }
}

fn use_validators(set: &ValidatorSet<'_>) {
    used((set.hash(), set.to_proof(), set.total_power()));
    used(median_time(&Commit::default(), set, TimeRule::AllVotes));
}

fn use_params(params: &ConsensusParams<'_>) {
    used((params.hash(), params.is_empty(), params.sixth()));
    used((params.vote_extensions_enable_height(), params.pbts_enable_height()));
}

/// The longest value of each class of each home that is short enough.
fn samples() -> Vec<(String, Class, &'static [u8])> {
    let mut samples = BTreeMap::new();
    for home in homes() {
        for database in Database::ALL {
            for (key, value) in home.rows(database).iter().filter(|(_, value)| value.len() <= BYTES_MAX) {
                let class = class(database, key);
                let longest: &mut &[u8] = samples.entry((home.name.clone(), class)).or_default();
                if value.len() > longest.len() {
                    *longest = value;
                }
            }
        }
    }
    samples.into_iter().map(|((name, class), value)| (name, class, value)).collect()
}

#[test]
fn every_real_value_decodes() {
    for home in homes() {
        for database in Database::ALL {
            for (key, value) in home.rows(database) {
                let class = class(database, key);
                decode(class, value).unwrap_or_else(|error| panic!("{} {}: {error}", home.name, key.escape_ascii()));
            }
        }
    }
}

#[test]
fn values_cut_at_any_length_are_refused_or_shorter_messages() {
    for (name, class, value) in samples() {
        for length in 0..value.len() {
            if let Err(error) = decode(class, &value[..length]) {
                assert!(error.place().offset <= length, "{name} {} cut at {length}: {error}", class.name());
            }
        }
    }
}

#[test]
fn values_changed_at_any_byte_never_panic() {
    let (mut refused, mut read) = (0_u64, 0_u64);
    for (_, class, value) in samples() {
        let mut damaged = value.to_vec();
        for at in 0..damaged.len() {
            for flip in [0x01, 0x04, 0x08, 0x80, 0xff] {
                damaged[at] ^= flip;
                *(if decode(class, &damaged).is_ok() { &mut read } else { &mut refused }) += 1;
                damaged[at] ^= flip;
            }
        }
    }
    assert!(refused > 10_000 && read > 10_000, "{refused} refused, {read} read");
}
