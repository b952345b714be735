//! What holds for arbitrary records of every kind: what is written reads back as it was, in each dialect; a conversion
//! gives what the other release writes, and back; and what has one form in all dialects is never touched.

mod encode;
mod tape;

use encode::alone;
use ledger_formats::comet::class::Kind;
use ledger_formats::comet::dialect::{Change, Target, convert, last_response, split_last_response};
use ledger_formats::comet::key::{Layout, StateRecord};
use ledger_formats::comet::wire::{put_message, put_uint, put_varint};
use ledger_formats::comet::{
    BlockMeta, BlockStoreState, Commit, ConsensusParamsInfo, Decode, DuplicateVote, Evidence, EvidenceKind,
    ExtendedCommit, Int64Value, LastResults, LightBlock, LightClientAttack, Part, Results, ResultsForm, State,
    TxResult, ValidatorsInfo, decode_decimal_height, decode_layout, decode_zigzag_height,
};
use proptest::prelude::*;
use tape::Tape;

/// The value in the form of `to`; the value itself where nothing changes.
fn converted(kind: Kind, value: &[u8], to: Target) -> Vec<u8> {
    let mut out = Vec::new();
    match convert(kind, value, to, &mut out).expect("converts") {
        Change::None => value.to_vec(),
        Change::Rewritten => out,
    }
}

/// Every dialect's record becomes every other's, and so comes back.
fn assert_converts(kind: Kind, write: impl Fn(Target) -> Vec<u8>) {
    for from in Target::ALL {
        for to in Target::ALL {
            assert_eq!(converted(kind, &write(from), to), write(to), "{kind:?}, {from} to {to}");
        }
    }
}

/// What has one form stays, whatever the target.
fn assert_stays(kind: Kind, value: &[u8]) {
    for to in Target::ALL {
        assert_eq!(convert(kind, value, to, &mut Vec::new()), Ok(Change::None), "{kind:?} to {to}");
    }
}

fn a_tape() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..3_000)
}

const TARGETS: [Target; 3] = Target::ALL;

proptest! {
    #[test]
    fn records_of_blocks_read_back_and_stay(tape in a_tape()) {
        let mut tape = Tape::new(&tape);
        let meta = BlockMeta {
            block_id: tape.block_id(), block_size: tape.natural(), header: tape.header(), num_txs: tape.natural(),
        };
        let bytes = alone(|out| encode::meta(out, &meta));
        prop_assert_eq!(BlockMeta::decode(&bytes).expect("decodes"), meta);
        assert_stays(Kind::BlockMeta, &bytes);
        let part = tape.part();
        let bytes = alone(|out| encode::part(out, &part));
        prop_assert_eq!(&Part::decode(&bytes).expect("decodes"), &part);
        assert_stays(Kind::BlockPart, &bytes);
        let commit = tape.commit();
        let bytes = alone(|out| encode::commit(out, &commit));
        prop_assert_eq!(&Commit::decode(&bytes).expect("decodes"), &commit);
        assert_stays(Kind::Commit, &bytes);
        assert_stays(Kind::SeenCommit, &bytes);
        let commit = tape.extended_commit();
        let bytes = alone(|out| encode::extended_commit(out, &commit));
        prop_assert_eq!(&ExtendedCommit::decode(&bytes).expect("decodes"), &commit);
        assert_stays(Kind::ExtendedCommit, &bytes);
        let (base, height) = (tape.natural().max(1), tape.natural());
        let bytes = alone(|out| { put_uint(out, 1, base); put_uint(out, 2, height) });
        prop_assert_eq!(BlockStoreState::decode(&bytes).expect("decodes"), BlockStoreState { base, height });
        assert_stays(Kind::BlockStoreState, &bytes);
        let bytes = height.to_string().into_bytes();
        prop_assert_eq!(decode_decimal_height(&bytes).expect("decodes"), height);
        assert_stays(Kind::BlockHash, &bytes);
    }

    #[test]
    fn validators_read_back_and_convert(tape in a_tape()) {
        let mut tape = Tape::new(&tape);
        let (set, last_height_changed) = (tape.validator_set(), tape.natural());
        let write = |dialect| alone(|out| {
            put_message(out, 1, |out| encode::validator_set(out, &set, dialect));
            put_uint(out, 2, last_height_changed);
        });
        for dialect in TARGETS {
            let bytes = write(dialect);
            let expected = ValidatorsInfo { validator_set: Some(set.clone()), last_height_changed };
            prop_assert_eq!(ValidatorsInfo::decode(&bytes).expect("decodes"), expected);
        }
        assert_converts(Kind::Validators, write);
        let sparse = alone(|out| put_uint(out, 2, last_height_changed));
        prop_assert_eq!(ValidatorsInfo::decode(&sparse).expect("decodes"), ValidatorsInfo { validator_set: None, last_height_changed });
        assert_stays(Kind::Validators, &sparse);
    }

    #[test]
    fn parameters_read_back_and_convert(tape in a_tape(), extensions in any::<u32>().prop_map(u64::from)) {
        let params = |dialect| Tape::new(&tape).params(extensions, dialect);
        let write = |dialect| alone(|out| {
            put_message(out, 1, |out| encode::params(out, &params(dialect)));
            put_uint(out, 2, extensions);
        });
        for dialect in TARGETS {
            let bytes = write(dialect);
            let info = ConsensusParamsInfo::decode(&bytes).expect("decodes");
            prop_assert_eq!(info, ConsensusParamsInfo { consensus_params: params(dialect), last_height_changed: extensions });
        }
        assert_converts(Kind::ConsensusParams, write);
    }

    #[test]
    fn states_read_back_and_convert(tape in a_tape(), extensions in any::<u32>().prop_map(u64::from)) {
        let state = |dialect| Tape::new(&tape).state(extensions, dialect);
        let write = |dialect| alone(|out| encode::state(out, &state(dialect), dialect));
        for dialect in TARGETS {
            let bytes = write(dialect);
            prop_assert_eq!(State::decode(&bytes).expect("decodes"), state(dialect));
        }
        assert_converts(Kind::State(StateRecord::State), write);
    }

    #[test]
    fn results_read_back_and_convert(tape in a_tape(), extensions in proptest::option::of(any::<u32>().prop_map(u64::from))) {
        let results = |dialect, form| Tape::new(&tape).results(extensions, dialect, form);
        let write = |dialect, form| alone(|out| encode::results(out, &results(dialect, form), dialect));
        for dialect in TARGETS {
            let bytes = write(dialect, ResultsForm::FinalizeBlock);
            prop_assert_eq!(Results::decode(&bytes).expect("decodes"), results(dialect, ResultsForm::FinalizeBlock));
            let last = last_response(240, &bytes);
            let decoded = LastResults::decode(&last).expect("decodes");
            prop_assert_eq!((decoded.height, decoded.results), (240, Some(results(dialect, ResultsForm::FinalizeBlock))));
            prop_assert_eq!(split_last_response(&last), Ok((240, Some(&bytes[..]))));
        }
        assert_converts(Kind::AbciResponses, |dialect| write(dialect, ResultsForm::FinalizeBlock));
        assert_converts(Kind::State(StateRecord::LastAbciResponse), |dialect| {
            last_response(240, &write(dialect, ResultsForm::FinalizeBlock))
        });
        // What v0.37 and older wrote is read by all, and stays.
        let legacy = write(Target::V0_38, ResultsForm::Legacy);
        prop_assert_eq!(Results::decode(&legacy).expect("decodes"), results(Target::V0_38, ResultsForm::Legacy));
        assert_stays(Kind::AbciResponses, &legacy);
        let last = last_response(7, &legacy);
        prop_assert_eq!(split_last_response(&last), Ok((7, Some(&legacy[..]))));
    }

    #[test]
    fn evidence_and_light_blocks_read_back_and_convert(tape in a_tape(), height in 0..=i64::MAX.cast_unsigned()) {
        let mut tape = Tape::new(&tape);
        let votes = tape.duplicate_vote();
        let bytes = alone(|out| encode::duplicate_vote(out, &votes));
        prop_assert_eq!(DuplicateVote::decode(&bytes).expect("decodes"), votes);
        let pending = alone(|out| put_message(out, 1, |out| out.extend_from_slice(&bytes)));
        prop_assert_eq!(Evidence::decode(&pending).expect("decodes"), Evidence { kind: EvidenceKind::DuplicateVote, bytes: &bytes });
        assert_stays(Kind::PendingEvidence, &pending);
        let attack = tape.attack();
        let write = |dialect| alone(|out| put_message(out, 2, |out| encode::attack(out, &attack, dialect)));
        for dialect in TARGETS {
            let pending = write(dialect);
            let evidence = Evidence::decode(&pending).expect("decodes");
            prop_assert_eq!(evidence.kind, EvidenceKind::LightClientAttack);
            prop_assert_eq!(&LightClientAttack::decode(evidence.bytes).expect("decodes"), &attack);
        }
        assert_converts(Kind::PendingEvidence, write);
        let committed = alone(|out| put_uint(out, 1, height));
        prop_assert_eq!(Int64Value::decode(&committed).expect("decodes"), Int64Value(height));
        assert_stays(Kind::CommittedEvidence, &committed);
        let block = tape.light_block();
        let write = |dialect| alone(|out| encode::light_block(out, &block, dialect));
        for dialect in TARGETS {
            let bytes = write(dialect);
            prop_assert_eq!(&LightBlock::decode(&bytes).expect("decodes"), &block);
        }
        assert_converts(Kind::LightBlock, write);
    }

    #[test]
    fn the_index_and_single_numbers_read_back_and_stay(tape in a_tape(), height in 0..=i64::MAX.cast_unsigned()) {
        let result = Tape::new(&tape).tx_result();
        let bytes = alone(|out| encode::tx_result(out, &result));
        prop_assert_eq!(TxResult::decode(&bytes).expect("decodes"), result);
        let zigzag = alone(|out| put_varint(out, height << 1));
        prop_assert_eq!(decode_zigzag_height(&zigzag), Ok(height));
        for kind in [Kind::TxResult, Kind::TxHeight, Kind::TxEvent, Kind::BlockEvent, Kind::IndexRetainHeight, Kind::LightSize, Kind::LightProvider, Kind::LayoutVersion, Kind::Unknown] {
            assert_stays(kind, &tape);
        }
        for record in StateRecord::ALL {
            if !matches!(record, StateRecord::State | StateRecord::LastAbciResponse) {
                assert_stays(Kind::State(record), &tape);
            }
        }
        for layout in Layout::ALL {
            prop_assert_eq!(decode_layout(layout.label().as_bytes()), Ok(layout));
        }
    }
}
