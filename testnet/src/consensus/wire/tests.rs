//! Every message comes back from its bytes, and no bytes make a decoder panic.

use mbft_types::{
    NilOrVal, PolkaCertificate, Round, RoundCertificate, RoundCertificateType, Timeout, Validity, VoteType,
};

use super::{Message, WalRecord, WalValue, WireError, WireVersion};
use crate::chain::{Address, BlockId, Commit, CommitSig, PartSet, Signature, Time};
use crate::consensus::{Height, Proposal, SignedProposal, SignedVote, Vote};

const BLOCK: BlockId = BlockId { hash: [1; 32], part_count: 3, part_set_hash: [2; 32] };
const SIGNATURE: Signature = Signature { time: Time(1_700_000_000_123_456_789), bytes: [9; 64] };

fn vote(number: u8, kind: VoteType, value: NilOrVal<BlockId>) -> SignedVote {
    let vote = Vote { kind, height: Height(77), round: Round::new(2), value, address: Address([number; 20]) };
    SignedVote::new(vote, Signature { bytes: [number; 64], ..SIGNATURE })
}

fn proposal(pol_round: Round) -> SignedProposal {
    let address = Address([3; 20]);
    SignedProposal::new(
        Proposal { height: Height(77), round: Round::new(2), value: BLOCK, pol_round, address },
        SIGNATURE,
    )
}

fn messages() -> Vec<Message> {
    let prevotes =
        || vec![vote(1, VoteType::Prevote, NilOrVal::Val(BLOCK)), vote(2, VoteType::Prevote, NilOrVal::Val(BLOCK))];
    let mixed = vec![vote(1, VoteType::Prevote, NilOrVal::Nil), vote(2, VoteType::Precommit, NilOrVal::Val(BLOCK))];
    let (height, round) = (Height(77), Round::new(2));
    let part = PartSet::new(&[5; 150_000]).parts.remove(1);
    let place = CommitSig::Block(Address([4; 20]), SIGNATURE);
    let commit = Commit { height: 77, round: 2, block_id: BLOCK, signatures: vec![place, CommitSig::Absent] };
    vec![
        Message::Vote(vote(1, VoteType::Prevote, NilOrVal::Nil)),
        Message::Vote(vote(1, VoteType::Precommit, NilOrVal::Val(BLOCK))),
        Message::Proposal(proposal(Round::Nil)),
        Message::Proposal(proposal(Round::new(0))),
        Message::Proposal(proposal(Round::new(1))),
        Message::Part { height: 77, round: 0, block: BLOCK, part },
        Message::PolkaCertificate(PolkaCertificate::new(height, round, BLOCK, prevotes())),
        Message::RoundCertificate(RoundCertificate::new_from_votes(
            height,
            round,
            RoundCertificateType::Skip,
            mixed.clone(),
        )),
        Message::RoundCertificate(RoundCertificate::new_from_votes(
            height,
            round,
            RoundCertificateType::Precommit,
            mixed,
        )),
        Message::BlockRequest { height: 77 },
        Message::Block { height: 77, block: vec![6; 1_000], commit },
        Message::Transaction(b"a=1".to_vec()),
        Message::Transaction(Vec::new()),
    ]
}

fn records() -> Vec<WalRecord> {
    let value = WalValue {
        height: Height(77),
        round: Round::new(2),
        valid_round: Round::Nil,
        proposer: Address([3; 20]),
        value: BLOCK,
        validity: Validity::Valid,
    };
    vec![
        WalRecord::Vote(vote(1, VoteType::Precommit, NilOrVal::Nil)),
        WalRecord::Proposal(proposal(Round::Nil)),
        WalRecord::Value(value.clone()),
        WalRecord::Value(WalValue { valid_round: Round::new(1), validity: Validity::Invalid, ..value }),
        WalRecord::Timer(Timeout::propose(Round::new(0))),
        WalRecord::Timer(Timeout::precommit(Round::new(4))),
        WalRecord::Block(vec![1, 2, 3]),
    ]
}

#[test]
fn messages_come_back_in_every_version() {
    for message in messages() {
        for version in WireVersion::ALL {
            assert_eq!(Message::decode(&message.encode(version)).as_ref(), Ok(&message), "{version:?}");
        }
    }
    let block = Message::Block {
        height: 1,
        block: vec![0; 10_000],
        commit: Commit { height: 1, round: 0, block_id: BLOCK, signatures: vec![] },
    };
    assert!(block.encode(WireVersion::V2).len() < block.encode(WireVersion::V1).len() / 2);
}

#[test]
fn records_come_back() {
    for record in records() {
        assert_eq!(WalRecord::decode(&record.encode()).as_ref(), Ok(&record));
    }
}

#[test]
fn other_versions_are_named() {
    assert_eq!(Message::decode(&[3, 1, 2]), Err(WireError::Version { version: 3 }));
    assert_eq!(Message::decode(&[]), Err(WireError::Version { version: 0 }));
    // A length of 4 GiB less one byte, claimed by five bytes.
    assert!(matches!(Message::decode(&[2, 0xff, 0xff, 0xff, 0xff, 0x0f]), Err(WireError::TooLarge { .. })));
}

#[test]
fn damaged_bytes_are_refused_or_read_but_never_panic() {
    let mut refused = 0;
    for bytes in messages().iter().map(|message| message.encode(WireVersion::V1)) {
        // The part is long; its head and its tail are where the fields are.
        for place in (0..bytes.len()).filter(|place| *place < 300 || place + 200 > bytes.len()) {
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[place] ^= change;
                refused += usize::from(Message::decode(&damaged).is_err());
            }
            refused += usize::from(Message::decode(&bytes[..place]).is_err());
        }
    }
    for bytes in records().iter().map(WalRecord::encode) {
        for place in 0..bytes.len() {
            refused += usize::from(WalRecord::decode(&bytes[..place]).is_err());
        }
    }
    assert!(refused > 1_000, "{refused}");
}
